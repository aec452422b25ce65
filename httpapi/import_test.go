package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestImport(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	ids := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	first := ""
	for i, step := range []struct{ document, want string }{
		{
			document(sheet("1234", "521585128", 13, 20)),
			`{"import_id":"ID","position":1,"test_ids":["1234"],"records":1,"students_added":1,"marks_raised":0,"unchanged":0,"duplicate_of":null}`,
		},
		{ // a rescan, a second student, and a second test whose id needs quoting
			document(sheet("1234", "521585128", 15, 20), sheet("1234", "2", 1, 20), sheet(`a/"b\&amp;`, "2", 1, 2), sheet("1234", "2", 0, 20)),
			`{"import_id":"ID","position":2,"test_ids":["1234","a/\"b\\&"],"records":4,"students_added":2,"marks_raised":1,"unchanged":1,"duplicate_of":null}`,
		},
		{ // the same bytes again
			document(sheet("1234", "521585128", 13, 20)),
			`{"import_id":"ID","position":3,"test_ids":["1234"],"records":1,"students_added":0,"marks_raised":0,"unchanged":1,"duplicate_of":"FIRST"}`,
		},
	} {
		got := b.post(t, step.document).want(t, 200)
		found := ids.FindAllString(got.body, -1)
		if i == 0 {
			first = found[0]
		}
		want := strings.ReplaceAll(step.want, "FIRST", first)
		if body := strings.Replace(got.body, found[0], "ID", 1); body != want {
			t.Errorf("document %d:\n got %s\nwant %s", i+1, body, want)
		}
		if contentType := got.Header.Get("Content-Type"); contentType != "application/json" {
			t.Errorf("document %d: %s", i+1, contentType)
		}
		if !json.Valid([]byte(got.body)) {
			t.Errorf("document %d: not JSON: %s", i+1, got.body)
		}
	}
	const want = `{"mean":40.0,"stddev":35.0,"min":5.0,"max":75.0,"p25":22.5,"p50":40.0,"p75":57.5,"count":2}`
	if got := b.get(t, "/results/1234/aggregate").want(t, 200).body; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := b.get(t, "/imports").want(t, 200).body; !strings.Contains(got, `"127.0.0.1"`) {
		t.Errorf("no source in %s", got)
	}
}

