package httpapi_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"markr/httpapi"
	"markr/wal/entry"
)

// importPage is one page of GET /imports.
type importPage struct {
	Imports    []importShown `json:"imports"`
	NextCursor *string       `json:"next_cursor"`
}

type importShown struct {
	ID        string   `json:"id"`
	Position  int      `json:"position"`
	Received  string   `json:"received"`
	Source    string   `json:"source"`
	MediaType string   `json:"media_type"`
	Size      int      `json:"size"`
	Digest    string   `json:"digest"`
	SHA256    string   `json:"sha256"`
	Outcome   string   `json:"outcome"`
	Records   int      `json:"records"`
	TestIDs   []string `json:"test_ids"`
	Findings  struct {
		BadScannedOn int `json:"bad_scanned_on"`
		BadAnswers   int `json:"bad_answers"`
	} `json:"findings"`
	Refusal *struct {
		Code   string `json:"code"`
		Record *int   `json:"record"`
		Line   *int   `json:"line"`
		Column *int   `json:"column"`
		Field  string `json:"field"`
		Value  string `json:"value"`
		Reason string `json:"reason"`
	} `json:"refusal"`
	DuplicateOf *string `json:"duplicate_of"`
	Corrects    *string `json:"corrects"`
	Retries     *string `json:"retries"`
	ResolvedBy  *struct {
		ID       string `json:"id"`
		Position int    `json:"position"`
		Received string `json:"received"`
	} `json:"resolved_by"`
}

func (o office) importPage(t testing.TB, target string) importPage {
	t.Helper()
	got := o.get(t, target)
	if got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", target, got.status, got.body)
	}
	var page importPage
	got.into(t, &page)
	return page
}

// arrivals posts an accepted document, one that is refused, and the first again.
func arrivals(t testing.TB, o office) (accepted, refused string) {
	t.Helper()
	accepted = scanned(scan{"1234", "521585128", "13", "20"})
	refused = scanned(scan{"1234", "1", "13", "20"}, scan{"1234", "2", "21", "20"})
	o.accept(t, accepted)
	if got := o.post(t, refused); got.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s", got.status, got.body)
	}
	o.accept(t, accepted)
	return accepted, refused
}

