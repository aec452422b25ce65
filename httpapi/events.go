package httpapi

import (
	"strconv"

	"github.com/valyala/fasthttp"

	"markr/engine/exam"
	"markr/wal/entry"
)

// eventTestsMax is how many tests one stream may be about: more than a page shows.
const eventTestsMax = 20

// events answers GET /events with a stream that ends when the client goes, is too slow,
// has had it for streamMax, or the server stops.
func (s *Server) events(r *request) error {
	tests, err := r.testsOfInterest()
	if err != nil {
		return err
	}
	since := lastEvent(&r.ctx.Request.Header)
	r.ctx.SetContentType("text/event-stream")
	r.setHeader(fasthttp.HeaderCacheControl, "no-store")
	r.setHeader("X-Accel-Buffering", "no") // Some proxies would hold it back.
	if r.ctx.IsHead() {
		return nil
	}
	sub, err := s.feed.subscribe(tests, since)
	if err != nil {
		return err
	}
	if sub.conn = r.conn; r.conn != nil {
		r.conn.live = true
	}
	r.ctx.SetConnectionClose() // Nothing but the end of the stream follows.
	r.ctx.SetBodyStream(sub, -1)
	return nil
}

// testsOfInterest reads the test parameters, of which there may be several because an
// id may hold any separator.
func (r *request) testsOfInterest() ([]exam.TestID, error) {
	var tests []exam.TestID
	if !r.hasQuery() {
		return nil, nil
	}
	seen := make(map[exam.TestID]bool)
	for key, value := range r.ctx.QueryArgs().All() {
		id := exam.TestID(value)
		switch {
		case string(key) != "test":
			return nil, errParameter(string(key), "is not a parameter of this path; it has test, which may be repeated")
		case seen[id]:
			continue
		case len(tests) == eventTestsMax:
			return nil, errParameter("test", "is given more than "+strconv.Itoa(eventTestsMax)+" times")
		}
		seen[id] = true
		tests = append(tests, id)
	}
	return tests, nil
}

// lastEvent is the position of the last event that a client has had, 0 if it says none
// that can be one.
func lastEvent(header *fasthttp.RequestHeader) entry.Position {
	id, err := strconv.ParseUint(string(header.Peek("Last-Event-ID")), 10, 63)
	if err != nil {
		return 0
	}
	return entry.Position(id)
}
