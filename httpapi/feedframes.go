package httpapi

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/summary"
	"markr/wal/entry"
)

// eventKind counts events by what they are about.
type eventKind uint8

const (
	kindTotals eventKind = iota
	kindTest
	kindImports
	eventKinds // how many there are
)

// label is the kind as a label value.
func (k eventKind) label() string { return [eventKinds]string{"totals", "test", "imports"}[k] }

// Why a stream ends.
const (
	endedSlow     = "slow"
	endedStopping = "stopping"
	endedRenew    = "renew"
)

// retryFrame tells a client how long to wait before it comes back, in milliseconds.
const retryFrame = "retry: 2000\n\n"

// Bounds of an imports event.
const (
	importsToldMax = 20  // at a time
	missedToldMax  = 100 // after a return
)

// appendEvent appends an event that begins before its data.
func appendEvent(dst []byte, name string) []byte {
	dst = append(dst, "event: "...)
	dst = append(dst, name...)
	return append(dst, "\ndata: "...)
}

// appendEnd appends what ends an event.
func appendEnd(dst []byte) []byte { return append(dst, "\n\n"...) }

func endFrame(reason string) []byte {
	dst := appendEvent(nil, "end")
	dst = append(dst, `{"reason":`...)
	return appendEnd(append(appendString(dst, reason), '}'))
}

func totalsFrame(state *engine.State) []byte {
	dst := appendEvent(nil, "totals")
	dst = append(dst, `{"position":`...)
	dst = strconv.AppendUint(dst, uint64(state.Position()), 10)
	for _, total := range []struct {
		name  string
		value int
	}{
		{"tests", state.Tests()}, {"students", state.Students()}, {"marks", state.Marks()}, {"documents", int(state.Documents())},
	} {
		dst = append(dst, `,"`...)
		dst = append(dst, total.name...)
		dst = append(dst, `":`...)
		dst = strconv.AppendInt(dst, int64(total.value), 10)
	}
	return appendEnd(append(dst, '}'))
}

// whole is what a subscriber begins with.
func (t *topic) whole() []byte {
	return t.appendScores(t.appendAggregate(nil), true, t.counts)
}

// change brings a topic to a state and returns what is to be told of it, nil if nothing
// has changed.
func (t *topic) change(state *engine.State) []byte {
	before, listed := t.counts, t.listed
	if !t.take(state) {
		return nil
	}
	dst := t.appendAggregate(nil)
	if !listed || !t.listed {
		return t.appendScores(dst, true, t.counts)
	}
	return t.appendScores(dst, false, summary.Moves(nil, before, t.counts))
}

// appendTopic appends the members that all data about a test begin with.
func (t *topic) appendTopic(dst []byte) []byte {
	dst = append(dst, `{"test_id":`...)
	dst = appendString(dst, string(t.test))
	dst = append(dst, `,"position":`...)
	return strconv.AppendUint(dst, uint64(t.shown), 10)
}

func (t *topic) appendAggregate(dst []byte) []byte {
	dst = t.appendTopic(appendEvent(dst, "aggregate"))
	if t.view == nil {
		return appendEnd(append(dst, `,"available":null,"aggregate":null}`...))
	}
	dst = append(dst, `,"available":`...)
	dst = append(dst, t.view.Available.String()...)
	dst = append(dst, `,"aggregate":`...)
	return appendEnd(append(appendAggregate(dst, t.view, nil), '}'))
}

// appendScores appends counts: all there are, or what has changed.
func (t *topic) appendScores(dst []byte, full bool, counts []summary.Count) []byte {
	dst = t.appendTopic(appendEvent(dst, "scores"))
	dst = append(dst, `,"full":`...)
	dst = strconv.AppendBool(dst, full)
	dst = append(dst, `,"scores":`...)
	if !t.listed {
		return appendEnd(append(dst, "null}"...))
	}
	dst = append(dst, '[')
	for i, c := range counts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		dst = append(dst, c.Obtained.String()...)
		dst = append(dst, ',')
		dst = strconv.AppendInt(dst, int64(c.Students), 10)
		dst = append(dst, ']')
	}
	return appendEnd(append(dst, "]}"...))
}

