package httpapi

import (
	"net/url"
	"strconv"
	"time"

	"markr/engine"
	"markr/engine/exam"
	"markr/wal/entry"
)

// How much the page shows at once.
const (
	pageTests   = 50
	pageImports = 12
	pageTestIDs = 3 // of one import
)

// pageView is what the page shows. Exactly one of Recovery, Results, Test and Missing
// is set.
type pageView struct {
	Version  string
	Prefix   string
	TestID   exam.TestID // the one that is asked for; empty: all
	Wall     bool        // for a screen that people walk by
	WallHref string      // to the wall, or from it
	Now      pageTime
	Status   pageStatus
	Recovery *pageRecovery
	Results  *pageResults
	Test     *pageOne
	Missing  exam.TestID // there is nothing of this test yet
}

// View is what the page's script has to do.
func (v *pageView) View() string {
	switch {
	case v.Results != nil:
		return "all"
	case v.Test != nil:
		return "one"
	case v.Missing != "":
		return "missing"
	}
	return "wait"
}

// pageOne is one test. The rest of its page is drawn by the script, from the API.
type pageOne struct {
	Row   pageTest
	Route string // of what the API has about it
}

// pageStatus says in a few words whether the server does its work. Class is one
// of good, wait, bad.
type pageStatus struct{ Class, Text string }

// pageRecovery is shown until the engine is ready.
type pageRecovery struct {
	Failed                 bool
	Position, Last         entry.Position
	PositionText, LastText string
}

type pageResults struct {
	Empty                                  bool
	Origin                                 string // where this server is, for the command to try
	TestsText, StudentsText, DocumentsText string
	Prefix                                 string
	Tests                                  []pageTest
	FirstHref, NextHref                    string
	Imports                                []pageImport
	MoreImports                            bool
}

// Query parameters of the page. It has others, which only its script reads: cut,
// question.
const (
	paramTest = "test"
	paramWall = "wall"
)

// testHref is where a person looks at a test.
func testHref(id exam.TestID) string { return "/?" + url.Values{paramTest: {string(id)}}.Encode() }

// wallHref is the same for a wall, or back.
func wallHref(id exam.TestID, wall bool) string {
	query := url.Values{}
	if id != "" {
		query.Set(paramTest, string(id))
	}
	if wall {
		query.Set(paramWall, "1")
	}
	if len(query) == 0 {
		return "/"
	}
	return "/?" + query.Encode()
}

// pageTime is a time for programs and for people, in UTC.
type pageTime struct{ Machine, Human, Short string }

func newPageTime(t time.Time) pageTime {
	return pageTime{
		Machine: t.UTC().Format(timestampLayout),
		Human:   t.UTC().Format("2 Jan 2006, 15:04:05"),
		Short:   t.UTC().Format("2 Jan, 15:04"),
	}
}

// pageView gathers what the page shows: one state, and the latest imports.
func (s *Server) pageView(r *request) (pageView, error) {
	view := pageView{Version: s.version, Now: newPageTime(s.now()), Status: s.pageStatus()}
	test, _ := r.query(paramTest)
	view.TestID = exam.TestID(test)
	_, view.Wall = r.query(paramWall)
	view.WallHref = wallHref(view.TestID, !view.Wall)
	state := s.engine.State()
	if state == nil {
		progress := s.engine.Progress()
		view.Recovery = &pageRecovery{
			Failed: progress.Err != nil, Position: progress.Position, Last: progress.Last,
			PositionText: grouped(uint64(progress.Position)), LastText: grouped(uint64(progress.Last)),
		}
		return view, nil
	}
	if test != "" {
		found := state.Test(view.TestID)
		if found == nil {
			view.Missing = view.TestID
			return view, nil
		}
		row := newPageTest(found)
		view.Test = &pageOne{Row: row, Route: "/results/" + url.PathEscape(test)}
		return view, nil
	}
	view.Prefix, _ = r.query("prefix")
	results := &pageResults{
		Origin:        origin(r),
		TestsText:     grouped(uint64(state.Tests())),
		StudentsText:  grouped(uint64(state.Students())),
		DocumentsText: grouped(state.Documents()),
		Prefix:        view.Prefix,
		Empty:         state.Tests() == 0,
	}
	// A cursor that is not one shows the beginning: a person who edits an address
	// wants the page and not a lecture.
	cursor, _ := r.query("cursor")
	after, err := parseTestsCursor(cursor)
	if err != nil {
		after = ""
	}
	results.list(state, after)
	found, err := s.engine.Imports(0, 0, pageImports+1)
	if err != nil {
		return pageView{}, err
	}
	results.MoreImports = len(found) > pageImports
	for i := range found[:min(len(found), pageImports)] {
		results.Imports = append(results.Imports, newPageImport(&found[i]))
	}
	view.Results = results
	return view, nil
}

func (p *pageResults) list(state *engine.State, after exam.TestID) {
	tests := state.List(exam.TestID(p.Prefix), after, pageTests+1)
	for _, test := range tests[:min(len(tests), pageTests)] {
		p.Tests = append(p.Tests, newPageTest(test))
	}
	here := url.Values{}
	if p.Prefix != "" {
		here.Set("prefix", p.Prefix)
	}
	if after != "" {
		p.FirstHref = "/?" + here.Encode()
	}
	if len(tests) > pageTests {
		here.Set("cursor", testsCursor(tests[pageTests-1].ID))
		p.NextHref = "/?" + here.Encode()
	}
}

func (s *Server) pageStatus() pageStatus {
	progress := s.engine.Progress()
	switch writable := s.engine.Writable(); {
	case progress.Err != nil:
		return pageStatus{"bad", "Stopped: the log could not be read"}
	case !progress.Ready:
		return pageStatus{"wait", "Starting"}
	case s.draining.Load():
		return pageStatus{"wait", "Stopping: no documents are taken any more"}
	case writable != nil:
		return pageStatus{"bad", "Reading only: " + problemOf(writable).detail}
	default:
		return pageStatus{"good", "Ready"}
	}
}

// origin is the address under which the client knows this server. It comes from
// the request, so it is used only if it looks like one and no shell would see
// more in it.
func origin(r *request) string {
	host := r.ctx.Request.Header.Host()
	for _, b := range host {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		case b == '.', b == '-', b == ':', b == '[', b == ']':
		default:
			return "http://127.0.0.1:4567"
		}
	}
	scheme := "http://"
	if r.ctx.IsTLS() {
		scheme = "https://"
	}
	return scheme + string(host)
}

// grouped writes a number in groups of three digits, with narrow spaces that do
// not break.
func grouped(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}