func TestImportsAreExactlyThisText(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	if got := o.get(t, "/imports"); got.body != `{"imports":[],"next_cursor":null}` {
		t.Errorf("of nothing: %s", got.body)
	}
	accepted, refused := arrivals(t, o)
	codec, err := entry.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	common := func(document string) string {
		digest := codec.Seal(entry.Header{}, []byte(document)).Digest
		return fmt.Sprintf(`"received":"TIME","source":"127.0.0.1","media_type":"text/xml+markr","size":%d,"digest":"%x"`,
			len(document), digest)
	}
	const none = `"findings":{"bad_scanned_on":0,"bad_answers":0}`
	const nothing = `,"corrects":null,"retries":null,"resolved_by":null}`
	first := `{"id":"ID","position":1,` + common(accepted) + `,"outcome":"accepted","records":1,"test_ids":["1234"],` + none + `,"refusal":null,"duplicate_of":null` + nothing
	second := `{"id":"ID","position":2,` + common(refused) + `,"outcome":"refused","records":0,"test_ids":[],` + none + `,"refusal":REFUSAL,"duplicate_of":null` + nothing
	third := `{"id":"ID","position":3,` + common(accepted) + `,"outcome":"duplicate","records":1,"test_ids":["1234"],` + none + `,"refusal":null,"duplicate_of":"ID"` + nothing
	shown := func(target string) string {
		got := o.get(t, target)
		if got.status != http.StatusOK {
			t.Errorf("%s: %d %s", target, got.status, got.body)
		}
		return regexp.MustCompile(`"refusal":\{[^}]*\}`).ReplaceAllString(mask(got.body), `"refusal":REFUSAL`)
	}
	for query, want := range map[string]string{
		"":                   third + "," + second + "," + first,
		"?outcome=accepted":  first,
		"?outcome=refused":   second,
		"?outcome=duplicate": third,
	} {
		if got, want := shown("/imports"+query), `{"imports":[`+want+`],"next_cursor":null}`; got != want {
			t.Errorf("%s: %s\nwant %s", query, got, want)
		}
	}
	all := o.importPage(t, "/imports").Imports
	documents := []string{accepted, refused, accepted}
	for i, want := range []string{third, second, first} {
		// One by itself has the SHA-256 of its bytes, too.
		want = strings.Replace(want, `,"outcome"`, fmt.Sprintf(`,"sha256":"%x","outcome"`, sha256.Sum256([]byte(documents[i]))), 1)
		if got := shown("/imports/" + all[i].ID); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	if *all[0].DuplicateOf != all[2].ID {
		t.Errorf("a duplicate of %s, want %s", *all[0].DuplicateOf, all[2].ID)
	}
	reason := all[1].Refusal
	if reason == nil || reason.Code != "invalid_value" || *reason.Record != 2 || reason.Line == nil || reason.Value != "21" ||
		reason.Field != "summary-marks/obtained" || reason.Reason == "" {
		t.Errorf("refusal: %+v", reason)
	}
}

func TestImportsPages(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for i := range 5 {
		o.accept(t, scanned(scan{"t", fmt.Sprint(i), "1", "2"}))
	}
	first := o.get(t, "/imports?limit=2&outcome=accepted")
	link := first.header.Get("Link")
	if want := regexp.MustCompile(`^</imports\?cursor=[A-Za-z0-9_-]+&limit=2&outcome=accepted>; rel="next"$`); !want.MatchString(link) {
		t.Errorf("link %q", link)
	}
	var positions []int
	for target := "/imports?limit=2"; target != ""; {
		page := o.importPage(t, target)
		for _, one := range page.Imports {
			positions = append(positions, one.Position)
		}
		target = ""
		if page.NextCursor != nil {
			target = "/imports?limit=2&cursor=" + *page.NextCursor
		}
	}
	if fmt.Sprint(positions) != "[5 4 3 2 1]" {
		t.Errorf("positions %v", positions)
	}
	for query, code := range map[string]string{
		"outcome=": "invalid_parameter", "outcome=Accepted": "invalid_parameter", "outcome=unknown": "invalid_parameter", "outcome=2": "invalid_parameter",
		"prefix=a": "invalid_parameter", "limit=0": "invalid_parameter",
		"cursor=abc": "invalid_cursor", "cursor=" + httpapi.TestsCursor("12345678"): "invalid_cursor",
	} {
		if got := o.get(t, "/imports?"+query); got.status != http.StatusBadRequest || got.code(t) != code {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

func TestUnknownImports(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.accept(t, scanned(scan{"1", "1", "1", "2"}))
	for _, unknown := range []string{
		"01890000-0000-7000-8000-000000000000", "00000000-0000-0000-0000-000000000000", "1", "x",
		"{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""), id + "0", id[1:], "%2e%2e",
	} {
		for _, target := range []string{"/imports/" + unknown, "/imports/" + unknown + "/document"} {
			if got := o.get(t, target); got.status != http.StatusNotFound || got.code(t) != "unknown_import" {
				t.Errorf("%s: %d %s", target, got.status, got.body)
			}
		}
	}
	if got := o.get(t, "/imports/"+strings.ToUpper(id)); got.status != http.StatusOK {
		t.Errorf("in capitals: %d %s", got.status, got.body)
	}
	if got := o.get(t, "/imports/"+id+"?verbose=1"); got.status != http.StatusBadRequest || got.code(t) != "invalid_parameter" {
		t.Errorf("with a parameter: %d %s", got.status, got.body)
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	accepted, refused := arrivals(t, o)
	all := o.importPage(t, "/imports").Imports
	tags := make(map[string]bool)
	for i, want := range []string{accepted, refused, accepted} {
		target := "/imports/" + all[i].ID + "/document"
		got := o.get(t, target)
		if got.status != http.StatusOK || got.body != want {
			t.Errorf("%s %s: %d %q", all[i].Outcome, target, got.status, got.body)
		}
		for name, value := range map[string]string{
			"Content-Type":            "text/xml+markr",
			"Content-Disposition":     `attachment; filename="` + all[i].ID + `"`,
			"X-Content-Type-Options":  "nosniff",
			"Content-Security-Policy": "default-src 'none'; sandbox",
			"Cache-Control":           "private, no-cache",
			"Content-Length":          fmt.Sprint(len(want)),
		} {
			if got := got.header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", target, name, got, value)
			}
		}
		tags[got.header.Get("Etag")] = true
	}
	if len(tags) != 2 {
		t.Errorf("two documents have the tags %v", tags)
	}
	// A document over the size worth compressing comes back whole in each coding.
	var scans []scan
	for i := range 100 {
		scans = append(scans, scan{"t", fmt.Sprint(i), "1", "2"})
	}
	long := scanned(scans...)
	id := o.accept(t, long)
	for _, coding := range []string{"", "gzip", "zstd"} {
		got := o.get(t, "/imports/"+id+"/document", "Accept-Encoding: "+coding)
		if got.header.Get("Content-Encoding") != coding || got.plain(t) != long {
			t.Errorf("in %q: coded as %q, %d bytes", coding, got.header.Get("Content-Encoding"), len(got.body))
		}
	}
}

// Documents on their way out hold memory, so there is an end to how many; and when
// they have left, or never do, nothing is held.
func TestDownloadsAreBounded(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.accept(t, scanned(scan{"1", "1", "1", "2"}))
	target := "/imports/" + id + "/document"
	giveBack := o.TakeDownloads()
	if got := o.get(t, target); got.status != http.StatusServiceUnavailable || got.code(t) != "overloaded" || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %v %s", got.status, got.header, got.body)
	}
	tag := o.get(t, "/imports/"+id).header.Get("Etag")
	if tag == "" || o.get(t, "/results/1/aggregate").status != http.StatusOK {
		t.Error("other reads are affected")
	}
	giveBack()
	for _, headers := range [][]string{nil, {"Accept-Encoding: identity;q=0, gzip"}, {"Accept-Encoding: identity;q=0"}, {"If-None-Match: *"}} {
		o.get(t, target, headers...)
		o.do(t, http.MethodHead, target, "", headers...)
	}
	// The core gives back after the client has read.
	for deadline := time.Now().Add(5 * time.Second); o.HeldByDownloads() != 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes are still held", o.HeldByDownloads())
		}
		time.Sleep(time.Millisecond)
	}
}
