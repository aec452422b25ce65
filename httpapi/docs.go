package httpapi

import (
	"bytes"
	"fmt"
	"html/template"

	"markr/httpapi/apidoc"
	"markr/httpapi/dashboard"
)

// The documentation that comes with the program: the API as its own OpenAPI document
// has it, and what each number means. Both are rendered once.
const (
	docsPattern       = "/docs"
	statisticsPattern = docsPattern + "/statistics"
)

// docs answers GET /docs.
func (s *Server) docs(r *request) error { return r.fixedPage(&s.content.docs) }

// statistics answers GET /docs/statistics.
func (s *Server) statistics(r *request) error { return r.fixedPage(&s.content.statistics) }

// fixedPage answers with a page that is part of the program.
func (r *request) fixedPage(page *fixed) error {
	r.setHeader("Content-Security-Policy", plainPolicy)
	r.setHeader("Referrer-Policy", "no-referrer")
	return r.fixed(page, cacheResult)
}

// loadDocs renders the documentation.
func (c *content) loadDocs(functions template.FuncMap) error {
	api, err := apidoc.Read(openapiDocument)
	if err != nil {
		return err
	}
	pages, err := template.New(dashboard.Docs).Funcs(functions).ParseFS(dashboard.FS, dashboard.Docs, dashboard.Statistics)
	if err != nil {
		return fmt.Errorf("read template: %w", err)
	}
	for _, page := range []struct {
		name string
		view any
		to   *fixed
	}{{"docs", api, &c.docs}, {"statistics", nil, &c.statistics}} {
		var body bytes.Buffer
		if err := pages.ExecuteTemplate(&body, page.name, page.view); err != nil {
			return fmt.Errorf("render %s: %w", page.name, err)
		}
		if *page.to, err = newFixed(c.compressor, "text/html; charset=utf-8", body.Bytes()); err != nil {
			return fmt.Errorf("compress %s: %w", page.name, err)
		}
	}
	return nil
}
