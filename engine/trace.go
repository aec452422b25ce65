package engine

import (
	"context"
	"errors"
	"fmt"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/ledger"
	"markr/engine/scoring"
	"markr/engine/summary"
	"markr/wal/entry"
)

// Trace is where one student's marks in one test come from.
type Trace struct {
	Test     exam.TestID
	Student  string
	Rule     scoring.Rule
	Position entry.Position // of the state it is of
	Count    int            // students of the test

	Obtained       exam.Marks // of the kept scan
	Available      exam.Marks // what Percentage is of: the test's, or the student's own
	Percentage     float64
	PercentileRank float64 // see summary.Distribution.PercentileRank

	// Scans are those that were considered, in order of arrival: all of them, or the
	// first TraceScansMax and the one that is kept.
	Scans      []TracedScan
	ScansTotal int
}

// TraceScansMax is how many of a student's scans a Trace shows beside the kept one.
const TraceScansMax = 100

// tracesMax is how many students are looked up at once.
const tracesMax = 16

// TracedScan is one scan of a student.
type TracedScan struct {
	Import ImportRef
	Source string
	Record int // in its document, from 1
	intake.Description

	Obtained  exam.Marks
	Available exam.Marks
	Kept      bool
	// Why says why it is kept, or why not, as the end of a sentence.
	Why string

	scan scoring.Scan
}

// Trace looks a student of a test up: the figures come from memory, what the scans say
// from their documents in the log. The error is [ErrUnknownTest], [ErrUnknownStudent],
// [ErrNotReady], [ErrUnreadable], a *entry.DamagedError or the disk's.
//
// ctx bounds the wait for a turn: a document is in memory while it is read, so no more
// than tracesMax are looked up at once. When it ends first the error is
// [ErrOverloaded].
func (e *Engine) Trace(ctx context.Context, id exam.TestID, student string) (*Trace, error) {
	select {
	case e.traces <- struct{}{}:
		defer func() { <-e.traces }()
	case <-ctx.Done():
		return nil, ErrOverloaded
	}
	t := &Trace{Test: id, Student: student}
	test, scans, err := e.lookUp(t)
	if err != nil {
		return nil, err
	}
	t.Count = test.Count()
	t.PercentileRank = test.scores.PercentileRank(scans.Score)
	t.Percentage = summary.Percentage(scans.Score, test.Available)
	t.Available = test.Available
	if scans.Highest > 0 {
		t.Available = scans.Highest
	}
	arrivals := scans.All()
	t.ScansTotal = len(arrivals)
	reader := documentReader{engine: e}
	var kept scoring.Scan
	for i, arrival := range arrivals {
		isKept := arrival == scans.Kept()
		if i >= TraceScansMax && !isKept {
			continue
		}
		scan, err := reader.scan(t, arrival)
		if err != nil {
			return nil, err
		}
		if isKept {
			scan.Kept, kept, t.Obtained = true, scan.scan, scan.Obtained
		}
		t.Scans = append(t.Scans, scan)
	}
	for i := range t.Scans {
		s := &t.Scans[i]
		switch {
		case !s.Kept:
			s.Why = t.Rule.Policy.WhyNot(kept, s.scan)
		case t.ScansTotal == 1:
			s.Why = "is the only scan"
		default:
			s.Why = t.Rule.Policy.Why()
		}
	}
	return t, nil
}

// lookUp finds the student's scans, and the view of the test they belong to.
func (e *Engine) lookUp(t *Trace) (*Test, *ledger.Scans, error) {
	if err := e.ready(); err != nil {
		return nil, nil, err
	}
	e.live.Lock()
	defer e.live.Unlock()
	b := e.live.book
	test := b.tests[t.Test]
	if test == nil {
		return nil, nil, ErrUnknownTest
	}
	student, ok := b.students.Find([]byte(t.Student))
	if !ok {
		return nil, nil, ErrUnknownStudent
	}
	scans, ok := test.kept.Scans(student)
	if !ok {
		return nil, nil, ErrUnknownStudent
	}
	view, _ := b.index.Get(t.Test)
	t.Position, t.Rule = b.position, b.rule
	return view, &scans, nil
}

// documentReader reads the documents of scans again; several scans of one document
// cost one reading.
type documentReader struct {
	engine *Engine
	stored *entry.Entry
	raw    []byte
	doc    intake.Document
}

func (r *documentReader) read(at entry.Position) error {
	if r.stored != nil && r.stored.Position == at {
		return nil
	}
	var err error
	if r.stored, err = r.engine.opts.Log.At(at); err != nil {
		return fmt.Errorf("read document at position %d: %w", at, err)
	}
	if r.raw, err = r.engine.codec.Raw(r.stored, nil); err != nil {
		return fmt.Errorf("read document at position %d: %w", at, err)
	}
	r.doc.Reset()
	if err := r.engine.opts.Replay.Decode(&r.doc, r.raw, r.stored.MediaType); err != nil {
		return fmt.Errorf("position %d: %w", at, ErrUnreadable)
	}
	return nil
}

// scan is what a document says of one of its records.
func (r *documentReader) scan(t *Trace, at ledger.Arrival) (TracedScan, error) {
	if err := r.read(entry.Position(at.Position)); err != nil {
		return TracedScan{}, err
	}
	if at.Record >= len(r.doc.Records) ||
		string(r.doc.Records[at.Record].Test) != string(t.Test) || string(r.doc.Records[at.Record].Student) != t.Student {
		// The document is whole, so it was another decoder that counted it.
		return TracedScan{}, fmt.Errorf("position %d, record %d: %w", at.Position, at.Record+1, ErrUnreadable)
	}
	record := &r.doc.Records[at.Record]
	description, err := r.engine.opts.Replay.Describe(r.raw, r.stored.MediaType, at.Record)
	if err != nil {
		return TracedScan{}, fmt.Errorf("position %d, record %d: %w", at.Position, at.Record+1, errors.Join(ErrUnreadable, err))
	}
	return TracedScan{
		Import:      referTo(&r.stored.Header),
		Source:      r.stored.Source,
		Record:      at.Record + 1,
		Description: description,
		Obtained:    record.Obtained,
		Available:   record.Available,
		scan: scoring.Scan{
			Obtained: record.Obtained, Available: record.Available, ScannedOn: record.ScannedOn,
			Position: at.Position, Record: uint32(at.Record),
		},
	}, nil
}
