package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"markr/engine"
	"markr/engine/intake"
	"markr/wal/entry"
)

// The desk is where an office looks at refused documents. What it shows comes from
// strangers: html/template escapes it, visible shows what would not be seen, and the
// policy lets nothing run but the one script of ours, which reads no document.
const (
	deskPattern     = "/desk"
	documentPattern = deskPattern + "/{id}"
	// deskPolicy is plainPolicy, and the script of the page.
	deskPolicy = plainPolicy + "; script-src 'self'"
)

// How much the desk shows at once.
const (
	deskImports = 50
	deskSources = 100 // to choose from
)

// deskView is the list of refused documents.
type deskView struct {
	Heading               string
	Unresolved, Kept      string
	Shows, Codes, Sources []choice
	Imports               []deskImport
	FirstHref, NextHref   string
	show, code, source    string
}

// choice is an option of a form.
type choice struct {
	Value, Text string
	Chosen      bool
}

// deskImport is a row of it.
type deskImport struct {
	Href, ResolvedHref string
	Received           pageTime
	Refusal, Code      string
	Size, Source       string
}

// desk answers GET /desk.
func (s *Server) desk(r *request) error {
	view := &deskView{}
	counts, err := s.engine.RefusedCounts(deskSources)
	if err != nil {
		return err
	}
	filter := view.choose(r, &counts)
	// A cursor that is not one shows the beginning, as on the page.
	cursor, _ := r.query("cursor")
	before, err := parseImportsCursor(cursor)
	if err != nil {
		before = 0
	}
	found, more, err := s.engine.Refused(before, filter, deskImports)
	if err != nil {
		return err
	}
	for i := range found {
		view.Imports = append(view.Imports, newDeskImport(&found[i]))
	}
	here := url.Values{"show": {view.show}}
	if view.code != "" {
		here.Set(paramCode, view.code)
	}
	if view.source != "" {
		here.Set(paramSource, view.source)
	}
	if before != 0 {
		view.FirstHref = deskPattern + "?" + here.Encode()
	}
	if more != 0 {
		here.Set("cursor", importsCursor(more))
		view.NextHref = deskPattern + "?" + here.Encode()
	}
	return r.deskPage("desk", plainPolicy, view)
}

// choose reads what is to be shown, and makes what can be chosen.
func (v *deskView) choose(r *request, counts *engine.RefusedCounts) (filter engine.RefusedFilter) {
	v.Unresolved, v.Kept = grouped(uint64(counts.Unresolved)), grouped(uint64(counts.Kept))
	v.show, _ = r.query("show")
	v.code, _ = r.query(paramCode)
	v.source, _ = r.query(paramSource)
	switch v.show {
	case "all":
		v.Heading = "All that are kept"
	case "resolved":
		v.Heading, filter.Resolved = "Resolved", new(true)
	default:
		v.show, v.Heading, filter.Resolved = "unresolved", "To be looked at", new(false)
	}
	for _, one := range [...][2]string{{"unresolved", "to be looked at"}, {"resolved", "resolved"}, {"all", "all"}} {
		v.Shows = append(v.Shows, choice{one[0], one[1], one[0] == v.show})
	}
	v.Codes = []choice{{Text: "any"}}
	for _, code := range intake.Codes() {
		v.Codes = append(v.Codes, choice{string(code), string(code), string(code) == v.code})
	}
	filter.Code = intake.Code(v.code)
	v.Sources = []choice{{Text: "anybody"}}
	if v.source != "" {
		filter.Source = &v.source
		v.Sources = append(v.Sources, choice{v.source, visible(v.source), true})
	}
	for _, one := range counts.BySource {
		if one.Name != "" && one.Name != v.source {
			v.Sources = append(v.Sources, choice{one.Name, visible(one.Name), false})
		}
	}
	return filter
}

func newDeskImport(found *engine.Import) deskImport {
	row := deskImport{
		Href: deskHref(found.ID), Received: newPageTime(found.Received),
		Size: humanBytes(found.Size), Source: visible(found.Source),
	}
	if found.Refusal != nil {
		row.Refusal, row.Code = visible(documentFault(found.Refusal)), string(found.Refusal.Code)
	}
	if found.ResolvedBy.Position != 0 {
		row.ResolvedHref = importHref(found.ResolvedBy.ID.String())
	}
	return row
}

func deskHref(id uuid.UUID) string { return deskPattern + "/" + id.String() }

// deskPage answers with a page of the desk.
func (r *request) deskPage(template, policy string, view any) error {
	var body bytes.Buffer
	if err := r.server.content.desk.ExecuteTemplate(&body, template, view); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	r.setHeader("Content-Security-Policy", policy)
	r.setHeader("Referrer-Policy", "no-referrer")
	return r.resource("text/html; charset=utf-8", body.Bytes())
}

// problemView is what a form is answered with that could not be done.
type problemView struct{ Title, Detail, Back string }

// formAnswers are the statuses that a form of the page is answered with as a page.
// Others, such as 401, are the same to everybody.
//
//nolint:gochecknoglobals // A table.
var formAnswers = map[int]bool{400: true, 409: true, 413: true, 415: true, 422: true, 503: true}

// answered is how the routes answer that a form of the desk goes to: as they would
// anybody or, to who prefers a page, with where to go on, or with a page that says why
// nothing was done.
func (r *request) answered(id uuid.UUID, err error) error {
	if !prefersHTML(r.headerList("Accept")) {
		return err
	}
	if err == nil {
		return r.seeOther(deskHref(id))
	}
	refusal, refused := errors.AsType[*engine.RefusedError](err)
	if refused && refusal.ImportID != id { // A correction that was refused, and is kept.
		return r.seeOther(deskHref(refusal.ImportID))
	}
	p := problemOf(err)
	status := kinds[p.code].status
	if !formAnswers[status] {
		return err
	}
	r.problem(err)
	view := problemView{Title: kinds[p.code].title, Detail: visible(p.detail), Back: deskPattern}
	if id != uuid.Nil {
		view.Back = deskHref(id)
	}
	if refused {
		view.Title = "Still refused: " + view.Title
	}
	var body bytes.Buffer
	if err := r.server.content.desk.ExecuteTemplate(&body, "problem", view); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	r.setHeader("Content-Security-Policy", plainPolicy)
	r.setHeader("Referrer-Policy", "no-referrer")
	return r.send(status, "text/html; charset=utf-8", body.Bytes())
}

// seeOther sends a browser on, so that reading the page again does nothing again.
func (r *request) seeOther(href string) error {
	r.ctx.Response.SwapBody(nil)
	r.ctx.Response.Header.SetContentType("")
	r.setHeader("Location", href)
	r.setHeader("Cache-Control", "no-store")
	return r.empty(fasthttp.StatusSeeOther)
}

// deskDocument answers GET /desk/{id}.
func (s *Server) deskDocument(r *request) error {
	found, err := s.findImport(r)
	if err != nil {
		return err
	}
	if found.Outcome != entry.Refused {
		return engine.ErrNotRefused
	}
	view, err := s.documentView(&found)
	if err != nil {
		return err
	}
	return r.deskPage("document", deskPolicy, view)
}
