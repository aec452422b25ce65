package dashboard_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"markr/httpapi/dashboard"
)

// Everything that a browser ever fetches of the page stays small: schools have slow
// lines.
func TestSize(t *testing.T) {
	t.Parallel()
	const most = 100 << 10
	total := 0
	err := fs.WalkDir(dashboard.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(dashboard.FS, name)
		if err != nil {
			return err
		}
		var packed bytes.Buffer
		w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
		if err != nil {
			return err
		}
		if _, err := w.Write(body); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		t.Logf("%-16s %6d bytes, %6d compressed", name, len(body), packed.Len())
		total += packed.Len()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if total == 0 || total > most {
		t.Errorf("%d bytes compressed in all, want at most %d", total, most)
	}
}

// No module writes HTML from text, and none evaluates any.
func TestModulesMakeNoHTML(t *testing.T) {
	t.Parallel()
	assets, err := dashboard.Assets()
	if err != nil {
		t.Fatal(err)
	}
	modules := 0
	for name := range assets {
		if !strings.HasSuffix(name, ".js") {
			continue
		}
		modules++
		body, err := fs.ReadFile(dashboard.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", "srcdoc", "http://www.example", "https://"} {
			if bytes.Contains(body, []byte(word)) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
	if modules < 10 {
		t.Errorf("%d modules", modules)
	}
}

// get reads JSON of the server.
func (h *house) get(t *testing.T, path string, to any) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := h.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode == http.StatusOK && to != nil {
		if err := json.Unmarshal(body, to); err != nil {
			t.Fatal(err)
		}
	}
	return response.StatusCode
}

// one is the page of a test.
func one(test string) string { return "/?test=" + url.QueryEscape(test) }

// filled waits for the whole of a test's page.
func (b *tab) filled(t *testing.T) {
	t.Helper()
	expressions := []string{
		`document.querySelector("#panel-quality table, #panel-quality .none") !== null`,
		`document.querySelector("#panel-imports tbody tr") !== null`,
	}
	if !slices.Contains(b.lacks, "/scores") {
		expressions = append(expressions,
			`document.querySelector("#panel-distribution.filled .bars rect") !== null`,
			`/^\d/.test(document.getElementById("tile-pass").textContent)`)
	}
	if !slices.Contains(b.lacks, "/items") {
		expressions = append(expressions,
			`document.querySelector("#panel-scatter .points path") !== null`,
			`document.querySelector("#panel-questions tbody th a") !== null`,
			`document.querySelector("#panel-question.filled .options polyline") !== null`)
	}
	for _, expression := range expressions {
		b.await(t, expression)
	}
}

// needs skips a test of what this server does not have.
func (b *tab) needs(t *testing.T, routes ...string) {
	t.Helper()
	for _, route := range routes {
		if slices.Contains(b.lacks, route) {
			t.Skipf("this server has no %s", route)
		}
	}
}

const countOfTile = `Number(document.getElementById("tile-count").textContent.replace(/\D/g, ""))`

// What is imported shows on an open page without anybody touching it.
func TestLive(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	day := examDay(t)
	h.scan(t, day, 0.62)
	b := openTab(t, h, 1280, 900, "light")
	b.needs(t, "/scores")
	b.run(t, chromedp.Navigate(h.url+one(day.Test)))
	b.filled(t)
	b.await(t, `document.getElementById("status-text").textContent === "Live"`)
	var before, after struct{ Count int }
	h.get(t, "/results/"+day.Test+"/aggregate", &before)
	b.await(t, fmt.Sprintf("%s === %d", countOfTile, before.Count))
	value[bool](t, b, `window.untouched = true`)
	bars := value[float64](t, b, `[...document.querySelectorAll("#panel-distribution .bars rect")].reduce((sum, bar) => sum + Number(/: (\d+) student/.exec(bar.textContent)[1]), 0)`)
	if int(bars) != before.Count {
		t.Errorf("the bars show %v students, want %d", bars, before.Count)
	}
	h.scan(t, day, 0.7)
	h.get(t, "/results/"+day.Test+"/aggregate", &after)
	if after.Count <= before.Count {
		t.Fatalf("%d students, then %d", before.Count, after.Count)
	}
	b.await(t, fmt.Sprintf("%s === %d", countOfTile, after.Count))
	b.await(t, fmt.Sprintf(`[...document.querySelectorAll("#panel-distribution .bars rect")].reduce((sum, bar) => sum + Number(/: (\d+) student/.exec(bar.textContent)[1]), 0) === %d`, after.Count))
	if !value[bool](t, b, `window.untouched === true`) {
		t.Error("the page was loaded anew")
	}
	// The list of tests does the same.
	b.run(t, chromedp.Navigate(h.url))
	row := fmt.Sprintf(`Number(document.querySelector('tr[data-test="%s"] [data-label="Students"]').textContent.replace(/\D/g, ""))`, day.Test)
	b.await(t, fmt.Sprintf("%s === %d", row, after.Count))
	h.scan(t, day, 0.78)
	h.get(t, "/results/"+day.Test+"/aggregate", &after)
	b.await(t, fmt.Sprintf("%s === %d", row, after.Count))
}

// Without the events the page asks, and is as fresh a little later.
func TestPolling(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	day := examDay(t)
	h.scan(t, day, 0.62)
	b := openTab(t, h, 1280, 900, "light")
	b.expect("/events")
	call(t, b, network.Enable, network.EnableParams{})
	call(t, b, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: "*://*/events*", Block: true}}})
	b.run(t, chromedp.Navigate(h.url+one(day.Test)))
	b.filled(t)
	h.scan(t, day, 0.7)
	var after struct{ Count int }
	h.get(t, "/results/"+day.Test+"/aggregate", &after)
	b.await(t, fmt.Sprintf("%s === %d", countOfTile, after.Count))
}

