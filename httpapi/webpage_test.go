package httpapi_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// webpage is a parsed page.
type webpage struct{ root *html.Node }

// page fetches and parses the page, and checks what is true of it in every state.
func (o office) page(t testing.TB, target string, status int) webpage {
	t.Helper()
	got := o.get(t, target, "Accept: text/html,application/xhtml+xml,*/*;q=0.8")
	if got.status != status {
		t.Fatalf("%s: %d, want %d", target, got.status, status)
	}
	policy := got.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'; ") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	root, err := html.Parse(strings.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	d := webpage{root}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		ours := n.FirstChild == nil && strings.HasPrefix(attribute(n, "src"), "/assets/") && strings.Contains(policy, "; script-src 'self'")
		if n.Data == "script" && !ours || n.Data == "style" || n.Data == "iframe" {
			t.Errorf("the page has a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has an attribute %s=%q", n.Data, a.Key, a.Val)
			}
			if (a.Key == "href" || a.Key == "src" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("<%s> leads to %q", n.Data, a.Val)
			}
		}
	}
	for _, landmark := range []string{"header", "main", "footer", "nav", "h1", "title"} {
		if len(d.all(landmark)) == 0 {
			t.Errorf("the page has no <%s>", landmark)
		}
	}
	if lang := attribute(d.all("html")[0], "lang"); lang != "en" {
		t.Errorf("language %q", lang)
	}
	for _, n := range slices.Concat(d.all("section"), d.all("table")) {
		name := d.byID(attribute(n, "aria-labelledby"))
		if n.Data == "table" && n.FirstChild != nil && n.FirstChild.Data == "caption" {
			name = n.FirstChild
		}
		if name == nil || text(name) == "" {
			t.Errorf("a <%s> without a name", n.Data)
		}
	}
	for _, n := range slices.Concat(d.all("input"), d.all("select"), d.all("textarea")) {
		if attribute(n, "type") != "hidden" && !slices.ContainsFunc(d.all("label"), func(l *html.Node) bool { return attribute(l, "for") == attribute(n, "id") }) {
			t.Error("an input without a label")
		}
	}
	for _, table := range d.all("table") {
		for row := range table.Descendants() {
			if row.Type == html.ElementNode && row.Data == "th" && attribute(row, "scope") == "" && attribute(row, "aria-hidden") == "" {
				t.Errorf("a header cell without scope: %s", text(row))
			}
		}
	}
	return d
}

func (d webpage) all(name string) []*html.Node {
	var found []*html.Node
	for n := range d.root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

func (d webpage) byID(id string) *html.Node {
	for n := range d.root.Descendants() {
		if n.Type == html.ElementNode && id != "" && attribute(n, "id") == id {
			return n
		}
	}
	return nil
}

// rows are the texts of the cells of the table with a class.
func (d webpage) rows(class string) [][]string {
	var rows [][]string
	for _, table := range d.all("table") {
		if attribute(table, "class") != class {
			continue
		}
		for n := range table.Descendants() {
			if n.Type != html.ElementNode || n.Data != "tr" {
				continue
			}
			var cells []string
			for cell := range n.ChildNodes() {
				if cell.Type == html.ElementNode && attribute(cell, "aria-hidden") == "" {
					cells = append(cells, mask(text(cell)))
				}
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

// link is where the link with a text leads, "" if there is none.
func (d webpage) link(label string) string {
	for _, a := range d.all("a") {
		if text(a) == label {
			return attribute(a, "href")
		}
	}
	return ""
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what a reader sees of a node.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