// arrivalsJSON is the data of an imports event.
type arrivalsJSON struct {
	Position   entry.Position `json:"position"`
	Accepted   int            `json:"accepted"`
	Refused    int            `json:"refused"`
	Duplicates int            `json:"duplicates"`
	Imports    []arrivalJSON  `json:"imports"`
}

type arrivalJSON struct {
	ID       uuid.UUID      `json:"import_id"`
	Position entry.Position `json:"position"`
	Received timestamp      `json:"received"`
	Outcome  string         `json:"outcome"`
	TestIDs  []exam.TestID  `json:"test_ids"`
	Records  int            `json:"records"`
	Code     *string        `json:"code"`
}

// gapJSON is the data of a gap event: positions of which nothing is told.
type gapJSON struct {
	From entry.Position `json:"from"`
	To   entry.Position `json:"to"`
}

// importsFrame tells of the newest arrivals, of which there is at least one. Its id is
// where a client that comes back goes on.
func importsFrame(c *engine.Changes) []byte {
	newest := c.Arrivals[max(0, len(c.Arrivals)-importsToldMax):]
	data := arrivalsJSON{
		Position: newest[len(newest)-1].Position,
		Accepted: c.Accepted, Refused: c.Refused, Duplicates: c.Duplicates,
	}
	for i := range newest {
		data.Imports = append(data.Imports, newArrivalJSON(&newest[i]))
	}
	return arrivalsFrame(&data)
}

func newArrivalJSON(a *engine.Arrival) arrivalJSON {
	one := arrivalJSON{
		ID: a.ID, Position: a.Position, Received: timestamp(a.Received),
		Outcome: a.Outcome.String(), TestIDs: a.Tests, Records: a.Records,
	}
	if one.TestIDs == nil {
		one.TestIDs = []exam.TestID{}
	}
	if a.Code != "" {
		one.Code = &a.Code
	}
	return one
}

func arrivalsFrame(data *arrivalsJSON) []byte {
	dst := strconv.AppendUint([]byte("id: "), uint64(data.Position), 10)
	return appendData(append(dst, '\n'), "imports", data)
}

func appendData(dst []byte, name string, data any) []byte {
	encoded, _ := json.Marshal(data) // strings and numbers always encode
	return appendEnd(append(appendEvent(dst, name), encoded...))
}

// missed tells of the imports after one position and up to another: the newest of them,
// and that there were more.
func (f *feed) missed(since, through entry.Position) ([]byte, error) {
	found, err := f.server.engine.Imports(through+1, 0, missedToldMax)
	if err != nil {
		return nil, err
	}
	data, told := arrivalsJSON{Position: through, Imports: []arrivalJSON{}}, through+1
	for i := range found {
		if found[i].Position <= since {
			break
		}
		told = found[i].Position
		a := arrivalOf(&found[i])
		switch a.Outcome {
		case entry.Accepted:
			data.Accepted++
		case entry.Refused:
			data.Refused++
		case entry.Duplicate:
			data.Duplicates++
		case entry.Event: // is no import
		}
		data.Imports = append(data.Imports, newArrivalJSON(&a))
	}
	slices.Reverse(data.Imports)
	frames := arrivalsFrame(&data)
	if len(data.Imports) == missedToldMax && told > since+1 {
		gap := appendData(nil, "gap", gapJSON{since + 1, told - 1})
		frames = append(gap, frames...)
	}
	return frames, nil
}

func arrivalOf(found *engine.Import) engine.Arrival {
	a := engine.Arrival{
		ID: found.ID, Position: found.Position, Received: found.Received, Outcome: found.Outcome,
		Records: found.Records, Tests: found.TestIDs[:min(len(found.TestIDs), engine.ArrivalTestsMax)],
	}
	if found.Refusal != nil {
		a.Code = string(found.Refusal.Code)
	}
	return a
}