// The cut line moves by key, by pointer and by number; its address and what passes
// there follow.
func TestCutLine(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	day := examDay(t)
	h.scan(t, day, 0.7)
	b := openTab(t, h, 1280, 900, "dark")
	b.needs(t, "/scores")
	b.run(t, chromedp.Navigate(h.url+one(day.Test)+"&cut=50"))
	b.filled(t)
	const now = `Number(document.querySelector(".cut").getAttribute("aria-valuenow"))`
	stands := func(cut float64) {
		t.Helper()
		b.await(t, fmt.Sprintf("Math.abs(%s - %v) < 0.006", now, cut))
		var passes struct {
			Cuts []struct {
				Rate   float64
				Passed int
			}
		}
		h.get(t, fmt.Sprintf("/results/%s/passes?cut=%v", day.Test, cut), &passes)
		b.await(t, fmt.Sprintf(`document.getElementById("tile-pass").textContent === (%v).toFixed(1)`, passes.Cuts[0].Rate))
		b.await(t, fmt.Sprintf(`document.querySelector(".sentence").textContent.includes(": %d of ")`, passes.Cuts[0].Passed))
		b.await(t, fmt.Sprintf(`Math.abs(new URL(location).searchParams.get("cut") - %v) < 0.006`, cut))
		hollow := value[float64](t, b, `[...document.querySelectorAll(".bars rect.pass")].reduce((sum, bar) => sum + Number(/: (\d+) student/.exec(bar.textContent)[1]), 0)`)
		if int(hollow) != passes.Cuts[0].Passed {
			t.Errorf("cut %v: %v students in filled bars, want %d", cut, hollow, passes.Cuts[0].Passed)
		}
	}
	stands(50)
	value[bool](t, b, `(document.querySelector(".cut").focus(), true)`)
	b.run(t, chromedp.KeyEvent(kb.ArrowRight)) // A mark of 40 is 2.5 %.
	stands(52.5)
	b.run(t, chromedp.KeyEvent(kb.PageDown))
	stands(40)
	b.run(t, chromedp.KeyEvent(kb.End))
	stands(100)
	b.run(t, chromedp.KeyEvent(kb.Home))
	stands(0)
	// A person takes the handle and pulls it to where 75 % is.
	at := value[[]float64](t, b, `(() => {
		const bars = [...document.querySelectorAll("#panel-distribution .bars rect")].map((bar) => [Number(/, ([\d.]+) %/.exec(bar.textContent)[1]), bar.getBoundingClientRect()]);
		const handle = document.querySelector(".cut-handle").getBoundingClientRect();
		const [, goal] = bars.find(([percent]) => percent === 75);
		return [handle.x + handle.width / 2, handle.y + handle.height / 2, goal.x, handle.y + 40];
	})()`)
	b.run(t,
		chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, at[0], at[1], chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, (at[0]+at[2])/2, at[3], chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[2], at[3], chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, at[2], at[3], chromedp.ButtonLeft, chromedp.ClickCount(1)))
	stands(75)
	value[bool](t, b, `(() => { const field = document.getElementById("cut"); field.focus(); field.value = "61"; field.dispatchEvent(new Event("input", { bubbles: true })); return true; })()`)
	stands(61)
}

