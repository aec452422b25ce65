package httpapi_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/net/html"

	"markr/httpapi"
	"markr/httpapi/dashboard"
	"markr/wal"
	"markr/wal/entry"
)

var regexpStyle = regexp.MustCompile(`<link rel="stylesheet" href="(/assets/[0-9a-f]{16}/style\.css)">`)

func TestPrefersHTML(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"":                                  false,
		"*/*":                               false, // curl
		"text/html":                         true,
		"TEXT/HTML;q=0.1":                   true,
		"text/plain":                        false,
		"text/*":                            false,
		"application/json":                  false,
		"text/html;q=0":                     false,
		"text/plain, text/html":             true,
		"text/plain, text/html;q=0.9":       false,
		"text/plain;q=0.5, text/html;q=0.9": true,
		"application/xhtml+xml, */*":        true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8": true, // browsers
	} {
		if got := httpapi.PrefersHTML(accept); got != want {
			t.Errorf("Accept: %q: %t, want %t", accept, got, want)
		}
	}
}

func TestWelcomeIsFiveLines(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for _, accept := range []string{"*/*", "text/plain", "application/json"} {
		got := o.get(t, "/", "Accept: "+accept)
		lines := strings.Split(strings.TrimSuffix(got.body, "\n"), "\n")
		if got.status != http.StatusOK || len(lines) != 5 || got.header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("Accept: %s: %d %v\n%s", accept, got.status, got.header, got.body)
		}
		for _, line := range lines {
			if len(line) > 100 {
				t.Errorf("a line of %d characters: %s", len(line), line)
			}
		}
		for _, name := range []string{"Markr test: ", "/import ", "/results/{test}/aggregate", "/results,", "/imports,", "/openapi.json"} {
			if !strings.Contains(got.body, name) {
				t.Errorf("it does not say %q:\n%s", name, got.body)
			}
		}
		if vary := got.header.Get("Vary"); vary != "Accept, Accept-Encoding" {
			t.Errorf("Vary: %s", vary)
		}
	}
}

