package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/ledger"
	"markr/engine/quality"
	"markr/wal/entry"
)

// Quality is what is odd about the scans of a test: all of it counted, some of it told.
type Quality struct {
	Test     exam.TestID
	Position entry.Position // of the state it is of
	Students int
	Counts   quality.Counts
	Findings []Finding
	Next     *FindingPlace // where the list goes on; nil at its end
}

// FindingPlace is where a finding is in the list of a test's. The list is ordered by kind;
// students and scans are those that arrived last first.
type FindingPlace struct {
	Kind quality.Kind
	Key  [2]uint64
}

func (p FindingPlace) compare(q FindingPlace) int {
	return cmp.Or(cmp.Compare(p.Kind, q.Kind), cmp.Compare(p.Key[0], q.Key[0]), cmp.Compare(p.Key[1], q.Key[1]))
}

// Finding is one thing that is odd, read from the documents it is in.
type Finding struct {
	Kind     quality.Kind
	Student  string // where it is about one; else empty
	Question string // where it is about one; else empty
	Response string // where it is about one; else empty
	What     string // in words, as the end of a sentence
	// Scans are those it is in, or the first FoundScansMax of them.
	Scans      []FoundScan
	ScansTotal int
}

// FoundScan is a scan in which something is odd.
type FoundScan struct {
	Import  ImportRef
	Source  string
	Record  int // in its document, from 1
	Student string
	intake.Description

	Obtained  exam.Marks
	Available exam.Marks

	answers []exam.Answer
	spelled map[exam.Text]string // of the answers' questions
}

const (
	// FoundScansMax is how many scans of one finding are told.
	FoundScansMax = 10
	// qualityBytesMax is how many bytes of documents are gone through for one page. A
	// page that comes to it ends with what it has.
	qualityBytesMax = 64 << 20
)

// Quality tells what is odd about a test: the counts from memory, and up to limit
// findings after a place (nil: from the first), of one kind if only is not nil. What they say is
// read from the log. A page may have less than limit, and go on.
//
// The error is [ErrUnknownTest], [ErrNotReady], [ErrUnreadable], a *entry.DamagedError
// or the disk's. ctx bounds the wait for a turn; when it ends first the error is
// [ErrOverloaded].
func (e *Engine) Quality(ctx context.Context, id exam.TestID, only *quality.Kind, after *FindingPlace, limit int) (*Quality, error) {
	select {
	case e.pasts <- struct{}{}:
		defer func() { <-e.pasts }()
	case <-ctx.Done():
		return nil, ErrOverloaded
	}
	look, err := e.lookAt(id, only)
	if err != nil {
		return nil, err
	}
	found := look.after(after)
	slices.SortFunc(found, func(a, b foundAt) int { return a.place.compare(b.place) })
	more := len(found) > limit
	found = found[:min(len(found), limit)]
	look.scansOf(found)
	q := &look.Quality
	reader := documentReader{engine: e}
	for i := range found {
		if reader.bytes > qualityBytesMax {
			found, more = found[:i], true
			break
		}
		finding, err := look.describe(&reader, &found[i])
		if err != nil {
			return nil, err
		}
		q.Findings = append(q.Findings, finding)
	}
	if more {
		q.Next = &found[len(found)-1].place
	}
	return q, nil
}

// look is what was known of a test when it was looked at.
type look struct {
	Quality

	kinds                [quality.KindCount]bool // that are asked for
	view                 ledger.View
	numbers              ledger.StudentsView
	scans                [quality.KindCount][]uint64
	available, questions []quality.Tallied
	conflicts            []quality.Key
}

// foundAt is a finding before anything was read.
type foundAt struct {
	place    FindingPlace
	student  ledger.Student // of kinds that look for all scans of one
	others   []string       // of LeadingZeros: the numbers of the others
	tallied  quality.Tallied
	key      quality.Key
	arrivals []uint64 // of its scans
}

// lookAt takes copies of what is kept. None of them takes long, whatever the test.
func (e *Engine) lookAt(id exam.TestID, only *quality.Kind) (*look, error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	e.live.Lock()
	defer e.live.Unlock()
	b := e.live.book
	test := b.tests[id]
	if test == nil {
		return nil, ErrUnknownTest
	}
	l := &look{Quality: Quality{Test: id, Position: b.position, Students: test.kept.Len(), Counts: test.counts()}}
	for kind, n := range l.Counts {
		l.kinds[kind] = n > 0 && (only == nil || *only == quality.Kind(kind))
		if l.kinds[kind] {
			l.scans[kind] = test.quality.Scans(quality.Kind(kind))
		}
	}
	if l.kinds[quality.DifferentNames] || l.kinds[quality.DifferentAnswers] || l.kinds[quality.LeadingZeros] {
		l.view = test.kept.View()
	}
	if l.kinds[quality.LeadingZeros] {
		l.numbers = b.students.View()
	}
	l.available, l.questions, l.conflicts = test.quality.Available(), test.quality.Questions(), test.quality.Conflicts()
	return l, nil
}

