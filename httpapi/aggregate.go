package httpapi

import (
	"bytes"
	"slices"
	"strconv"
	"sync/atomic"
	"weak"

	"github.com/cespare/xxhash/v2"
	"github.com/valyala/fasthttp"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/summary"
	"markr/wal/entry"
)

// aggregate answers GET /results/{test}/aggregate. It is the request that
// dashboards poll, so the usual answer is written once for each view of a test.
func (s *Server) aggregate(r *request) error {
	if r.hasQuery() {
		return s.aggregateAsked(r)
	}
	written, err := s.content.aggregates.of(s.engine, r.params[0].value)
	if err != nil {
		return err
	}
	if !r.names.has(fasthttp.HeaderIfNoneMatch) && !r.names.has(fasthttp.HeaderAcceptEncoding) {
		r.dress(&written.header)
		r.ctx.Response.SetBodyRaw(written.body)
		return nil
	}
	if r.unchanged(written.tag, cacheResult) {
		return nil
	}
	encoded, err := r.encode(written.body)
	if err != nil {
		return err
	}
	return r.sendShared(fasthttp.StatusOK, "application/json", encoded)
}

// aggregateAsked answers when there are parameters: other percentiles, or an earlier
// state.
func (s *Server) aggregateAsked(r *request) error {
	if err := r.checkParameters("percentiles", "at", "as-of"); err != nil {
		return err
	}
	percents, err := r.percentiles()
	if err != nil {
		return err
	}
	at, err := s.moment(r)
	if err != nil {
		return err
	}
	test, err := s.testAt(exam.TestID(r.param("test")), at)
	if err != nil {
		return err
	}
	return r.resource("application/json", appendAggregate(r.newBody(), test, percents))
}

// testAt is a test as it was at a position, as it is if that is 0.
func (s *Server) testAt(id exam.TestID, at entry.Position) (*engine.Test, error) {
	if at == 0 {
		return s.engine.Test(id)
	}
	ctx, cancel := s.turn()
	defer cancel()
	return s.engine.TestAt(ctx, id, at)
}

// aggregatesMax is how many written aggregates are remembered: more tests than
// are looked at in one minute, at some 2 KiB each.
const aggregatesMax = 4096

// aggregates remembers aggregates as they are written. A test has one place, which
// others may share; whoever finds another's aggregate there, or one of an older
// view, writes its own.
type aggregates [aggregatesMax]atomic.Pointer[writtenAggregate]

// writtenAggregate is the answer about one view of a test. It does not keep the
// view alive, because a view of a large test holds all of its scores.
type writtenAggregate struct {
	test      exam.TestID
	view      weak.Pointer[engine.Test]
	body, tag []byte
	header    fasthttp.ResponseHeader // of the answer to who wants nothing special
}

// of is the aggregate of a test as it is now, as it is written. The id is not
// kept.
func (a *aggregates) of(from *engine.Engine, test []byte) (*writtenAggregate, error) {
	place := &a[xxhash.Sum64(test)%aggregatesMax]
	written := place.Load()
	if written != nil && string(written.test) == string(test) {
		view, err := from.Test(written.test)
		if err != nil {
			return nil, err
		}
		if written.view.Value() == view {
			return written, nil
		}
	}
	view, err := from.Test(exam.TestID(test))
	if err != nil {
		return nil, err
	}
	written = writeAggregate(view)
	place.Store(written)
	return written, nil
}

// writeAggregate writes the aggregate of a view, which never changes.
func writeAggregate(view *engine.Test) *writtenAggregate {
	written := &writtenAggregate{test: view.ID, view: weak.Make(view), body: appendAggregate(nil, view, nil)}
	written.tag = appendETag(nil, written.body)
	h := &written.header
	h.SetStatusCode(fasthttp.StatusOK)
	h.SetContentType("application/json")
	h.SetNoDefaultContentType(true)
	for _, field := range []struct{ name, value string }{
		{"Etag", string(written.tag)},
		{fasthttp.HeaderCacheControl, cacheResult},
		{fasthttp.HeaderVary, fasthttp.HeaderAcceptEncoding},
		{fasthttp.HeaderXContentTypeOptions, "nosniff"},
	} {
		h.SetCanonical([]byte(field.name), []byte(field.value))
	}
	return written
}

// percentiles reads the percentiles parameter: none if it is not there.
func (r *request) percentiles() ([]summary.Percent, error) {
	if _, given := r.query("percentiles"); !given {
		return nil, nil
	}
	return r.percents("percentiles", "", "percentiles")
}

// appendAggregate appends the figures of a test as SPEC section 5 shows them: the
// eight members in their order, then the percentiles asked for. There is no line
// feed at the end, because the answer is exactly that text.
func appendAggregate(dst []byte, test *engine.Test, percents []summary.Percent) []byte {
	figures := test.Aggregate()
	dst = append(dst, `{"mean":`...)
	dst = appendPercentage(dst, figures.Mean)
	dst = append(dst, `,"stddev":`...)
	dst = appendPercentage(dst, figures.StdDev)
	dst = append(dst, `,"min":`...)
	dst = appendPercentage(dst, figures.Min)
	dst = append(dst, `,"max":`...)
	dst = appendPercentage(dst, figures.Max)
	dst = append(dst, `,"p25":`...)
	dst = appendPercentage(dst, figures.P25)
	dst = append(dst, `,"p50":`...)
	dst = appendPercentage(dst, figures.P50)
	dst = append(dst, `,"p75":`...)
	dst = appendPercentage(dst, figures.P75)
	dst = append(dst, `,"count":`...)
	dst = strconv.AppendInt(dst, int64(figures.Count), 10)
	if len(percents) > 0 {
		dst = appendPercentileValues(append(dst, `,"percentiles":`...), test, percents)
	}
	return append(dst, '}')
}

// appendPercentileValues appends an object of percentiles, in the order asked for. A
// percentile asked for twice, however it was written, is answered once: a JSON
// object has each name once.
func appendPercentileValues(dst []byte, test *engine.Test, percents []summary.Percent) []byte {
	distinct := percents[:0]
	for _, percent := range percents {
		if !slices.Contains(distinct, percent) {
			distinct = append(distinct, percent)
		}
	}
	values := test.Percentiles(make([]float64, 0, len(distinct)), distinct...)
	dst = append(dst, '{')
	for i, percent := range distinct {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, percent.String()...)
		dst = append(dst, `":`...)
		dst = appendPercentage(dst, values[i])
	}
	return append(dst, '}')
}

// percentage is a number of percent that encodes itself as the API shows it.
type percentage float64

// MarshalJSON is the shortest decimal, always with a point.
func (p percentage) MarshalJSON() ([]byte, error) {
	return appendPercentage(nil, float64(p)), nil
}

// appendPercentage appends the shortest decimal that reads back as value, always
// with a point and never with an exponent: 65.0, 50.80246913580247, 0.0000001.
// The value is finite: the engine publishes no other.
func appendPercentage(dst []byte, value float64) []byte {
	start := len(dst)
	dst = strconv.AppendFloat(dst, value, 'f', -1, 64)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}