// A person finds a test, looks at a question, and comes back the way they went.
func TestNavigation(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	day := examDay(t)
	h.scan(t, day, 0.7)
	b := openTab(t, h, 1280, 900, "light")
	b.needs(t, "/scores", "/items")
	b.run(t, chromedp.Navigate(h.url))
	b.await(t, `document.querySelectorAll("table.tests tbody tr").length > 3`)
	b.run(t, chromedp.SendKeys(chromedp.CSS("#prefix"), day.Test[:4]))
	b.await(t, `document.querySelectorAll("table.tests tbody tr").length === 1`)
	b.run(t, chromedp.Click(chromedp.CSS("table.tests tbody th a")))
	b.await(t, `document.body.dataset.view === "one"`)
	b.filled(t)
	// The question with the wrong key is the one that is shown, unasked.
	b.await(t, fmt.Sprintf(`document.getElementById("question").textContent === "Question %s"`, day.Question))
	b.run(t, chromedp.Click(chromedp.CSS(`#panel-questions tbody tr[data-question="3"] a`)))
	b.await(t, `document.getElementById("question").textContent === "Question 3" && new URL(location).searchParams.get("question") === "3"`)
	b.run(t, chromedp.Click(chromedp.CSS(`#panel-scatter .points [data-key="5"]`)))
	b.await(t, `document.getElementById("question").textContent === "Question 5" && new URL(location).searchParams.get("question") === "5"`)
	b.back(t)
	b.await(t, `document.getElementById("question").textContent === "Question 3"`)
	b.back(t)
	b.await(t, fmt.Sprintf(`document.getElementById("question").textContent === "Question %s"`, day.Question))
	b.back(t)
	b.await(t, `document.body.dataset.view === "all"`)
	// A link to a question and a cut leads there at once.
	b.run(t, chromedp.Navigate(h.url+one(day.Test)+"&cut=65&question=11"))
	b.await(t, `document.getElementById("question").textContent === "Question 11"`)
	b.await(t, `document.querySelector(".cut").getAttribute("aria-valuenow") === "65.00"`)
}

// back goes back one step, whether that is a page or a place on one.
func (b *tab) back(t *testing.T) {
	t.Helper()
	value[bool](t, b, `(setTimeout(() => history.back()), true)`)
}

// The wrong key is found before half of its papers are in, and the page says which
// option behaves like the key.
func TestWrongKeyIsFound(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	day := examDay(t)
	all, posted := 0, 0
	for _, document := range day.All() {
		if document.Test == day.Test {
			all++
		}
	}
	for _, document := range day.All() {
		if document.Test == day.Test && posted < all*2/5 {
			h.post(t, document.Body)
			posted++
		}
	}
	b := openTab(t, h, 1280, 900, "light")
	b.needs(t, "/items")
	b.run(t, chromedp.Navigate(h.url+one(day.Test)))
	b.filled(t)
	first := value[string](t, b, `document.querySelector("#panel-questions tbody tr").dataset.question`)
	flags := value[string](t, b, `document.querySelector("#panel-questions tbody tr .flags").textContent`)
	if first != day.Question || !strings.Contains(flags, "wrong key?") {
		t.Errorf("question %s comes first, with %q; want %s with a wrong key", first, flags, day.Question)
	}
	b.await(t, fmt.Sprintf(`document.querySelector(".verdict").textContent.includes("Option %c behaves like the key")`, day.Best))
	names := value[string](t, b, `document.querySelector("#panel-scatter .names").textContent`)
	if !strings.Contains(names, day.Question+" wrong key?") {
		t.Errorf("the scatter names %q", names)
	}
	b.await(t, `document.querySelectorAll(".what-if tbody tr").length === 2`)
}

