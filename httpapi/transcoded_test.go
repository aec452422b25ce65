package httpapi_test

import (
	"strings"
	"testing"

	"markr/httpapi"
)

// inAnotherEncoding are documents of each format that are longer in UTF-8, by content type.
func inAnotherEncoding(size int) map[string]string {
	euros := strings.Repeat("\x80", size)
	return map[string]string{
		"text/xml+markr": `<?xml version="1.0" encoding="windows-1252"?>` +
			document(strings.Replace(sheet("encoded", "1", 1, 2), "Jane", euros, 1)),
		"text/xml+markr; charset=utf-16": inUTF16(document(strings.Replace(sheet("encoded", "2", 1, 2), "Jane", strings.Repeat("中", size/2), 1))),
		"text/csv; charset=windows-1252": "test-id,student-number,available,obtained,remark\nencoded,3,2,1," + euros + "\n",
		"application/xml":                `<?xml version="1.0" encoding="windows-1252"?>` + qtiResult("encoded", "4", "") + "<!--" + euros + "-->",
	}
}

// qtiResult is a result of QTI with something in its root.
func qtiResult(test, student, more string) string {
	return `<assessmentResult xmlns="http://www.imsglobal.org/xsd/imsqti_result_v2p2"><context sourcedId="` + student + `"/><testResult identifier="` + test +
		`"><outcomeVariable identifier="SCORE"><value>1</value></outcomeVariable><outcomeVariable identifier="MAXSCORE"><value>2</value></outcomeVariable></testResult>` +
		more + `</assessmentResult>`
}

// The text of a document in another encoding is in the budget of bytes in flight, in every
// format: where there is no room, the document is to come again, and nothing is left.
func TestTranscodedTextIsInTheBudget(t *testing.T) {
	t.Parallel()
	for mediaType, body := range inAnotherEncoding(700 << 10) {
		t.Run(mediaType, func(t *testing.T) {
			t.Parallel()
			b := newBorder(t, small)
			// The document fits in, its text as well does not.
			giveBack := b.TakeBudget(32<<20 - int64(len(body)) - 1<<20)
			wantOverloaded(t, b.postAs(t, mediaType, body))
			if got := b.get(t, "/imports").want(t, 200); !strings.Contains(got.body, `"imports":[]`) {
				t.Errorf("something was kept: %s", got.body)
			}
			giveBack()
			b.postAs(t, mediaType, body).want(t, 200)
			if held := b.HeldBytes(); held != 0 {
				t.Errorf("%d bytes are still held", held)
			}
		})
	}
}

func wantOverloaded(t *testing.T, got reply) {
	t.Helper()
	if got.StatusCode != 503 || !strings.Contains(got.body, `"code":"overloaded"`) || got.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
}

// In UTF-8 a document may be as long as a body.
func TestTranscodedTextTooLong(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) {
		small(opts)
		opts.Limits.DecodedBytesMax = 1 << 20
	})
	for mediaType, body := range inAnotherEncoding(800 << 10) {
		got := b.postAs(t, mediaType, body)
		if got.StatusCode != 413 || !strings.Contains(got.body, "In UTF-8 the document is longer") {
			t.Errorf("%s: %d %s", mediaType, got.StatusCode, got.body)
		}
	}
	b.postAs(t, "text/csv; charset=windows-1252", "test-id,student-number,available,obtained\nm,1,2,1\n"+strings.Repeat("\n", 700<<10)).want(t, 200)
}
