package httpapi_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"markr/engine/audit"
	"markr/httpapi"
)

// recordSome records one event of every kind, between the arrivals.
func recordSome(t testing.TB, o office) {
	t.Helper()
	expires := time.Date(2027, 8, 1, 0, 0, 0, 0, time.UTC)
	for _, event := range []audit.Event{
		{
			Who: audit.Operator, Action: audit.Rules, Outcome: audit.Done,
			Rules: &audit.RuleSet{Scoring: "latest", Denominator: "sheet", RefusedBytesMax: 1024},
		},
		{
			Who: audit.Operator, Action: audit.Tokens, Outcome: audit.Done,
			Tokens: &audit.TokenSet{File: "tokens", SHA256: strings.Repeat("0a", 32), Count: 2, Tokens: []audit.Token{
				{Name: "a", Scopes: "read", From: []string{"::1"}, Rate: 2.5, Expires: &expires}, {Name: "b", Scopes: "admin"},
			}},
		},
		{Who: audit.Program, Action: audit.Tokens, Outcome: audit.Failed, Reason: "tokens: not a token file: line 2"},
		{
			Who: audit.Program, Action: audit.ClientCA, Outcome: audit.Done,
			ClientCA: &audit.CertificateSet{File: "ca.pem", SHA256: strings.Repeat("0b", 32), Subjects: []string{"CN=office"}},
		},
		{
			Who: audit.Operator, Action: audit.Profiles, Outcome: audit.Done,
			Profiles: &audit.ProfileSet{Dir: "profiles", Count: 1, Profiles: []audit.Profile{{Name: "reader", SHA256: strings.Repeat("0c", 32)}}},
		},
		{
			Who: audit.Operator, Action: audit.Backup, Outcome: audit.Done,
			Backup: &audit.BackupMade{ID: "20261126T160426.123456Z-3", Position: 3, Taken: expires},
		},
	} {
		if err := o.engine.Record(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAuditIsExactlyThisText(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	if got := o.get(t, "/audit"); got.status != http.StatusOK || got.body != `{"changes":[],"next_cursor":null}` {
		t.Errorf("of nothing: %d %s", got.status, got.body)
	}
	arrivals(t, o)
	recordSome(t, o)
	line := func(position int, who, what, outcome, reason, id, change string) string {
		return fmt.Sprintf(`{"position":%d,"time":"TIME","who":"%s","what":"%s","outcome":"%s","reason":%s,"import_id":%s,"change":%s,"chain":"CHAIN"}`,
			position, who, what, outcome, reason, id, change)
	}
	imports := []string{
		line(3, "127.0.0.1", "import", "duplicate", "null", `"ID"`, "null"),
		line(2, "127.0.0.1", "import", "refused", "null", `"ID"`, "null"),
		line(1, "127.0.0.1", "import", "accepted", "null", `"ID"`, "null"),
	}
	events := []string{
		line(9, "operator", "backup", "done", "null", "null", `{"id":"20261126T160426.123456Z-3","position":3,"taken":"TIME"}`),
		line(8, "operator", "profiles", "done", "null", "null", `{"dir":"profiles","count":1,"profiles":[{"name":"reader","sha256":"`+strings.Repeat("0c", 32)+`"}]}`),
		line(7, "markr", "tls-client-ca", "done", "null", "null", `{"file":"ca.pem","sha256":"`+strings.Repeat("0b", 32)+`","subjects":["CN=office"]}`),
		line(6, "markr", "tokens", "failed", `"tokens: not a token file: line 2"`, "null", "null"),
		line(5, "operator", "tokens", "done", "null", "null", `{"file":"tokens","sha256":"`+strings.Repeat("0a", 32)+`","count":2,"tokens":[`+
			`{"name":"a","scopes":"read","from":["::1"],"rate":2.5,"expires":"TIME"},{"name":"b","scopes":"admin"}]}`),
		line(4, "operator", "rules", "done", "null", "null", `{"scoring":"latest","denominator":"sheet","refused_bytes_max":1024}`),
	}
	chains := make(map[string]bool)
	chain := regexp.MustCompile(`"chain":"[0-9a-f]{32}"`)
	for target, want := range map[string][]string{
		"/audit": append(append([]string{}, events...), imports...), "/audit?only=events": events, "/audit?limit=9": append(append([]string{}, events...), imports...),
	} {
		got := o.get(t, target)
		for _, value := range chain.FindAllString(got.body, -1) {
			chains[value] = true
		}
		text := chain.ReplaceAllString(mask(got.body), `"chain":"CHAIN"`)
		text = strings.ReplaceAll(text, `"2027-08-01T00:00:00Z"`, `"TIME"`)
		if want := `{"changes":[` + strings.Join(want, ",") + `],"next_cursor":null}`; got.status != http.StatusOK || text != want {
			t.Errorf("%s: %d %s\nwant %s", target, got.status, text, want)
		}
	}
	if len(chains) != 9 {
		t.Errorf("%d chain values for nine lines", len(chains))
	}
	// Events are no imports, wherever imports are shown.
	if page := o.importPage(t, "/imports"); len(page.Imports) != 3 || page.Imports[0].Position != 3 {
		t.Errorf("imports: %+v", page)
	}
	if got := o.get(t, "/"); got.status != http.StatusOK {
		t.Errorf("the page: %d", got.status)
	}
}

func TestAuditPages(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	recordSome(t, o)
	arrivals(t, o)
	link := o.get(t, "/audit?limit=2&only=events").header.Get("Link")
	if want := regexp.MustCompile(`^</audit\?cursor=[A-Za-z0-9_-]+&limit=2&only=events>; rel="next"$`); !want.MatchString(link) {
		t.Errorf("link %q", link)
	}
	for query, want := range map[string]string{"": "[9 8 7 6 5 4 3 2 1]", "&only=events": "[6 5 4 3 2 1]"} {
		var positions []int
		for target := "/audit?limit=2" + query; target != ""; {
			var page struct {
				Changes []struct {
					Position int    `json:"position"`
					Time     string `json:"time"`
					Who      string `json:"who"`
					What     string `json:"what"`
					Outcome  string `json:"outcome"`
					Reason   any    `json:"reason"`
					ImportID any    `json:"import_id"`
					Change   any    `json:"change"`
					Chain    string `json:"chain"`
				} `json:"changes"`
				NextCursor *string `json:"next_cursor"`
			}
			o.get(t, target).into(t, &page)
			for _, line := range page.Changes {
				positions = append(positions, line.Position)
			}
			target = ""
			if page.NextCursor != nil {
				target = "/audit?limit=2" + query + "&cursor=" + *page.NextCursor
			}
		}
		if fmt.Sprint(positions) != want {
			t.Errorf("%q: positions %v, want %s", query, positions, want)
		}
	}
	for query, code := range map[string]string{
		"only=": "invalid_parameter", "only=imports": "invalid_parameter", "outcome=done": "invalid_parameter", "limit=0": "invalid_parameter",
		"cursor=abc": "invalid_cursor", "cursor=" + httpapi.ImportsCursor(3): "invalid_cursor",
	} {
		if got := o.get(t, "/audit?"+query); got.status != http.StatusBadRequest || got.code(t) != code {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
	first := o.get(t, "/audit")
	if tag := first.header.Get("ETag"); tag == "" {
		t.Error("no ETag")
	}
}
