package httpapi

import (
	"context"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"markr/engine/exam"
	"markr/wal/entry"
)

// What the tests of the border look at from the inside.

// ProblemOf is the status and the code that an error is answered with.
func ProblemOf(err error) (status int, name string) {
	p := problemOf(err)
	return kinds[p.code].status, string(p.code)
}

// Statuses lists the statuses that have a series of their own.
func Statuses() []int { return statuses[:] }

// TurnedAwayCodes lists the codes that documents refused by the border are
// counted under.
func TurnedAwayCodes() []string {
	var names []string
	for _, c := range unreadCodes {
		names = append(names, string(c))
	}
	return names
}

// Route is a line of the route table.
type Route struct{ Method, Pattern string }

// PublicRoutes and OperatorRoutes are the route tables of the two listeners.
func PublicRoutes(opsElsewhere bool) []Route { return exportRoutes(publicRoutes(opsElsewhere)) }

// Routes is the whole route table.
func Routes() []Route { return exportRoutes(routeTable()) }

// OperatorRoutes is the route table of the operators' listener.
func OperatorRoutes() []Route { return exportRoutes(operatorRoutes()) }

// ControlRoutes is the route table of the control socket.
func ControlRoutes() []Route { return exportRoutes(controlRoutes()) }

func exportRoutes(table []route) []Route {
	var exported []Route
	for _, r := range table {
		exported = append(exported, Route{r.method, r.pattern})
	}
	return exported
}

// SetPanic makes GET /livez panic with a value.
func (s *Server) SetPanic(value any) {
	for _, l := range []*listening{&s.public, &s.operators, &s.control} {
		for _, paths := range l.routes.byLength {
			for _, p := range paths {
				if p.routes[0].pattern == "/livez" {
					p.routes[0].handle = func(*Server, *request) error { panic(value) }
				}
			}
		}
	}
}

// Poison overwrites everything that was lent out of a request as soon as its handler
// has returned, and every buffer of a body as soon as it is given back: whoever has
// kept a slice instead of a copy finds poison in it, and not, with luck, what it was.
// It is for connections to come.
func (s *Server) Poison() {
	spoil := func(b []byte) {
		for i := range b {
			b[i] = '!'
		}
	}
	s.buffers.released = spoil
	handle := s.public.core.Handler
	s.public.core.Handler = func(ctx *fasthttp.RequestCtx) {
		handle(ctx)
		header := &ctx.Request.Header
		for _, value := range header.All() {
			spoil(value)
		}
		for name, value := range ctx.QueryArgs().All() {
			spoil(name)
			spoil(value)
		}
		for _, lent := range [][]byte{header.RequestURI(), header.RawHeaders(), ctx.Path(), ctx.URI().PathOriginal()} {
			spoil(lent)
		}
	}
}

// ServeConn serves one connection, past the listener.
func (s *Server) ServeConn(c net.Conn) error { return s.public.core.ServeConn(c) }

// DecodeSegment decodes a segment of a path.
func DecodeSegment(segment string) (string, error) {
	value, err := decodeSegment([]byte(segment))
	return string(value), err
}

// HeldBytes is what the budget has given out.
func (s *Server) HeldBytes() int64 { return s.budget.used.Load() }

// TakeBudget takes bytes from the budget and returns how to give them back.
func (s *Server) TakeBudget(n int64) (giveBack func()) {
	if !s.budget.take(n) {
		return nil
	}
	return func() { s.budget.give(n) }
}

// TakePlaces takes all places of imports and returns how to give them back.
func (s *Server) TakePlaces() (giveBack func()) {
	for range s.limits.ImportsInFlightMax {
		s.places.enter(0)
	}
	return func() {
		for range s.limits.ImportsInFlightMax {
			s.places.leave(s.places.lightest)
		}
	}
}

// WaitingImports is how many imports wait for a place.
func (s *Server) WaitingImports() int64 { return s.places.waiting.Load() }

// ZstdBytesHeld is what a zstd body takes from the budget beside its bytes.
const ZstdBytesHeld = zstdBytesHeld

// ValidRequestID says whether a client's request id is taken over.
func ValidRequestID(id string) bool { return validRequestID([]byte(id)) }

// SizeFor is the size of the buffer after one of size bytes.
func SizeFor(size, declared, limit int64) int64 { return sizeFor(size, declared, limit) }

// NewBudget is a budget of so many bytes: how to take, and how to give back.
func NewBudget(most int64) (take func(int64) bool, give func(int64)) {
	b := &budget{max: most}
	return b.take, b.give
}

// What the tests of reads look at from the inside.

// ChooseCoding is the name of the coding that an Accept-Encoding header gets for a
// body of size bytes; ok is false when it allows none.
func ChooseCoding(header string, size int) (name string, ok bool) {
	chosen, ok := parseAcceptEncoding([]byte(header)).choose(size)
	return chosen.String(), ok
}

// CompressBytesMin is the shortest body that is compressed.
const CompressBytesMin = compressBytesMin

// MatchesETag compares an If-None-Match header with a tag.
func MatchesETag(ifNoneMatch, tag string) bool {
	return matchesETag([]byte(ifNoneMatch), []byte(tag))
}

// ETag is the entity tag of a body.
func ETag(body string) string { return string(appendETag(nil, []byte(body))) }

// AppendPercentage renders a number of percent.
func AppendPercentage(dst []byte, value float64) []byte { return appendPercentage(dst, value) }

