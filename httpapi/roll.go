package httpapi

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/valyala/fasthttp"

	"markr/engine"
	"markr/engine/exam"
)

// headerPosition names the position of the log that an answer stands for, where the
// body's format has no room for it.
const headerPosition = "Markr-Position"

// students answers GET /results/{test}/students: every student of a test with the marks
// that count and where they come from. Without a limit all of them are streamed, with
// one a page is sent; a cursor goes on at the same position.
func (s *Server) students(r *request) error {
	if err := r.checkParameters("format", "limit", "cursor", "at", "as-of"); err != nil {
		return err
	}
	format, err := r.rollFormat()
	if err != nil {
		return err
	}
	limit := math.MaxInt
	if _, given := r.query("limit"); given {
		if limit, err = r.limit(); err != nil {
			return err
		}
	}
	roll, first, err := s.rollAsked(r)
	if err != nil {
		return err
	}
	answer := rollAnswer{roll: roll, reader: roll.Read(first), format: format, first: first, left: min(roll.Len()-first, limit)}
	if next := first + answer.left; next < roll.Len() {
		answer.next = rollCursor(roll.Test.ID, roll.Place(next))
		path := "/results/" + url.PathEscape(string(roll.Test.ID)) + "/students"
		r.nextPage(path, url.Values{"format": {format.name}}, limit, answer.next)
	}
	r.setHeader(headerPosition, strconv.FormatUint(uint64(roll.Position), 10))
	same := r.unchanged(rollTag(roll, format, first, answer.left), cacheDocument)
	r.setHeader(fasthttp.HeaderVary, "Accept, Accept-Encoding")
	if same {
		return nil
	}
	if format.isFile {
		r.setHeader(fasthttp.HeaderContentDisposition, `attachment; filename="`+rollFile(roll, format)+`"`)
	}
	r.ctx.SetContentType(format.mediaType)
	if limit == math.MaxInt {
		return r.stream(&answer)
	}
	body, err := answer.appendAll(r.newBody())
	if err != nil {
		return err
	}
	encoded, err := r.encode(body)
	if err != nil {
		return err
	}
	r.ctx.Response.SwapBody(encoded)
	return nil
}

// rollAsked is the roll that a request is about, and the row to begin with.
func (s *Server) rollAsked(r *request) (roll *engine.Roll, first int, err error) {
	at, err := s.moment(r)
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := s.turn()
	defer cancel()
	test := exam.TestID(r.param("test"))
	cursor, given := r.query("cursor")
	if !given {
		roll, err = s.engine.Roll(ctx, test, at)
		return roll, 0, err
	}
	if at != 0 {
		return nil, 0, errParameter("cursor", "has a position of its own and cannot be given together with at or as-of")
	}
	place, err := parseRollCursor(test, cursor)
	if err != nil {
		return nil, 0, err
	}
	if roll, err = s.engine.RollAgain(ctx, test, place); err != nil {
		return nil, 0, err
	}
	if place.Row >= roll.Len() {
		return nil, 0, errInvalidCursor // Of another log.
	}
	return roll, place.Row, nil
}

// rollTag is the entity tag of a part of a roll: the same rows have the same one at
// whatever position. With the figures in it, it is another one in another log.
func rollTag(roll *engine.Roll, format *rollFormat, first, rows int) []byte {
	return appendHashTag(nil, xxhash.Sum64(fmt.Appendf(nil, "%q %d %v %d %s %d %d %v %v", roll.Test.ID, roll.Changed,
		roll.Rule.Rule, roll.Rule.Position, format.name, first, rows, roll.Test.Available, roll.Test.Aggregate())))
}

// fileNameCharsMax is how much of a test id is in the name of a file.
const fileNameCharsMax = 64

// rollFile is a name for a file with a roll in it, from letters that every system takes.
func rollFile(roll *engine.Roll, format *rollFormat) string {
	safe := func(c rune) rune {
		if c < 0x80 && (c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '_') {
			return c
		}
		return '_'
	}
	test := strings.Map(safe, string(roll.Test.ID))
	return fmt.Sprintf("%s-students-%d.%s", test[:min(len(test), fileNameCharsMax)], roll.Position, format.name)
}
