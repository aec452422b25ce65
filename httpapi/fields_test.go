package httpapi_test

import (
	"strings"
	"testing"

	"markr/httpapi"
)

func TestFields(t *testing.T) {
	t.Parallel()
	const names = "Accept-Encoding If-None-Match X-Request-Id Transfer-Encoding"
	for _, c := range []struct {
		raw   string
		lines int
		may   string // those of names that there may be
	}{
		{"", 0, ""},
		{"\r\n", 1, ""},
		{"Host: x\r\n\r\n", 2, ""},
		{"Host: x\r\nx-request-id: 1\r\n\r\n", 3, "X-Request-Id"},
		{"Host: x\r\n X-Request-Id: 1\r\n\r\n", 3, ""}, // a line that goes on
		{"accept: */*\r\nIF-NONE-MATCH: *\r\n", 2, "Accept-Encoding If-None-Match"},
		{"TE: trailers", 0, "Transfer-Encoding"},
		{":admission: 1\r\n@: 2\r\n", 2, ""},
	} {
		lines, may := httpapi.FieldsOf(c.raw, strings.Fields(names))
		if lines != c.lines || strings.Join(may, " ") != c.may {
			t.Errorf("%q: %d lines, may have %q; want %d, %q", c.raw, lines, may, c.lines, c.may)
		}
	}
}