func TestPageOfNothing(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	d := o.page(t, "/", http.StatusOK)
	commands := d.all("code")
	if len(commands) != 1 {
		t.Fatalf("%d commands to try", len(commands))
	}
	want := "curl -H 'Content-Type: text/xml+markr' --data-binary @results.xml " + "http://" + o.address + "/import"
	if got := text(commands[0]); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if len(d.all("table")) > 0 {
		t.Error("an empty table")
	}
	// A host that a shell would see more in is not shown.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+o.address+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "x$(id)'.example"
	request.Header.Set("Accept", "text/html")
	if response, err := o.client.Do(request); err == nil {
		defer response.Body.Close()
		root, err := html.Parse(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if page := text(root); strings.Contains(page, "$(id)") {
			t.Error("the page repeats a host that is none")
		}
	}
	// Refused documents alone are shown too.
	if got := o.post(t, "<x/>"); got.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if d := o.page(t, "/", http.StatusOK); len(d.rows("imports")) != 2 || len(d.all("code")) != 1 {
		t.Error("a refused document is not shown beside the command to try")
	}
}

func TestPageShowsTestsAndImports(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	arrivals(t, o)
	o.accept(t, scanned(scan{"many", "1", "1", "3"}, scan{"a", "1", "2", "3"}, scan{"b", "1", "2", "3"}, scan{"c", "1", "2", "3"}, scan{"many", "2", "2", "3"}))
	d := o.page(t, "/", http.StatusOK)
	tests := d.rows("tests")
	if want := []string{"Test", "Students", "Mean", "SD", "Min", "P25", "Median", "P75", "Max", "Last import"}; !slices.Equal(tests[0], want) {
		t.Errorf("columns %q", tests[0])
	}
	const at = "TIME"
	if want := []string{"1234", "1", "65.0", "0.0", "65.0", "65.0", "65.0", "65.0", "65.0", at}; !slices.Equal(tests[1], want) {
		t.Errorf("row %q, want %q", tests[1], want)
	}
	if want := []string{"many", "2", "50.0", "16.7", "33.3", "41.7", "50.0", "58.3", "66.7", at}; !slices.Equal(tests[5], want) {
		t.Errorf("row %q, want %q", tests[5], want)
	}
	if len(d.all("svg")) != 5 {
		t.Errorf("%d spreads", len(d.all("svg")))
	}
	imports := d.rows("imports")
	size := regexp.MustCompile(`\|[0-9.]+ k?B\|`)
	for i, want := range []string{
		"Received UTC|Outcome|Tests|Records|Size|From|Document",
		at + "|accepted|many, a, b and 1 more|5|SIZE|127.0.0.1|Download",
		at + "|duplicate|1234|1|SIZE|127.0.0.1|Download",
		at + "|refused|" + imports[3][2] + "|SIZE|127.0.0.1|Download",
		at + "|accepted|1234|1|SIZE|127.0.0.1|Download",
	} {
		if got := size.ReplaceAllString(strings.Join(imports[i], "|"), "|SIZE|"); got != want {
			t.Errorf("row %d: %q, want %q", i, got, want)
		}
	}
	if reason := imports[3][2]; !strings.HasPrefix(reason, "Record 2 (line ") || !strings.Contains(reason, `summary-marks/obtained "21"`) {
		t.Errorf("the reason of a refusal: %q", reason)
	}
	// Every link of the page leads somewhere.
	for _, a := range d.all("a") {
		if href := attribute(a, "href"); strings.HasPrefix(href, "/") {
			if got := o.get(t, href); got.status != http.StatusOK {
				t.Errorf("%s leads to %s: %d", text(a), href, got.status)
			}
		}
	}
}

// A test has a page of its own, which shows its figures without any script, and one
// before it has results, too.
func TestPageOfOneTest(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for _, id := range []string{"1234", "a/b?c=d&e", `"><script>alert(1)</script>`, "物理 🎓", "..%2f"} {
		target := "/?test=" + url.QueryEscape(id)
		missing := o.page(t, target, http.StatusNotFound)
		if said := text(missing.root); !strings.Contains(said, "No results of “"+id+"” yet") {
			t.Errorf("%q: the page says: %s", id, said)
		}
		if link := missing.link("Refused documents"); link != "/desk" {
			t.Errorf("%q: no way to the refused documents", id)
		}
		o.accept(t, scanned(scan{id, "1", "1", "3"}, scan{id, "2", "2", "3"}))
		d := o.page(t, target+"&cut=50&question=7", http.StatusOK)
		if rows := d.rows("tests"); len(rows) != 2 || !slices.Equal(rows[1], []string{"2", "50.0", "16.7", "33.3", "41.7", "50.0", "58.3", "66.7"}) {
			t.Errorf("%q: rows %q", id, rows)
		}
		if got := text(d.all("h1")[0]); got != id {
			t.Errorf("%q: heading %q", id, got)
		}
		if got := attribute(d.all("body")[0], "data-test"); got != id {
			t.Errorf("%q: the script is told of %q", id, got)
		}
		for name, want := range map[string]string{"tile-count": "2", "tile-mean": "50.0", "tile-p50": "50.0", "tile-stddev": "16.7"} {
			if got := text(d.byID(name)); got != want {
				t.Errorf("%q: %s is %q, want %q", id, name, got, want)
			}
		}
		if wall := d.link("Wall"); !strings.HasPrefix(wall, "/?test=") || !strings.HasSuffix(wall, "&wall=1") {
			t.Errorf("%q: the wall is at %q", id, wall)
		}
		if back := o.page(t, target+"&wall=1", http.StatusOK).link("Leave the wall"); back != target {
			t.Errorf("%q: back from the wall is %q, want %q", id, back, target)
		}
	}
}

// The documentation names every route and every code, and every link within it and to
// other pages leads somewhere.
func TestDocs(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	d := o.page(t, "/docs", http.StatusOK)
	said := text(d.root)
	for _, r := range httpapi.Routes() {
		if !strings.Contains(said, r.Method+" "+r.Pattern) {
			t.Errorf("the page lacks %s %s", r.Method, r.Pattern)
		}
	}
	for code := range httpapi.Codes() {
		if !strings.Contains(said, code) {
			t.Errorf("the page lacks %s", code)
		}
	}
	statistics := o.page(t, "/docs/statistics", http.StatusOK)
	for _, name := range []string{"psych", "Moodle", "Canvas", "percentile_cont", "type 7", "27 %", "Cronbach"} {
		if !strings.Contains(strings.ToLower(text(statistics.root)), strings.ToLower(name)) {
			t.Errorf("the page of statistics does not speak of %s", name)
		}
	}
	visited := make(map[string]bool)
	for _, page := range []webpage{d, statistics} {
		for _, a := range page.all("a") {
			href := attribute(a, "href")
			if id, within := strings.CutPrefix(href, "#"); within {
				if page.byID(id) == nil {
					t.Errorf("%s leads nowhere", href)
				}
				continue
			}
			if visited[href] {
				continue
			}
			visited[href] = true
			if got := o.get(t, href, "Accept: text/html"); got.status != http.StatusOK {
				t.Errorf("%s: %d", href, got.status)
			}
		}
	}
}

func TestPageEscapes(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ids := []string{"<script>alert(1)</script>", `" onmouseover="alert(1)`, "'", "a/b", "a?b=c&d", "%3Cb%3E", "javascript:alert(1)", "物理 🎓", "{{.}}", "..%2f"}
	for _, id := range ids {
		o.accept(t, scanned(scan{id, "1", "1", "2"}))
	}
	d := o.page(t, "/", http.StatusOK)
	for _, id := range ids {
		href := d.link(id)
		if href == "" {
			t.Errorf("the page does not show %q", id)
			continue
		}
		if got := o.get(t, href); got.status != http.StatusOK {
			t.Errorf("%q leads to %s: %d %s", id, href, got.status, got.body)
		}
		search := o.page(t, "/?prefix="+escapeSegment(id), http.StatusOK)
		if rows := search.rows("tests"); len(rows) != 2 || rows[1][0] != strings.Join(strings.Fields(id), " ") {
			t.Errorf("search for %q: %q", id, rows)
		}
		if value := attribute(search.byID("prefix"), "value"); value != id {
			t.Errorf("the search field shows %q for %q", value, id)
		}
	}
	none := o.page(t, "/?prefix=%3Cb%3Enone", http.StatusOK)
	if rows := none.rows("tests"); len(rows) != 0 || !strings.Contains(text(none.root), "No test id begins with “<b>none”.") {
		t.Errorf("a search without a find: %q", text(none.root))
	}
}

func TestPagePages(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	var scans []scan
	for i := range 120 {
		scans = append(scans, scan{fmt.Sprintf("p/%03d", i), "1", "1", "2"})
	}
	o.accept(t, scanned(append(scans, scan{"q", "1", "1", "2"})...))
	var seen []string
	target := "/?prefix=p%2F"
	for pages := 0; target != ""; pages++ {
		d := o.page(t, target, http.StatusOK)
		for _, row := range d.rows("tests")[1:] {
			seen = append(seen, row[0])
		}
		if first := d.link("First page"); (first != "") != (pages > 0) {
			t.Errorf("page %d: first page at %q", pages, first)
		}
		target = d.link("Next page")
	}
	if len(seen) != 120 || !slices.IsSorted(seen) {
		t.Errorf("%d tests on the pages: %q", len(seen), seen)
	}
	if d := o.page(t, "/?cursor=nonsense", http.StatusOK); len(d.rows("tests")) != 51 {
		t.Error("a bad cursor does not show the beginning")
	}
}

// gatedVault is a vault whose replay waits for a gate, and may fail then.
type gatedVault struct {
	vault

	gate chan error
}

// Replay waits, and then replays.
func (g gatedVault) Replay(ctx context.Context, from entry.Position, fn func(*entry.Entry) error) error {
	select {
	case err := <-g.gate:
		if err != nil {
			return err
		}
		return g.vault.Replay(ctx, from, fn)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// openGated starts an office on a file system, whose replay waits.
func openGated(t testing.TB, fs vfs.FS) (office, gatedVault) {
	t.Helper()
	opened, err := wal.Open(wal.Options{Dir: "data", FS: fs, FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	gated := gatedVault{vault: opened, gate: make(chan error, 1)}
	return office{newBorderOn(t, gated, nil)}, gated
}

func TestReadsBeforeReady(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	t.Run("first life", func(t *testing.T) {
		o, gated := openGated(t, fs)
		gated.gate <- nil
		if err := o.engine.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.accept(t, scanned(scan{"1", "1", "1", "2"}))
	})
	o, gated := openGated(t, fs)
	const id = "01890000-0000-7000-8000-000000000000"
	for _, target := range []string{"/results", "/results/1/aggregate", "/imports", "/imports/" + id, "/imports/" + id + "/document"} {
		if got := o.get(t, target); got.status != http.StatusServiceUnavailable || got.code(t) != "unavailable" || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v %s", target, got.status, got.header, got.body)
		}
	}
	d := o.page(t, "/", http.StatusServiceUnavailable)
	progress := d.all("progress")
	if len(progress) != 1 || attribute(progress[0], "max") != "1" || attribute(progress[0], "value") != "0" {
		t.Errorf("progress %v", progress)
	}
	if got := o.get(t, "/"); got.status != http.StatusOK {
		t.Errorf("text: %d", got.status)
	}
	gated.gate <- nil
	if err := o.engine.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.accept(t, scanned(scan{"1", "2", "1", "2"}))
	if rows := o.page(t, "/", http.StatusOK).rows("tests"); rows[1][1] != "2" {
		t.Errorf("after recovery: %q", rows)
	}
}

func TestPageOfAFailedRecovery(t *testing.T) {
	t.Parallel()
	o, gated := openGated(t, vfs.NewMem())
	gated.gate <- &entry.DamagedError{Position: 3, What: "secret detail"}
	if err := o.engine.WaitReady(t.Context()); err == nil {
		t.Fatal("the engine is ready")
	}
	d := o.page(t, "/", http.StatusServiceUnavailable)
	if page := text(d.root); !strings.Contains(page, "The log could not be read") || strings.Contains(page, "secret detail") {
		t.Errorf("the page says: %s", page)
	}
	if got := o.get(t, "/results"); got.status != http.StatusServiceUnavailable {
		t.Errorf("results: %d %s", got.status, got.body)
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	page := o.get(t, "/", "Accept: text/html")
	href := regexpStyle.FindStringSubmatch(page.body)
	if href == nil {
		t.Fatal("the page names no stylesheet")
	}
	want, err := dashboard.FS.ReadFile(dashboard.Stylesheet)
	if err != nil {
		t.Fatal(err)
	}
	got := o.get(t, href[1], "Accept-Encoding: zstd")
	if got.plain(t) != string(want) || got.header.Get("Content-Encoding") != "zstd" {
		t.Errorf("%s: %d %v", href[1], got.status, got.header)
	}
	if cache := got.header.Get("Cache-Control"); cache != "public, max-age=31536000, immutable" {
		t.Errorf("kept for %q", cache)
	}
	// Each module is there under the address that the page preloads it from.
	modules := regexp.MustCompile(`<link rel="modulepreload" href="([^"]+)">`).FindAllStringSubmatch(page.body, -1)
	if len(modules) < 5 {
		t.Errorf("the page preloads %d modules", len(modules))
	}
	for _, module := range modules {
		if got := o.get(t, module[1]); got.status != http.StatusOK || got.header.Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("%s: %d %v", module[1], got.status, got.header)
		}
	}
	version := strings.TrimSuffix(href[1], "style.css")
	for _, name := range []string{"style.css", "0000000000000000/style.css", version[len("/assets/"):] + "page.html", version[len("/assets/"):] + "dashboard.go", "%2e%2e%2fpage.go"} {
		if got := o.get(t, "/assets/"+name); got.status != http.StatusNotFound {
			t.Errorf("/assets/%s: %d", name, got.status)
		}
	}
}

// The colours of the stylesheet keep the contrast that WCAG 2.2 AA asks for, in
// both schemes: 4.5 for text, 3 for what draws a number or an edge of a control.
func TestContrast(t *testing.T) {
	t.Parallel()
	style, err := dashboard.FS.ReadFile(dashboard.Stylesheet)
	if err != nil {
		t.Fatal(err)
	}
	light, rest, found := strings.Cut(string(style), "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("the stylesheet has no dark scheme")
	}
	dark, _, _ := strings.Cut(rest, "@media")
	for scheme, block := range map[string]string{"light": light, "dark": dark} {
		tokens := make(map[string]string)
		for _, m := range regexp.MustCompile(`--([a-z]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(block, -1) {
			tokens[m[1]] = m[2]
		}
		for _, pair := range []struct {
			ink, ground string
			least       float64
		}{
			{"ink", "page", 4.5},
			{"ink", "sheet", 4.5},
			{"ink", "hover", 4.5},
			{"quiet", "page", 4.5},
			{"quiet", "sheet", 4.5},
			{"quiet", "hover", 4.5},
			{"link", "page", 4.5},
			{"link", "sheet", 4.5},
			{"link", "hover", 4.5},
			{"good", "sheet", 4.5},
			{"good", "hover", 4.5},
			{"bad", "sheet", 4.5},
			{"bad", "hover", 4.5},
			{"range", "sheet", 3},
			{"range", "page", 3},
			{"median", "sheet", 3},
			{"median", "box", 3},
			{"bar", "sheet", 3},
			{"range", "hover", 3},
			{"bad", "page", 4.5},
			{"sheet", "ink", 4.5}, // the cut line's label
		} {
			if got := contrast(t, tokens[pair.ink], tokens[pair.ground]); got < pair.least {
				t.Errorf("%s: --%s on --%s has a contrast of %.2f, less than %v", scheme, pair.ink, pair.ground, got, pair.least)
			}
		}
	}
}

func contrast(t testing.TB, a, b string) float64 {
	t.Helper()
	lighter, darker := luminance(t, a), luminance(t, b)
	if lighter < darker {
		lighter, darker = darker, lighter
	}
	return (lighter + 0.05) / (darker + 0.05)
}

// luminance is the relative luminance of a colour, as WCAG defines it.
func luminance(t testing.TB, colour string) float64 {
	t.Helper()
	if len(colour) != 7 {
		t.Fatalf("%q is no colour", colour)
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		channel, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		value := float64(channel) / 255
		if value <= 0.04045 {
			value /= 12.92
		} else {
			value = math.Pow((value+0.055)/1.055, 2.4)
		}
		sum += weight * value
	}
	return sum
}