// after are all findings behind a place.
func (l *look) after(after *FindingPlace) (found []foundAt) {
	add := func(f foundAt, kind quality.Kind, key ...uint64) {
		f.place.Kind = kind
		copy(f.place.Key[:], key)
		if l.kinds[kind] && (after == nil || f.place.compare(*after) > 0) {
			found = append(found, f)
		}
	}
	for _, kind := range []quality.Kind{quality.DifferentNames, quality.DifferentAnswers} {
		if l.kinds[kind] {
			l.view.Differing(kind == quality.DifferentNames, func(row ledger.Row) {
				add(foundAt{student: row.Student}, kind, ^row.Arrival)
			})
		}
	}
	if l.kinds[quality.LeadingZeros] {
		l.view.Aliased(l.numbers, func(rows []ledger.Row, numbers []string) {
			for i, row := range rows {
				others := slices.Delete(slices.Clone(numbers), i, i+1)
				slices.Sort(others)
				add(foundAt{others: others, arrivals: []uint64{row.Arrival}}, quality.LeadingZeros, ^row.Arrival)
			}
		})
	}
	for kind, scans := range l.scans {
		for _, arrival := range scans {
			add(foundAt{arrivals: []uint64{arrival}}, quality.Kind(kind), ^arrival)
		}
	}
	for kind, list := range map[quality.Kind][]quality.Tallied{
		quality.SeveralAvailable: l.available, quality.DifferentQuestions: l.questions,
	} {
		common := quality.Common(list)
		for _, x := range list {
			if x.Value != common.Value {
				add(foundAt{tallied: x, arrivals: []uint64{x.First, common.First}}, kind, x.Value)
			}
		}
	}
	for _, k := range l.conflicts {
		add(foundAt{key: k, arrivals: []uint64{k.Credited, k.Not}}, quality.KeyConflict, uint64(k.Question), uint64(k.Response))
	}
	return found
}

// scansOf finds all scans of the students in the list.
func (l *look) scansOf(found []foundAt) {
	of := make(map[ledger.Student][]uint64)
	for i := range found {
		if len(found[i].arrivals) == 0 {
			of[found[i].student] = nil
		}
	}
	if len(of) == 0 {
		return
	}
	add := func(row ledger.Row) error {
		if arrivals, wanted := of[row.Student]; wanted {
			of[row.Student] = append(arrivals, row.Arrival)
		}
		return nil
	}
	// Neither fails, because add does not.
	_ = l.view.Each(add)
	_ = l.view.EachPassed(add)
	for i := range found {
		if len(found[i].arrivals) == 0 {
			arrivals := of[found[i].student]
			slices.Sort(arrivals)
			found[i].arrivals = slices.Compact(arrivals)
		}
	}
}

// found is what a document says of a scan.
func (r *documentReader) found(test exam.TestID, arrival uint64) (FoundScan, error) {
	at := ledger.ArrivalOf(arrival)
	if err := r.read(entry.Position(at.Position)); err != nil {
		return FoundScan{}, err
	}
	if at.Record >= len(r.doc.Records) || string(r.doc.Records[at.Record].Test) != string(test) {
		// The document is whole, so it was another decoder that counted it.
		return FoundScan{}, fmt.Errorf("position %d, record %d: %w", at.Position, at.Record+1, ErrUnreadable)
	}
	record := &r.doc.Records[at.Record]
	description, err := r.engine.opts.Replay.Describe(r.raw, r.stored.MediaType, at.Record)
	if err != nil {
		return FoundScan{}, fmt.Errorf("position %d, record %d: %w", at.Position, at.Record+1, errors.Join(ErrUnreadable, err))
	}
	r.bytes += len(r.raw)
	scan := FoundScan{
		Import: referTo(&r.stored.Header), Source: r.stored.Source, Record: at.Record + 1, Student: string(record.Student),
		Description: description, Obtained: record.Obtained, Available: record.Available,
		answers: slices.Clone(r.doc.AnswersOf(record)), spelled: make(map[exam.Text]string),
	}
	for i := range scan.answers {
		a := &scan.answers[i]
		scan.spelled[a.Question], scan.spelled[a.Response] = r.doc.Spell(a.Question), r.doc.Spell(a.Response)
	}
	return scan, nil
}