// TestsCursor and its siblings make and read cursors.
func TestsCursor(after exam.TestID) string { return testsCursor(after) }

// ParseTestsCursor reads a cursor of the list of tests.
func ParseTestsCursor(cursor string) (exam.TestID, error) { return parseTestsCursor(cursor) }

// ImportsCursor makes a cursor of the list of imports.
func ImportsCursor(before entry.Position) string { return importsCursor(before) }

// ChangesCursor makes a cursor of the audit trail.
func ChangesCursor(before entry.Position) string { return changesCursor(before) }

// ParseChangesCursor reads a cursor of the audit trail.
func ParseChangesCursor(cursor string) (entry.Position, error) { return parseChangesCursor(cursor) }

// ParseImportsCursor reads a cursor of the list of imports.
func ParseImportsCursor(cursor string) (entry.Position, error) { return parseImportsCursor(cursor) }

// PrefersHTML says what an Accept header gets at "/".
func PrefersHTML(accept string) bool { return prefersHTML([]byte(accept)) }

// OpenAPIDocument is the contract.
func OpenAPIDocument() []byte { return openapiDocument }

// Codes maps every code of a problem to its status.
func Codes() map[string]int {
	codes := make(map[string]int, len(kinds))
	for c, k := range kinds {
		codes[string(c)] = k.status
	}
	return codes
}

// TakeDownloads takes all memory for documents on their way out and returns how
// to give it back.
func (s *Server) TakeDownloads() (giveBack func()) {
	downloads := &s.content.downloads
	n := downloads.free()
	if !downloads.take(n) {
		return nil
	}
	return func() { downloads.give(n) }
}

// HeldByDownloads is what documents on their way out hold.
func (s *Server) HeldByDownloads() int64 { return s.content.downloads.used.Load() }

// FieldsOf looks through a header block: its lines, and which of the names it may
// have.
func FieldsOf(raw string, names []string) (lines int, may []string) {
	found := fieldsOf([]byte(raw))
	for _, name := range names {
		if found.names.has(name) {
			may = append(may, name)
		}
	}
	return found.lines, may
}

// NewPatience makes a patience and says how it is ended.
func NewPatience(until time.Time, now func() time.Time) (ctx context.Context, end func()) {
	p := &patience{until: until, now: now}
	return p, p.end
}

// ExportsUnderWay is how many rolls are on their way out.
func (s *Server) ExportsUnderWay() int { return len(s.content.exports) }

// HoldWhatIfs takes the turns of all who may look at changes at once, until let.
func (s *Server) HoldWhatIfs() (let func()) {
	n := whatIfsAtOnce()
	_ = s.content.whatIfs.free.Acquire(context.Background(), n) // It fails only with its context.
	return func() { s.content.whatIfs.free.Release(n) }
}

// WhatIfsWaiting is how many wait for their turn.
func (s *Server) WhatIfsWaiting() int { return int(s.content.whatIfs.waiting.Load()) }

// WhatIfTurns are turns of their own, all of which are taken.
func WhatIfTurns() (take func() (end func(), err error), let func()) {
	t := newWhatIfTurns()
	for range whatIfsAtOnce() {
		if _, err := t.take(); err != nil {
			panic(err)
		}
	}
	return t.take, func() { t.free.Release(1) }
}

// How many changes may wait to be looked at, and for how long.
const (
	WhatIfsWaitingMax = whatIfsWaitingMax
	WhatIfWaitMax     = whatIfWaitMax
)

// Stream is a subscriber without a connection.
type Stream struct{ *subscriber }

// Subscribe makes a stream that nobody reads.
func (s *Server) Subscribe() Stream {
	sub, err := s.feed.subscribe(nil, 0)
	if err != nil {
		panic(err)
	}
	return Stream{sub}
}

// Offer offers a frame and says whether that ended the stream.
func (s Stream) Offer(frame []byte) bool { return s.offer(frame) }

// NewSilentStream is a stream to which nothing is told.
func NewSilentStream() Stream { return Stream{newSubscriber(nil)} }

// Pace is one kind of event. The first beat begins at an instant, and there are so many
// streams.
type Pace struct {
	pace    pace
	began   time.Time
	streams int
}

// NewPace makes a pace.
func NewPace(began time.Time, streams int) *Pace { return &Pace{began: began, streams: streams} }

// Mark says that there is something to tell.
func (p *Pace) Mark() { p.pace.marked = true }

// Due says whether it is told now, and when it could be told next.
func (p *Pace) Due(now time.Time) (told bool, next time.Time) {
	told = p.pace.due(now, nextBeat(now, p.began, p.streams))
	return told, p.pace.next
}

// Places are those of imports.
type Places struct{ places *places }

// Bounds of places.
const (
	PlacesMin = placesMin
	PaceKept  = paceKept
)

// NewPlaces has room for n imports of bytes in all.
func NewPlaces(n int, bytes int64, waitMax time.Duration) Places {
	return Places{newPlaces(n, bytes, waitMax, time.Now)}
}

// Enter takes a place and returns its weight, 0 if it got none.
func (p Places) Enter(documentBytes int64) int64 { return p.places.enter(documentBytes) }

// Leave gives a place back.
func (p Places) Leave(weight int64) { p.places.leave(weight) }

// Full says whether one more would get no place in time.
func (p Places) Full() bool { return p.places.full() }
