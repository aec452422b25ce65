package httpapi_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"markr/httpapi"
	"markr/httpapi/access"
)

// newToken returns a token and the digest that stands for it in a token file.
func newToken(t testing.TB) (token, digest string) {
	t.Helper()
	token, err := access.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return token, access.DigestOf([]byte(token)).String()
}

// newGuard knows the tokens of a token file.
func newGuard(t testing.TB, lines ...string) *access.Guard {
	t.Helper()
	tokens, err := access.Parse([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return access.NewGuard(tokens)
}

// bearer is the header with a token.
func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// scopeOf is what each route takes; empty is nothing.
var scopeOf = map[string]string{
	"/import":                            "import",
	"/results":                           "read",
	"/results/{test}/aggregate":          "read",
	"/results/{test}/history":            "read",
	"/results/{test}/quality":            "read",
	"/results/{test}/histogram":          "read",
	"/results/{test}/percentiles":        "read",
	"/results/{test}/scores":             "read",
	"/results/{test}/scores/{marks}":     "read",
	"/results/{test}/passes":             "read",
	"/results/{test}/grades":             "read",
	"/results/{test}/items":              "read",
	"/results/{test}/items/{question}":   "read",
	"/results/{test}/what-if":            "read",
	"/comparison":                        "read",
	"/results/{test}/students":           "export",
	"/results/{test}/students/{student}": "read",
	"/quality":                           "read",
	"/imports":                           "read",
	"/imports/{id}":                      "read",
	"/imports/{id}/document":             "export",
	"/imports/{id}/corrections":          "import",
	"/imports/{id}/retry":                "import,read",
	"/refusals":                          "read",
	"/events":                            "read",
	"/desk":                              "read",
	"/desk/{id}":                         "read,export",
	"/audit":                             "admin",
	"/":                                  "read",
	"/metrics":                           "metrics",
	"/openapi.json":                      "",
	"/problems/{code}":                   "",
	"/docs":                              "",
	"/docs/statistics":                   "",
	"/assets/{version}/{name}":           "",
	"/livez":                             "",
	"/readyz":                            "",
	"/healthz":                           "",
}

// conflicts are the routes that are answered 409 about an import that is not refused.
var conflicts = []string{"/imports/{id}/corrections", "/imports/{id}/retry", "/desk/{id}"}

// needed are the parameters without which a route answers nothing.
var needed = map[string]string{"/results/{test}/grades": "?boundaries=A:80", "/comparison": "?tests=1,2"}

// TestAccess asks for every route of the public listener with every kind of
// credentials: tokens of each scope, valid and not, as Bearer and as Basic.
func TestAccess(t *testing.T) {
	t.Parallel()
	states := []struct {
		name, options string
		status        int // of whoever has the scope; 0: that of the route
	}{
		{"valid", "", 0},
		{"from here", " from=127.0.0.0/8,::1", 0},
		{"from elsewhere", " from=192.0.2.0/24", 403},
		{"expired", " expires=2020-01-01", 401},
		{"not yet expired", " expires=2999-01-01T00:00:00Z", 0},
	}
	var lines []string
	tokens := make(map[string]string) // by scope and state
	for i, state := range states {
		for _, scope := range access.ScopeNames() {
			token, digest := newToken(t)
			tokens[scope+state.name] = token
			lines = append(lines, fmt.Sprintf("%s-%d %s %s%s", scope, i, digest, scope, state.options))
		}
	}
	b := newBorder(t, func(o *httpapi.Options) { o.Access = newGuard(t, lines...) })
	paper := document(sheet("1", "1", 1, 2), sheet("2", "1", 1, 2))
	receipt := b.post(t, paper, bearer(tokens["importvalid"])...).want(t, 200)
	// Whoever is let in by name is the source.
	imports, err := b.engine.Imports(0, 0, 1)
	if err != nil || len(imports) != 1 || imports[0].Source != "import-0" {
		t.Errorf("imports %+v, %v", imports, err)
	}
	_, id, _ := strings.Cut(receipt.body, `"import_id":"`)
	id, _, _ = strings.Cut(id, `"`)
	page := b.get(t, "/", append(bearer(tokens["readvalid"]), "Accept", "text/html")...).want(t, 200)
	_, asset, _ := strings.Cut(page.body, `href="/assets/`)
	asset, _, _ = strings.Cut(asset, `"`)
	version, asset, _ := strings.Cut(asset, "/")

	seen := 0
	for _, r := range httpapi.PublicRoutes(false) {
		if r.Pattern == "/admin/reprocess" || strings.HasPrefix(r.Pattern, "/admin/reprocess/") {
			continue // TestAdministrators
		}
		wanted, listed := scopeOf[r.Pattern]
		if !listed {
			t.Errorf("%s is not in the table of this test", r.Pattern)
			continue
		}
		seen++
		path := strings.NewReplacer("{test}", "1", "{student}", "1", "{id}", id, "{code}", "forbidden", "{version}", version, "{name}", asset, "{marks}", "1", "{question}", "0").Replace(r.Pattern) + needed[r.Pattern]
		methods := []string{r.Method}
		switch {
		case r.Pattern == "/events":
			methods = []string{http.MethodHead} // The stream has no end.
		case r.Method == http.MethodGet:
			methods = append(methods, http.MethodHead)
		}
		for _, method := range methods {
			ask := func(want int, why string, header ...string) {
				t.Helper()
				body := ""
				if method == http.MethodPost {
					body, header = paper, append([]string{"Content-Type", scannerType}, header...)
				}
				got := b.do(t, method, path, body, header...)
				if got.StatusCode != want {
					t.Errorf("%s %s with %s: %d, want %d: %s", method, path, why, got.StatusCode, want, got.body)
				}
				challenge := got.Header.Get("WWW-Authenticate")
				if (want == 401) != strings.HasPrefix(challenge, `Bearer realm="markr"`) && want != 403 {
					t.Errorf("%s %s with %s: %d with challenge %q", method, path, why, want, challenge)
				}
			}
			anonymous := 401
			if wanted == "" {
				anonymous = 200
			}
			ask(anonymous, "nothing")
			for _, scope := range access.ScopeNames() {
				for _, state := range states {
					want := 200
					if slices.Contains(conflicts, r.Pattern) {
						want = 409
					}
					if wanted != "" {
						if scope != wanted && scope != "admin" {
							want = 403
						}
						if state.status != 0 {
							want = state.status
						}
					}
					token := tokens[scope+state.name]
					ask(want, scope+" token, "+state.name, bearer(token)...)
					request := &http.Request{Header: http.Header{}}
					request.SetBasicAuth("anybody", token)
					ask(want, "Basic "+scope+" token, "+state.name, "Authorization", request.Header.Get("Authorization"))
				}
			}
		}
		b.do(t, http.MethodOptions, path, "").want(t, 204)
	}
	if seen != len(scopeOf) {
		t.Errorf("%d routes are public, the table of this test has %d", seen, len(scopeOf))
	}
	// What is nowhere public stays so, whatever the token.
	b.get(t, "/debug/pprof", bearer(tokens["adminvalid"])...).want(t, 404)
	b.get(t, "/no/such/path").want(t, 404)
}

// TestAccessCredentials: what is no token that the server knows.
func TestAccessCredentials(t *testing.T) {
	t.Parallel()
	token, digest := newToken(t)
	b := newBorder(t, func(o *httpapi.Options) { o.Access = newGuard(t, "x "+digest+" read") })
	basic := func(user, password string) string {
		request := &http.Request{Header: http.Header{}}
		request.SetBasicAuth(user, password)
		return request.Header.Get("Authorization")
	}
	for header, want := range map[string]int{
		"Bearer " + token:                     200,
		"bearer  " + token:                    200,
		basic("", token):                      200,
		basic(token, ""):                      200,
		token:                                 401,
		"Bearer":                              401,
		"Bearer " + token + "x":               401,
		"Bearer " + digest:                    401,
		"Token " + token:                      401,
		"Basic " + token:                      401,
		basic(token, "x"):                     401,
		basic("x", strings.Repeat("x", 9000)): 401,
	} {
		got := b.get(t, "/results", "Authorization", header).want(t, want)
		if want == 401 && !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%q: %v", header, got.Header)
		}
	}
	// A browser is asked for a password, other programs are not.
	if got := b.get(t, "/", "Accept", "text/html").want(t, 401); !strings.Contains(got.Header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("the page asks with %v", got.Header)
	}
	if got := b.get(t, "/results", "Accept", "text/html").want(t, 401); got.Header.Get("WWW-Authenticate") != `Bearer realm="markr"` {
		t.Errorf("/results asks with %v", got.Header)
	}
	if got := b.post(t, document(sheet("1", "1", 1, 2)), bearer(token)...).want(t, 403); !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="insufficient_scope", scope="import"`) {
		t.Errorf("a token without the scope: %v", got.Header)
	}
	if logged := b.logs.String(); strings.Contains(logged, token) || strings.Contains(logged, digest) {
		t.Error("the log shows a token")
	}
}

// TestDeniedBeforeTheBody: whoever is not let in is told so before the body is
// sent, or while it is, and nothing of it is taken for another request.
func TestDeniedBeforeTheBody(t *testing.T) {
	t.Parallel()
	token, digest := newToken(t)
	reader, readerDigest := newToken(t)
	b := newBorder(t, func(o *httpapi.Options) {
		o.Access = newGuard(t, "x "+digest+" import", "y "+readerDigest+" read", "")
	})
	const head = "POST /import HTTP/1.1\r\nHost: x\r\nContent-Type: " + scannerType + "\r\n"
	for credentials, want := range map[string]int{
		"": 401, "Authorization: Bearer nonsense\r\n": 401, "Authorization: Bearer " + reader + "\r\n": 403,
	} {
		for _, framing := range []string{"Content-Length: 1000000\r\n", "Transfer-Encoding: chunked\r\n"} {
			s := dial(t, b.address)
			s.send(head + credentials + framing + "Expect: 100-continue\r\n\r\n")
			got := s.answer("POST").want(t, want)
			if got.Header.Get("Content-Type") != "application/problem+json" || !got.Close || got.body == "" {
				t.Errorf("%q: %v %s", credentials, got.Header, got.body)
			}
			s.wantClosed()

			s = dial(t, b.address)
			s.send(head + credentials + framing + "\r\nGET /livez HTTP/1.1\r\n\r\n")
			s.answer("POST").want(t, want)
			s.wantClosed()
		}
	}
	// A client that sends everything before it reads anything hears it, too.
	s := dial(t, b.address)
	s.send(head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 16<<20, strings.Repeat("x", 16<<20)))
	if got := s.answer("POST").want(t, 401); !got.Close {
		t.Error("the connection goes on behind a body that was not read")
	}
	if got := b.post(t, document(sheet("1", "1", 1, 2))).want(t, 401); !got.Close {
		t.Error("the connection goes on behind a short body that was not read")
	}
	// A size over the limit is told to nobody who is not let in.
	got := b.exchange(t, head+"Content-Length: 4294967296\r\n\r\n").want(t, 401)
	if strings.Contains(got.body, "limit") {
		t.Errorf("a stranger reads %s", got.body)
	}
	// Who is let in is asked for the body.
	body := document(sheet("1", "1", 1, 2))
	s = dial(t, b.address)
	s.send(head + "Authorization: Bearer " + token + fmt.Sprintf("\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body)))
	s.answer("POST").want(t, 100)
	s.send(body)
	s.answer("POST").want(t, 200)
	if tests := b.engine.State().Tests(); tests != 1 {
		t.Errorf("%d tests are known", tests)
	}
}

// TestTooEarly: who sends too much, and who fails too often, is told to wait: with
// 429, or, when a scanner has a document in hand, with 503, because it prints what
// is answered 4xx.
func TestTooEarly(t *testing.T) {
	t.Parallel()
	both, digest := newToken(t)
	other, otherDigest := newToken(t)
	var clock atomic.Int64
	clock.Store(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	b := newBorder(t, func(o *httpapi.Options) {
		o.Access = newGuard(t, "x "+digest+" import,read rate=2", "y "+otherDigest+" read")
		o.Now = func() time.Time { return time.Unix(0, clock.Load()) }
		o.Limits.ReadTimeout, o.Limits.WriteTimeout, o.Limits.IdleTimeout = 1e6*time.Hour, 1e6*time.Hour, 1e6*time.Hour
	})
	paper := document(sheet("1", "1", 1, 2))
	for range 2 {
		b.get(t, "/results", bearer(both)...).want(t, 200)
	}
	wantWait := func(got reply, code string) {
		t.Helper()
		if got.Header.Get("Retry-After") != "1" && got.Header.Get("Retry-After") != "3" || !strings.Contains(got.body, code) {
			t.Errorf("%v %s", got.Header, got.body)
		}
	}
	wantWait(b.get(t, "/results", bearer(both)...).want(t, 429), `"too_many_requests"`)
	wantWait(b.post(t, paper, bearer(both)...).want(t, 503), `"overloaded"`)
	clock.Add(int64(time.Second / 2))
	b.post(t, paper, bearer(both)...).want(t, 200)

	for range access.StrikesAtOnce {
		b.get(t, "/results", bearer("wrong")...).want(t, 401)
	}
	wantWait(b.get(t, "/results", bearer("wrong")...).want(t, 429), `"too_many_requests"`)
	wantWait(b.post(t, paper, bearer("wrong")...).want(t, 503), `"overloaded"`)
	b.get(t, "/results").want(t, 401)
	b.get(t, "/livez", bearer("wrong")...).want(t, 200)
	// A valid token is not kept out by others behind the same address.
	b.get(t, "/results", bearer(other)...).want(t, 200)
	clock.Add(int64(access.StrikeInterval))
	b.post(t, paper, bearer("wrong")...).want(t, 401)

	scraped := b.gather(t)
	for _, want := range []string{
		`markr_http_denied_total{reason="attempts"} 2`, `markr_http_denied_total{reason="rate"} 2`,
		`markr_http_denied_total{reason="unknown_token"} 21`, `markr_http_denied_total{reason="no_credentials"} 1`,
		`markr_import_turned_away_total{code="unauthorized"} 1`,
	} {
		if !strings.Contains(scraped, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

// gather is what the server's registry shows.
func (b *border) gather(t testing.TB) string {
	t.Helper()
	address := b.listen(t, b.ServeOps)
	response, err := b.client.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response).want(t, 200).body
}

// The operators' listener asks nobody; it is where nobody comes who should not.
func TestOperatorsAreNotAsked(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(o *httpapi.Options) { o.Access, o.OpsElsewhere = newGuard(t), true })
	if !strings.Contains(b.gather(t), "markr_ready 1") {
		t.Error("no metrics on the operators' listener")
	}
	for _, path := range []string{"/metrics", "/livez", "/debug/pprof"} {
		b.get(t, path).want(t, 404)
	}
}

// TestTokensChange: a token works from the moment it is in the set until it is not,
// also on a connection that stays open.
func TestTokensChange(t *testing.T) {
	t.Parallel()
	token, digest := newToken(t)
	guard := newGuard(t)
	b := newBorder(t, func(o *httpapi.Options) { o.Access = guard })
	b.get(t, "/results", bearer(token)...).want(t, 401)
	tokens, err := access.Parse([]byte("x " + digest + " read"))
	if err != nil {
		t.Fatal(err)
	}
	guard.Replace(tokens)
	b.get(t, "/results", bearer(token)...).want(t, 200)
	guard.Replace(nil)
	b.get(t, "/results", bearer(token)...).want(t, 401)
}

// BenchmarkAccess is what it costs to ask who sends a request: nothing when nobody
// is asked, and one digest and one look-up with tokens.
func BenchmarkAccess(b *testing.B) {
	token, digest := newToken(b)
	for _, asked := range []bool{false, true} {
		var guard *access.Guard
		header := ""
		if asked {
			guard = newGuard(b, "x "+digest+" import,read from=127.0.0.0/8")
			header = "Authorization: Bearer " + token + "\r\n"
		}
		markr := newBorder(b, func(o *httpapi.Options) { o.Logger, o.Access = nil, guard })
		request := "GET /results/bench/aggregate HTTP/1.1\r\nHost: x\r\n" + header + "\r\n"
		paper := document(sheet("bench", "1", 1, 2))
		markr.post(b, paper, bearer(token)...).want(b, 200)
		b.Run(fmt.Sprintf("route=aggregate/tokens=%v", asked), func(b *testing.B) { repeat(b, markr.address, request, 200) })
		b.Run(fmt.Sprintf("route=import/tokens=%v", asked), func(b *testing.B) {
			repeat(b, markr.address, typed+header+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(paper), paper), 200)
		})
	}
}
