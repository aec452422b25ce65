package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"markr/engine/audit"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/ledger"
	"markr/wal/entry"
)

// draft is a document, or an event, on its way from the request that brought it to the
// committer and back. The request owns it except between the queue and done.
type draft struct {
	doc     intake.Document
	entry   *entry.Entry
	tests   []exam.TestID // distinct, in order of first appearance
	done    chan struct{} // one token when the committer is through with it
	effects ledger.Effects
	refused *intake.DocumentError // why the document does not count; nil if it does
	first   uuid.UUID             // of a duplicate
	err     error                 // the log's
	aim     aim                   // the refused import that it corrects or retries

	event *audit.Event // nil for a document
	text  string       // the event's bytes
	told  bool         // who waited for the event has been told, or nobody waits
}

// Import takes a document. When it returns without an error the document is
// durable and visible. The error is a *[RefusedError] (durable too),
// [intake.ErrUnknownMediaType], [ErrNotReady], [ErrOverloaded], [ErrStalled], [ErrClosed],
// [entry.ErrReadOnly], [entry.ErrFailed] or that of s.Room. ctx bounds the wait for a place in
// the queue only: a document that has one is seen through.
//
// With Corrects, the document is an import as any other, and says in the same write
// that it corrects that one, which it resolves if it is accepted. Further errors are
// those of [Engine.Retry], and then nothing of the document counts or is kept.
func (e *Engine) Import(ctx context.Context, s Submission) (Receipt, error) {
	if err := e.Writable(); err != nil {
		return Receipt{}, fmt.Errorf("import document: %w", err)
	}
	return e.importFor(ctx, s, aim{id: s.Corrects})
}

// importFor imports a document that is about a refused one, or about none.
func (e *Engine) importFor(ctx context.Context, s Submission, a aim) (Receipt, error) {
	d := e.drafts.Get().(*draft)
	defer e.release(d)
	if a.id != uuid.Nil {
		release, err := e.claim(&a)
		if err != nil {
			return Receipt{}, fmt.Errorf("import document: %w", err)
		}
		defer release()
	}
	d.aim = a
	if err := e.prepareInTurn(d, s); err != nil {
		return Receipt{}, fmt.Errorf("import document: %w", err)
	}
	if d.entry == nil { // As refused as it was.
		return Receipt{}, &RefusedError{ImportID: a.id, Position: entry.IDPosition(a.id), Document: d.refused}
	}
	if err := e.enqueue(ctx, d); err != nil {
		return Receipt{}, fmt.Errorf("import document: %w", err)
	}
	<-d.done
	if d.err != nil {
		return Receipt{}, fmt.Errorf("import document: %w", d.err)
	}
	if d.refused != nil {
		return Receipt{}, &RefusedError{ImportID: d.entry.ID, Position: d.entry.Position, Document: d.refused}
	}
	return Receipt{
		ImportID:      d.entry.ID,
		Position:      d.entry.Position,
		TestIDs:       d.tests,
		Records:       len(d.doc.Records),
		StudentsAdded: d.effects.Added,
		MarksRaised:   d.effects.Raised,
		Unchanged:     d.effects.Unchanged,
		DuplicateOf:   d.first,
		Findings:      d.doc.Findings,
	}, nil
}

// prepareInTurn prepares d when there is a processor for it.
func (e *Engine) prepareInTurn(d *draft, s Submission) error {
	defer e.turns.take(len(s.Raw))()
	return e.prepare(d, s)
}

// prepare does all the work that needs no order, on the caller's goroutine:
// decode, name, digest, compress.
//
// A retry that is refused again is left as it is: its entry stays nil.
func (e *Engine) prepare(d *draft, s Submission) error {
	started := e.opts.Now()
	// What is read now is what a restart will read: by the type that is kept.
	mediaType, decides := e.opts.Intake.Kept(s.MediaType)
	d.doc.Room = s.Room
	err := e.opts.Intake.Decode(&d.doc, s.Raw, mediaType)
	e.readItems(&d.doc, err)
	decoded := e.opts.Now()
	e.metrics.parse.Observe(decoded.Sub(started).Seconds())
	header := entry.Header{
		Received:  decoded.UTC().Truncate(time.Microsecond),
		Source:    s.Source,
		MediaType: mediaType,
	}
	switch {
	case err == nil:
		d.tests = testsOf(d.doc.Records)
		header.Outcome = entry.Accepted
		header.Detail, err = encodeAccepted(len(d.doc.Records), d.tests, d.doc.Findings, d.aim)
	case errors.As(err, &d.refused):
		if d.aim.retry {
			return nil
		}
		header.Outcome = entry.Refused
		header.Detail, err = encodeRefused(d.refused, d.aim)
	}
	if err != nil {
		return err
	}
	if header.Salt, err = newSalt(e.opts.Random); err != nil {
		return err
	}
	if decides {
		d.entry = e.codec.SealTyped(header, s.Raw)
	} else {
		d.entry = e.codec.Seal(header, s.Raw)
	}
	// One that the log cannot keep must not reach it: it would refuse the batch.
	if err := d.entry.Check(); err != nil {
		return err
	}
	e.metrics.seal.Observe(e.opts.Now().Sub(decoded).Seconds())
	return nil
}

// enqueue hands d to the committer.
func (e *Engine) enqueue(ctx context.Context, d *draft) error {
	e.closing.RLock()
	defer e.closing.RUnlock()
	if e.closing.closed {
		return ErrClosed
	}
	select {
	case e.queue <- d:
		return nil
	default:
	}
	select {
	case e.queue <- d:
		return nil
	case <-ctx.Done():
		return ErrOverloaded
	}
}

// release makes d ready to be used again. The receipt keeps d.tests.
func (e *Engine) release(d *draft) {
	d.doc.Reset()
	d.entry, d.tests, d.effects, d.refused, d.first, d.err = nil, nil, ledger.Effects{}, nil, uuid.Nil, nil
	d.aim = aim{}
	e.drafts.Put(d)
}

// testsOf lists the distinct tests of records, in order of first appearance.
func testsOf(records []exam.Record) []exam.TestID {
	var tests []exam.TestID
	var seen map[exam.TestID]bool
	var last []byte
	for i := range records {
		id := records[i].Test
		if i > 0 && bytes.Equal(id, last) {
			continue
		}
		last = id
		if seen[exam.TestID(id)] {
			continue
		}
		if seen == nil {
			seen = make(map[exam.TestID]bool)
		}
		test := exam.TestID(id)
		seen[test] = true
		tests = append(tests, test)
	}
	return tests
}

// newSalt draws what makes an import id hard to guess.
func newSalt(random io.Reader) (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, fmt.Errorf("make import id: %w", err)
	}
	return binary.BigEndian.Uint32(b[:]), nil
}
