package httpapi_test

import (
	"testing"

	"markr/httpapi"
)

func TestChooseCoding(t *testing.T) {
	t.Parallel()
	const long, short = httpapi.CompressBytesMin, httpapi.CompressBytesMin - 1
	for _, test := range []struct {
		header string
		size   int
		want   string // "" is "none of them"
	}{
		{"gzip", long, "gzip"},
		{"gzip", short, "identity"},
		{"zstd", long, "zstd"},
		{"GZIP", long, "gzip"},
		{"x-gzip", long, "gzip"},
		{"br", long, "identity"},
		{"", long, "identity"},
		{"*", long, "zstd"},
		{"gzip, deflate, br, zstd", long, "zstd"},
		{"gzip;q=1.0, zstd;q=0.5", long, "gzip"},
		{"gzip;q=0.5,zstd;q=0.5", long, "zstd"},
		{"gzip ; Q=0.001", long, "gzip"},
		{"gzip;q=0", long, "identity"},
		{"gzip;q=0.000, *", long, "zstd"},
		{"gzip;q=0, zstd;q=0, *;q=0.1", long, "identity"},
		// Plain bytes that are wished for are given.
		{"identity, gzip;q=0.9", long, "identity"},
		{"identity;q=0.5, gzip;q=0.5", long, "gzip"},
		{"identity;q=0.2, gzip;q=0.1", long, "identity"},
		// Plain bytes that are refused are not, however short the body.
		{"identity;q=0, gzip", short, "gzip"},
		{"gzip, *;q=0", short, "gzip"},
		{"identity;q=0", long, ""},
		{"*;q=0", short, ""},
		{"identity;q=0, br", long, ""},
		{"identity, *;q=0", long, "identity"},
		{"identity;q=0, *", short, "zstd"},
		// What cannot be read does not count.
		{"gzip;q=2", long, "identity"},
		{"gzip;q=", long, "identity"},
		{"gzip;q=0.1234", long, "identity"},
		{"gzip;q=1.001", long, "identity"},
		{"gzip;q=-1, zstd", long, "zstd"},
		{",, ,gzip,", long, "gzip"},
		{"gzip;level=9", long, "gzip"},
	} {
		name, ok := httpapi.ChooseCoding(test.header, test.size)
		if !ok {
			name = ""
		}
		if name != test.want {
			t.Errorf("Accept-Encoding %q for %d bytes: %q, want %q", test.header, test.size, name, test.want)
		}
	}
}