// TestImportSample is the contract's own example: real scanner output.
func TestImportSample(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("../../shared/sample_results.xml")
	if err != nil {
		t.Skipf("no sample: %v", err)
	}
	b := newBorder(t, nil)
	b.post(t, string(sample)).want(t, 200)
	const want = `{"mean":50.80246913580247,"stddev":9.92119535943923,"min":30.0,"max":75.0,"p25":45.0,"p50":50.0,"p75":55.0,"count":81}`
	if got := b.get(t, "/results/9863/aggregate").want(t, 200).body; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Codings of request bodies, from implementations other than the server's where
// there is one.
var bodyCodings = map[string]func(t testing.TB, document string) []byte{
	"identity": func(_ testing.TB, document string) []byte { return []byte(document) },
	"gzip": func(t testing.TB, document string) []byte {
		t.Helper()
		return compress(t, document, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	},
	"deflate": func(t testing.TB, document string) []byte {
		t.Helper()
		return compress(t, document, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	},
	"zstd": func(t testing.TB, document string) []byte {
		t.Helper()
		return compress(t, document, func(w io.Writer) io.WriteCloser {
			encoder, err := zstd.NewWriter(w)
			if err != nil {
				t.Fatal(err)
			}
			return encoder
		})
	},
}

func compress(t testing.TB, document string, encoder func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	w := encoder(&b)
	if _, err := io.WriteString(w, document); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImportCodings(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	large := make([]string, 2000)
	for i := range large {
		large[i] = sheet("large", fmt.Sprint(i), i%20, 20)
	}
	for name, encode := range bodyCodings {
		for size, content := range map[string]string{
			"small": document(sheet("1", name, 1, 2)),
			"large": document(append(large, sheet("1", name+"-large", 1, 2))...),
		} {
			encoded := string(encode(t, content))
			b.post(t, encoded, "Content-Encoding", name).want(t, 200)
			b.post(t, encoded, "Content-Encoding", strings.ToUpper(name)).want(t, 200)
			// What is kept is the document, not its coding: the next is a duplicate.
			again := b.post(t, content).want(t, 200)
			if strings.Contains(again.body, `"duplicate_of":null`) {
				t.Errorf("%s, %s: not the same document: %s", name, size, again.body)
			}
		}
	}
	b.post(t, string(bodyCodings["gzip"](t, document(sheet("1", "x", 1, 2)))), "Content-Encoding", "x-gzip").want(t, 200)
	// Members of gzip and frames of zstd may follow each other.
	for _, name := range []string{"gzip", "zstd"} {
		whole := document(sheet("1", "two-"+name, 1, 2))
		pieces := append(bodyCodings[name](t, whole[:50]), bodyCodings[name](t, whole[50:])...)
		b.post(t, string(pieces), "Content-Encoding", name).want(t, 200)
	}
}

// TestBadCodings: a body that is not what its coding says is refused whole, also
// when its document would be readable.
func TestBadCodings(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	content := document(sheet("1", "1", 1, 2))
	for name, encode := range bodyCodings {
		if name == "identity" {
			continue
		}
		good := encode(t, content)
		flipped := bytes.Clone(good)
		flipped[len(flipped)-1] ^= 1 // in the checksum
		for what, body := range map[string][]byte{
			"cut short":     good[:len(good)-3],
			"cut in half":   good[:len(good)/2],
			"trailing byte": append(bytes.Clone(good), 0),
			"trailing text": append(bytes.Clone(good), "<x/>"...),
			"bad checksum":  flipped,
			"no coding":     []byte(content),
		} {
			got := b.post(t, string(body), "Content-Encoding", name).want(t, 400)
			if !strings.Contains(got.body, `"code":"malformed_xml"`) || !strings.Contains(got.body, "not valid "+name) {
				t.Errorf("%s, %s: %s", name, what, got.body)
			}
		}
		// An empty body is an empty document, with or without a coding.
		if got := b.post(t, "", "Content-Encoding", name).want(t, 400); !strings.Contains(got.body, `"import_id"`) {
			t.Errorf("%s: an empty body is not kept: %s", name, got.body)
		}
	}
	if count := b.engine.State().Tests(); count != 0 {
		t.Errorf("%d tests were counted", count)
	}
}

func TestUnsupportedTypesAndCodings(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	good := document(sheet("1", "1", 1, 2))
	for _, contentType := range []string{
		"text/xml+markr", "Text/XML+Markr", "text/xml+markr; charset=utf-8", `text/xml+markr ; charset="UTF-8"`,
	} {
		b.do(t, "POST", "/import", good, "Content-Type", contentType).want(t, 200)
	}
	for _, contentType := range []string{
		"", "text/xml", "application/json", "text/xml+markr/x", "text/csv; profile=unknown", "text/csv; header=perhaps",
		"multipart/form-data; boundary=x", "text/xml+markr, text/xml",
	} {
		got := b.do(t, "POST", "/import", good, "Content-Type", contentType).want(t, 415)
		if got.Header.Get("Accept-Post") != strings.Join(b.formats.Offers(), ", ") || !strings.Contains(got.body, "text/csv; profile=keyed, ") ||
			!strings.Contains(got.body, `"code":"unsupported_media_type"`) {
			t.Errorf("%q: %v %s", contentType, got.Header, got.body)
		}
	}
	for _, coding := range []string{"br", "compress", "gzip, gzip", "gzip, identity", "*", "gzip;q=1"} {
		got := b.post(t, good, "Content-Encoding", coding).want(t, 415)
		if got.Header.Get("Accept-Encoding") != "gzip, zstd, deflate, identity" || !strings.Contains(got.body, `"code":"unsupported_media_type"`) {
			t.Errorf("%q: %v %s", coding, got.Header, got.body)
		}
	}
}
