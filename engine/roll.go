package engine

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/google/uuid"

	"markr/engine/exam"
	"markr/engine/ledger"
	"markr/engine/scoring"
	"markr/engine/summary"
	"markr/wal/entry"
)

// Roll is every student of a test with the marks that count, at one position of the
// log. It never changes. It costs a pointer for every 4,096 students, and as long as it
// is held the memory of those of them whose marks are replaced meanwhile.
type Roll struct {
	Test     *Test          // as it was
	Position entry.Position // that it stands for
	Rule     RuleInForce    // that it was made under
	// Changed is the last position up to Position of which it is known that it named the
	// test: at each position from there to Position the roll is the same.
	Changed entry.Position

	inForce RuleInForce // when it was asked for; a place holds as long as it is
	engine  *Engine
	rows    ledger.View
	numbers ledger.StudentsView
}

// RollPlace is a place in a roll: where a list that has been given out in part goes on.
type RollPlace struct {
	Position entry.Position // that the roll stands for
	Row      int            // the next, from 0
	// The rule, and where the log has it: under another one the roll is another.
	Rule   scoring.Rule
	RuleAt entry.Position
}

// Roll is the roll of a test as it was at a position; as it is now if that is 0. A past
// one takes the time and the memory of [Engine.TestAt], unless the test has not changed
// since. ctx is used as there. The error is [ErrUnknownTest],
// [ErrUnknownPosition], [ErrNotReady] or [ErrOverloaded].
func (e *Engine) Roll(ctx context.Context, id exam.TestID, at entry.Position) (*Roll, error) {
	now, err := e.rollNow(id, at)
	if err != nil || at == 0 {
		return now, err
	}
	then, err := e.eraOf(at, now.Rule.Rule)
	if err != nil {
		return nil, err
	}
	if at >= now.Changed && then.rule == now.Rule.Rule && slices.Equal(then.uncounted, now.Rule.Uncounted) {
		return now, nil
	}
	return e.rolls.get(now.key(at), func() (*Roll, error) { return e.rollThen(ctx, id, at) })
}

// RollAgain is the roll that a place is of. The error is [ErrRollGone], or one of Roll's.
func (e *Engine) RollAgain(ctx context.Context, id exam.TestID, place RollPlace) (*Roll, error) {
	roll, err := e.Roll(ctx, id, place.Position)
	if err != nil {
		return nil, err
	}
	if roll.inForce.Rule != place.Rule || roll.inForce.Position != place.RuleAt {
		return nil, ErrRollGone
	}
	return roll, nil
}

// rollNow is the roll of a test as it is now. It stands for the position at, if that is
// not 0: whoever asks looks at Changed.
func (e *Engine) rollNow(id exam.TestID, at entry.Position) (*Roll, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	e.live.Lock()
	defer e.live.Unlock()
	b := e.live.book
	test := b.tests[id]
	switch {
	case at > b.position:
		return nil, ErrUnknownPosition
	case test == nil:
		return nil, ErrUnknownTest
	case at == 0:
		at = b.position
	}
	view, _ := b.index.Get(id)
	return &Roll{
		Test: view, Position: at, Rule: *b.inForce, Changed: view.Last.Position,
		inForce: *b.inForce, engine: e, rows: test.kept.View(), numbers: b.students.View(),
	}, nil
}

// rollThen is the roll of a test as it was, under the rule that was in force then.
func (e *Engine) rollThen(ctx context.Context, id exam.TestID, at entry.Position) (*Roll, error) {
	// Now, after the wait for a turn: the rule may have changed.
	p, err := e.past(ctx, id, at)
	if err != nil {
		return nil, err
	}
	defer p.done()
	then := p.era(at)
	test, err := p.retake(ctx, then, ledger.Retake{Through: uint64(at)}, nil)
	if err != nil {
		return nil, fmt.Errorf("roll at position %d: %w", at, err)
	}
	if test.Len() == 0 {
		return nil, ErrUnknownTest
	}
	return &Roll{
		Test:     &Test{ID: id, Available: test.Available, scores: test.Scores()},
		Position: at, Changed: at,
		Rule:    RuleInForce{Rule: then.rule, Position: then.from, Uncounted: then.uncounted},
		inForce: p.now, engine: e, rows: test.View(), numbers: p.numbers,
	}, nil
}

// Len is how many students there are.
func (r *Roll) Len() int { return r.rows.Len() }

// Place is where the roll goes on with a row.
func (r *Roll) Place(row int) RollPlace {
	return RollPlace{Position: r.Position, Row: row, Rule: r.inForce.Rule, RuleAt: r.inForce.Position}
}

// RollRow is one student of a roll.
type RollRow struct {
	Student        []byte     // the student number; not to be changed
	Obtained       exam.Marks // of the kept scan
	Available      exam.Marks // what Percentage is of: the test's, or the student's own
	Percentage     float64    // 0 to 100
	PercentileRank float64    // see summary.Distribution.PercentileRank
	// The kept scan: its import, that one's position, and its record there, from 1.
	Import   uuid.UUID
	Position entry.Position
	Record   int
}

// A RollReader reads a roll, in the order in which its students came. It is one
// goroutine's.
type RollReader struct {
	roll *Roll
	row  int
	// imports remembers the ids of some imports by position, because neighbours were
	// mostly scanned together: reading a header takes some microseconds.
	imports [importsRemembered]struct {
		at entry.Position
		id uuid.UUID
	}
}

// importsRemembered is how many: those of a test whose rescans are all over it.
const importsRemembered = 1024

// Read returns a reader that begins with a row, from 0.
func (r *Roll) Read(row int) *RollReader { return &RollReader{roll: r, row: row} }

// Next is the next student, and io.EOF after the last. Other errors are those of reading
// the log's headers.
func (r *RollReader) Next() (RollRow, error) {
	roll := r.roll
	if r.row >= roll.Len() {
		return RollRow{}, io.EOF
	}
	kept := roll.rows.At(r.row)
	arrival := ledger.ArrivalOf(kept.Arrival)
	position := entry.Position(arrival.Position)
	id, err := r.importAt(position)
	if err != nil {
		return RollRow{}, fmt.Errorf("import at position %d: %w", position, err)
	}
	score, available := summary.OfTest(kept.Obtained), roll.Test.Available
	if roll.Rule.Rule.Denominator == scoring.OfSheet {
		score, available = summary.OfSheet(kept.Obtained, kept.Highest), kept.Highest
	}
	r.row++
	return RollRow{
		Student: roll.numbers.At(int(kept.Student)), Obtained: kept.Obtained, Available: available,
		Percentage:     summary.Percentage(score, available),
		PercentileRank: roll.Test.scores.PercentileRank(score),
		Import:         id, Position: position, Record: arrival.Record + 1,
	}, nil
}

func (r *RollReader) importAt(position entry.Position) (uuid.UUID, error) {
	known := &r.imports[position%importsRemembered]
	if known.at != position {
		h, err := r.roll.engine.headerAt(position)
		if err != nil {
			return uuid.Nil, err
		}
		known.at, known.id = position, h.ID
	}
	return known.id, nil
}
