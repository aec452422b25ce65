package httpapi

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/valyala/fasthttp"

	"markr/httpapi/dashboard"
)

// What the page may be kept for, and what it may do.
const (
	// The address of an asset has a fingerprint in it.
	cacheAsset = "public, max-age=31536000, immutable"
	// Nothing is loaded from elsewhere, nothing is run, nobody frames it.
	plainPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	// The page's own modules are run, and ask this server alone.
	pagePolicy = plainPolicy + "; script-src 'self'; connect-src 'self'"
)

// page answers GET /: a page for browsers, and for everybody else a few lines of
// text that name the routes.
func (s *Server) page(r *request) error {
	if !prefersHTML(r.headerList("Accept")) {
		return r.varyByAccept(r.resource("text/plain; charset=utf-8", append(r.newBody(), s.welcome()...)))
	}
	view, err := s.pageView(r)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	if err := s.content.page.Execute(&body, &view); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	r.setHeader("Content-Security-Policy", pagePolicy)
	r.setHeader("Referrer-Policy", "no-referrer")
	const contentType = "text/html; charset=utf-8"
	if view.Recovery != nil {
		r.setHeader("Cache-Control", "no-store")
		r.setHeader("Retry-After", "2")
		return r.send(fasthttp.StatusServiceUnavailable, contentType, body.Bytes())
	}
	if view.Missing != "" {
		r.setHeader("Cache-Control", "no-store")
		return r.varyByAccept(r.send(fasthttp.StatusNotFound, contentType, body.Bytes()))
	}
	return r.varyByAccept(r.resource(contentType, body.Bytes()))
}

// varyByAccept says that the answer depends on what the client accepts.
func (r *request) varyByAccept(err error) error {
	r.setHeader("Vary", "Accept, Accept-Encoding")
	return err
}

// welcome is the page for people at a terminal.
func (s *Server) welcome() string {
	return strings.TrimSpace("Markr "+s.version) + `: exam results, exact at any moment
POST /import                            hand in a scanner's document (text/xml+markr)
GET  /results/{test}/aggregate          mean, deviation, quartiles and count of a test
GET  /results, /imports, /imports/{id}  the tests; what arrived and what became of it
GET  /docs, /openapi.json               all of this in detail, health and metrics too
`
}

// prefersHTML says whether a client wants a page: it names HTML, and plain text
// not more so. A client that takes anything, as curl does, is at a terminal.
func prefersHTML(accept []byte) bool {
	html, text := 0, 0
	for element := range bytes.SplitSeq(accept, []byte(",")) {
		value, quality, ok := parseWeighted(element)
		if !ok {
			continue
		}
		switch strings.ToLower(string(value)) {
		case "text/html", "application/xhtml+xml":
			html = max(html, quality)
		case "text/plain":
			text = max(text, quality)
		}
	}
	return html > 0 && html >= text
}

// asset answers GET /assets/{version}/{name}.
func (s *Server) asset(r *request) error {
	asset, ok := s.content.assets[r.param("name")]
	if !ok || r.param("version") != s.content.assetsVersion {
		return errNoSuchRoute
	}
	return r.fixed(&asset, cacheAsset)
}

// loadDashboard reads the pages' files.
func (c *content) loadDashboard() error {
	named, err := dashboard.Assets()
	if err != nil {
		return fmt.Errorf("list assets: %w", err)
	}
	// One fingerprint stands for all of them, because modules name each other by
	// relative addresses.
	sum := xxhash.New()
	c.assets = make(map[string]fixed, len(named))
	for _, name := range slices.Sorted(maps.Keys(named)) {
		body, err := fs.ReadFile(dashboard.FS, name)
		if err != nil {
			return fmt.Errorf("read asset: %w", err)
		}
		if c.assets[name], err = newFixed(c.compressor, named[name], body); err != nil {
			return fmt.Errorf("compress asset %s: %w", name, err)
		}
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", name, len(body), body) // A hash takes everything.
	}
	c.assetsVersion = fmt.Sprintf("%016x", sum.Sum64())
	modules, err := dashboard.Modules()
	if err != nil {
		return fmt.Errorf("list modules: %w", err)
	}
	functions := template.FuncMap{
		"asset":   func(name string) string { return "/assets/" + c.assetsVersion + "/" + name },
		"modules": func() []string { return modules },
	}
	for _, t := range []struct {
		name string
		to   **template.Template
	}{{dashboard.Template, &c.page}, {dashboard.Desk, &c.desk}} {
		if *t.to, err = template.New(t.name).Funcs(functions).ParseFS(dashboard.FS, t.name); err != nil {
			return fmt.Errorf("read template: %w", err)
		}
	}
	return c.loadDocs(functions)
}