// Without a script the figures are there, and nothing that needs one.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	day := examDay(t)
	h.scan(t, day, 0.6)
	b := openTab(t, h, 1280, 900, "light")
	call(t, b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.run(t, chromedp.Navigate(h.url+one(day.Test)), chromedp.WaitVisible(chromedp.CSS(".aggregate table")), chromedp.WaitVisible(chromedp.CSS("noscript a")),
		chromedp.WaitNotVisible(chromedp.CSS(".board")))
	b.run(t, chromedp.Navigate(h.url), chromedp.WaitVisible(chromedp.CSS("table.tests tbody tr")))
}

// The page of a test that nobody has heard of says so, and becomes the test's own with
// the first paper.
func TestFirstPaper(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	day := examDay(t)
	b := openTab(t, h, 1280, 900, "light")
	b.needs(t, "/scores")
	b.expect("404") // The page itself, and what it asks for until there is something.
	b.run(t, chromedp.Navigate(h.url))
	b.await(t, `document.body.innerText.includes("No results yet")`)
	b.run(t, chromedp.Navigate(h.url+one(day.Documents[0].Test)))
	b.await(t, `document.body.innerText.includes("They appear here with the first paper")`)
	h.post(t, day.Documents[0].Body)
	b.await(t, `document.body.dataset.view === "one" && document.querySelector(".bars rect") !== null`)
}

// Without item analysis the page says so wherever it would be, and shows all else.
func TestWithoutItemAnalysis(t *testing.T) {
	t.Parallel()
	h := openHouseWith(t, false)
	day := examDay(t)
	h.scan(t, day, 0.7)
	b := openTab(t, h, 1280, 900, "light")
	b.expect("404") // The route's answer.
	b.run(t, chromedp.Navigate(h.url+one(day.Test)))
	for _, panel := range []string{"scatter", "questions", "question"} {
		b.await(t, fmt.Sprintf(`document.getElementById("panel-%s").innerText.includes("This server does not analyse questions.")`, panel))
	}
	b.await(t, `document.getElementById("tile-alpha").textContent === "–" && document.getElementById("note-alpha").textContent === "not told by this server"`)
	b.await(t, `document.querySelector(".bars rect") !== null && Number(document.getElementById("tile-count").textContent) > 0`)
	if shown := value[bool](t, b, `document.querySelectorAll("#panel-question table, #panel-questions table").length > 0`); shown {
		t.Error("there is a table of questions")
	}
	b.readable(t, "without item analysis")
}

// Ids are text of strangers: they are shown and run nothing.
func TestHostileIDs(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	const evil = `<img src=x onerror="window.hostile=1">`
	escaped := strings.NewReplacer("<", "&lt;", `"`, "&quot;", ">", "&gt;").Replace(evil)
	var body strings.Builder
	body.WriteString("<mcq-test-results>")
	for i := range 12 {
		fmt.Fprintf(&body, `<mcq-test-result><student-number>%d%s</student-number><test-id>%s</test-id>`, i, escaped, escaped)
		fmt.Fprintf(&body, `<answer question="%s" marks-available="1" marks-awarded="%d">%s</answer>`, escaped, i%2, escaped)
		fmt.Fprintf(&body, `<answer question="2" marks-available="1" marks-awarded="%d">&#x202E;B</answer>`, i/6)
		fmt.Fprintf(&body, `<summary-marks available="2" obtained="%d"/></mcq-test-result>`, i%2+i/6)
	}
	body.WriteString("</mcq-test-results>")
	if status := h.post(t, []byte(body.String())); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	b := openTab(t, h, 1280, 900, "light")
	for _, path := range []string{one(evil) + "&question=" + url.QueryEscape(evil), one(evil) + "&question=2&wall=1", "/", "/?wall=1", "/?prefix=" + url.QueryEscape(evil)} {
		b.run(t, chromedp.Navigate(h.url+path))
		b.await(t, `document.readyState === "complete" && document.body.innerText.includes("<img src=x onerror")`)
		if path == one(evil)+"&question="+url.QueryEscape(evil) {
			b.filled(t)
		}
		if value[bool](t, b, `window.hostile !== undefined || document.querySelector('img[src="x"]') !== null`) {
			t.Errorf("%s: an id has become an element", path)
		}
	}
}
