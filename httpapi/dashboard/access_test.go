package dashboard_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Every view at every width: nothing on the console, nothing that runs out of the
// page, and a tree that a screen reader can read.
func TestViews(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	day := examDay(t)
	h.scan(t, day, 0.7)
	var refused struct {
		Imports []struct{ ID string }
	}
	h.get(t, "/imports?outcome=refused&limit=1", &refused)
	views := map[string]string{
		"one": one(day.Test), "all": "/", "wall": one(day.Test) + "&wall=1", "walls": "/?wall=1",
		"docs": "/docs", "statistics": "/docs/statistics", "desk": "/desk", "refused": "/desk/" + refused.Imports[0].ID,
	}
	for _, width := range []int64{360, 1280, 3840} {
		b := openTab(t, h, width, 900, map[bool]string{true: "light", false: "dark"}[width == 1280])
		for name, path := range views {
			if width != 1280 && (name == "statistics" || name == "refused" || name == "walls") {
				continue // They are made like others.
			}
			b.run(t, chromedp.Navigate(h.url+path))
			b.await(t, `document.readyState === "complete"`)
			if name == "one" {
				b.filled(t)
			}
			if name == "walls" && !slices.Contains(b.lacks, "/scores") {
				b.await(t, `document.querySelectorAll(".card .spark rect").length > 10`)
			}
			where := fmt.Sprintf("%s at %d", name, width)
			if over := value[float64](t, b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				wide := value[string](t, b, `[...document.querySelectorAll("main *, header *, footer *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, .wide, pre")).slice(0, 3).map((e) => e.outerHTML.slice(0, 80)).join("\n")`)
				t.Errorf("%s: the page is %v pixels wider than the screen: %s", where, over, wide)
			}
			if name == "one" && !slices.Contains(b.lacks, "/items") {
				b.await(t, `document.querySelectorAll(".what-if tbody tr").length === 2`)
				for _, cut := range value[[]string](t, b, `[...document.querySelectorAll("#panel-questions .scroll, #panel-question .scroll, .what-if")].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.getAttribute("aria-label") + " by " + (e.scrollWidth - e.clientWidth))`) {
					t.Errorf("%s: a table is cut off: %s", where, cut)
				}
			}
			b.readable(t, where)
		}
	}
}

// readable looks at the tree that screen readers are given, and at what a finger has to
// hit.
func (b *tab) readable(t *testing.T, where string) {
	t.Helper()
	tree := call(t, b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	named := []string{"link", "button", "textbox", "searchbox", "spinbutton", "combobox", "slider", "image", "img", "table", "region", "navigation"}
	roles := make(map[string]int)
	for _, node := range tree.Nodes {
		if node.Ignored {
			continue
		}
		role, name := text(node.Role), text(node.Name)
		roles[role]++
		if slices.Contains(named, role) && strings.TrimSpace(name) == "" {
			t.Errorf("%s: a %s without a name", where, role)
		}
	}
	if roles["main"] != 1 {
		t.Errorf("%s: %d main landmarks", where, roles["main"])
	}
	headings := value[[]float64](t, b, `[...document.querySelectorAll("h1, h2, h3, h4")].filter((e) => e.checkVisibility()).map((e) => Number(e.tagName[1]))`)
	if len(headings) == 0 || headings[0] != 1 && !slices.Contains(headings, 1) {
		t.Errorf("%s: headings %v", where, headings)
	}
	for _, twice := range value[[]string](t, b, `(() => { const seen = new Set(), twice = []; for (const e of document.querySelectorAll("[id]")) seen.has(e.id) ? twice.push(e.id) : seen.add(e.id); return twice; })()`) {
		t.Errorf("%s: the id %s is there twice", where, twice)
	}
	// Targets of 24 pixels (WCAG 2.5.8); links within sentences and tables are free of it.
	for _, small := range value[[]string](t, b, `[...document.querySelectorAll("button, input, select, summary, .button, [role=slider] .cut-handle")].filter((e) => e.checkVisibility() && (e.getBoundingClientRect().height < 23.5 || e.getBoundingClientRect().width < 23.5)).map((e) => e.outerHTML.slice(0, 90) + e.getBoundingClientRect().height)`) {
		t.Errorf("%s: a target of less than 24 pixels: %s", where, small)
	}
	// Each drawing that says something has a table in its section.
	for _, alone := range value[[]string](t, b, `[...document.querySelectorAll("section svg [role=img]")].filter((e) => e.checkVisibility() && !document.body.matches(".wall") && !e.closest("section").querySelector("table, details") && !/table of questions|table below/.test(e.closest("section").textContent)).map((e) => e.getAttribute("aria-label"))`) {
		t.Errorf("%s: a drawing without a table: %s", where, alone)
	}
}

// text is a value of the tree.
func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}

// The tab key reaches everything in the order in which it is read, and what has the
// focus shows it.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	day := examDay(t)
	h.scan(t, day, 0.7)
	b := openTab(t, h, 1280, 900, "light")
	b.needs(t, "/scores", "/items")
	b.run(t, chromedp.Navigate(h.url+one(day.Test)))
	b.filled(t)
	var reached []string
	for range 24 {
		b.run(t, chromedp.KeyEvent(kb.Tab))
		reached = append(reached, value[string](t, b, `(() => { const e = document.activeElement; return (e.getAttribute("role") ?? e.tagName.toLowerCase()) + ":" + (e.id || e.getAttribute("aria-label") || e.textContent.trim()).slice(0, 24); })()`))
		if hidden := value[string](t, b, `(() => { const e = document.activeElement, s = getComputedStyle(e.matches(".cut") ? e.querySelector(".cut-handle") : e); return s.outlineStyle === "none" && s.stroke === "none" ? e.outerHTML.slice(0, 100) : ""; })()`); hidden != "" {
			t.Errorf("the focus does not show on %s", hidden)
		}
	}
	order := strings.Join(reached, " ")
	for i, want := range []string{"a:Skip", "a:Markr", "button:print", "input:cut", "slider:Cut line", "summary:As a table", "region:Questions"} {
		at := strings.Index(order, want)
		if at < 0 {
			t.Fatalf("the tab key does not reach %q (%d): %s", want, i, order)
		}
		order = order[at:]
	}
	// What a screen reader says of the slider is a sentence.
	says := value[string](t, b, `document.querySelector("[role=slider]").getAttribute("aria-valuetext")`)
	if !regexp.MustCompile(`^At 50 % \(20 of 40 marks\): \d+ of \d+ students pass, [\d.]+ %\.`).MatchString(says) {
		t.Errorf("the slider says %q", says)
	}
}

// Printed on A4 the page has its figures, the questions and nothing that only a screen
// can do.
func TestPrint(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	day := examDay(t)
	h.scan(t, day, 0.7)
	b := openTab(t, h, 1280, 900, "dark")
	b.run(t, chromedp.Navigate(h.url+one(day.Test)))
	b.filled(t)
	pdf, err := chromedp.Run(b.context, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFOutlineAndTagged()))
	if err != nil {
		t.Fatal(err)
	}
	pages := len(regexp.MustCompile(`/Type\s*/Page[^s]`).FindAll(pdf, -1))
	if !strings.HasPrefix(string(pdf), "%PDF-") || pages < 2 || pages > 6 {
		t.Errorf("%d bytes, %d pages, want 2 to 6", len(pdf), pages)
	}
	if !regexp.MustCompile(`/MediaBox\s*\[0 0 59[45][.\d]* 84[12][.\d]*\]`).Match(pdf) {
		t.Error("the pages are not A4")
	}
}
