package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"markr/engine/exam"
	"markr/engine/ledger"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// Why a checkpoint is of no use, though it is whole.
var (
	errOlder      = fmt.Errorf("checkpoint: %w: an older markr made it", entry.ErrUnknownVersion)
	errOtherRule  = errors.New("checkpoint: made under another scoring rule")
	errOtherBasis = errors.New("checkpoint: made before the log was reprocessed")
	errBook       = errors.New("checkpoint: not one that this program could have made")
)

// decoder takes fields out of a reader. After a field that is not there it yields
// zeros, and err says why: callers look now and then.
type decoder struct {
	from   io.Reader
	buffer []byte
	rest   []byte // of the buffer, not yet taken
	ended  bool
	err    error
}

const (
	decodeBytes = 256 << 10
	// fieldBytesMax is the longest field with its length.
	fieldBytesMax = exam.IDBytesMax + binary.MaxVarintLen64
)

// ahead sees to it that a whole field is there, if the reader has one.
func (d *decoder) ahead() []byte {
	if len(d.rest) < fieldBytesMax && !d.ended {
		if d.buffer == nil {
			d.buffer = make([]byte, decodeBytes)
		}
		n := copy(d.buffer, d.rest)
		for n < fieldBytesMax && !d.ended {
			more, err := d.from.Read(d.buffer[n:])
			n += more
			if d.ended = err != nil; d.ended && !errors.Is(err, io.EOF) {
				d.err = err
			}
		}
		d.rest = d.buffer[:n]
	}
	return d.rest
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = errBook
	}
	d.rest, d.ended = nil, true
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.ahead())
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.ahead())
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// count takes a number of things that each take a byte at least and, here, are less
// than 2^32.
func (d *decoder) count() int {
	v := d.uint()
	if v > 1<<32 {
		d.fail()
		return 0
	}
	return int(v)
}

// bytes takes n bytes; they are the caller's until the next call.
func (d *decoder) bytes(n uint64) []byte {
	if rest := d.ahead(); n > exam.IDBytesMax || n > uint64(len(rest)) {
		d.fail()
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

// marks takes marks.
func (d *decoder) marks() exam.Marks {
	v := d.uint()
	if v > uint64(exam.MarksMax) {
		d.fail()
		return 0
	}
	return exam.Marks(v)
}

// decodeBook reads what a view has written, for a book under the rule in force at
// this position, and what is known of refused documents. The book keeps what is needed
// for item analysis if that is wanted and there.
func decodeBook(r io.Reader, at entry.Position, inForce *RuleInForce, wantItems bool, refused *refusals) (*book, error) {
	d := &decoder{from: r}
	head, err := d.head()
	switch {
	case err != nil:
		return nil, err
	case head.rule != inForce.Rule:
		return nil, errOtherRule
	case head.basis != inForce.Position:
		return nil, errOtherBasis
	}
	b := newBook(inForce, false)
	b.position = at
	if !b.students.Restore(d.count(), func() ([]byte, bool) {
		number := d.bytes(d.uint())
		if exam.CheckID(number) != nil {
			d.fail()
		}
		return number, d.err == nil
	}) {
		d.fail()
	}
	d.positions(&b.taken, at)
	// Tests are read one after the other, and filled beside the reading.
	var filling errgroup.Group
	for tests := d.count(); tests > 0 && d.err == nil; tests-- {
		d.test(b, &filling)
	}
	refusals := d.refusals()
	items := d.items(b, head.items, wantItems, &filling)
	if d.err == nil && len(d.ahead()) > 0 {
		d.fail()
	}
	if err := errors.Join(filling.Wait(), b.restoreZeros()); err != nil && d.err == nil {
		d.err = fmt.Errorf("%w: %w", errBook, err)
	}
	if d.err != nil {
		return nil, d.err
	}
	b.adopt(items)
	refused.restore(refusals)
	return b, nil
}

// bookHead is the beginning of a checkpoint.
type bookHead struct {
	rule  scoring.Rule
	basis entry.Position // of the reprocess that put the rule in force, 0 if a start has
	items byte           // version of the part for item analysis; 0: there is none
}

// head takes the version and what is behind it.
func (d *decoder) head() (h bookHead, err error) {
	head := slices.Clone(d.bytes(1 + uint64(len(ruleBytes{}))))
	switch {
	case d.err != nil:
		return h, d.err
	case head[0] < bookVersionWithoutItems:
		return h, errOlder
	case head[0] > bookVersion:
		return h, &entry.VersionError{What: "checkpoint of the engine", Version: head[0]}
	}
	h.rule = scoring.Rule{Policy: scoring.Policy(head[1]), Denominator: scoring.Denominator(head[3])}
	switch {
	case !h.rule.Known():
		return h, errBook
	case bytesOf(h.rule) != ruleBytes(head[1:]):
		return h, &entry.VersionError{What: "rule of the checkpoint", Version: max(head[2], head[4])}
	}
	h.basis = entry.Position(d.uint())
	if head[0] > bookVersionWithoutItems {
		if version := d.bytes(1); d.err == nil {
			h.items = version[0]
		}
	}
	return h, d.err
}

// Rows on their way from the reading to the filling of a test.
const (
	rowsMax    = 4096 // in one hand-over
	handedOver = 16   // waiting at most
)

// test reads one test into b.
func (d *decoder) test(b *book, filling *errgroup.Group) {
	id := exam.TestID(d.bytes(d.uint()))
	if exam.CheckID([]byte(id)) != nil || b.tests[id] != nil {
		d.fail()
		return
	}
	t := b.test([]byte(id))
	last := d.last()
	t.touch(b, last)
	rows := d.count()
	// No student has two kept scans in one test, so what is made ready for rows is
	// bounded by the students that have been read.
	if rows > b.students.Len() || last.Position == 0 || last.Position > b.position {
		d.fail()
		return
	}
	b.marks += rows
	handed, filled := make(chan []ledger.Row, handedOver), make(chan struct{})
	t.restored = restoredRows{rows, filled}
	t.kept.Reserve(rows)
	filling.Go(func() error {
		defer close(filled)
		var err error
		for part := range handed {
			if err == nil { // The channel has to be emptied in any case.
				err = t.kept.Restore(b.students, part)
			}
		}
		return err
	})
	d.rows(rows, b.rule, true, func(part []ledger.Row) { handed <- part })
	close(handed)
	// What is passed is another part of the test than what is being filled.
	d.rows(d.count(), b.rule, false, func(part []ledger.Row) {
		if err := t.kept.RestorePassed(b.students, part); err != nil {
			d.fail()
		}
	})
	var rise ledger.Rise
	for range d.count() {
		rise.Arrival += d.uint()
		rise.Available += d.marks()
		if d.err != nil || t.kept.RestoreRise(rise) != nil {
			d.fail()
			return
		}
	}
	t.zeros = d.count()
	d.quality(&t.quality)
	filling.Go(func() error {
		<-filled
		return t.kept.Restored(uint64(b.position))
	})
}

// rows reads rows and hands them over in parts.
func (d *decoder) rows(rows int, rule scoring.Rule, isKept bool, handOver func([]ledger.Row)) {
	var before ledger.Row
	for rows > 0 && d.err == nil {
		part := make([]ledger.Row, min(rows, rowsMax))
		for i := range part {
			before = d.row(before, rule, isKept)
			part[i] = before
		}
		if d.err == nil {
			handOver(part)
		}
		rows -= len(part)
	}
}

// last takes the last import of a test.
func (d *decoder) last() (last ImportRef) {
	copy(last.ID[:], d.bytes(uint64(len(last.ID))))
	last.Position = entry.Position(d.uint())
	last.Received = time.UnixMicro(d.int()).UTC()
	return last
}

func (d *decoder) row(before ledger.Row, rule scoring.Rule, isKept bool) (row ledger.Row) {
	student := int64(before.Student) + d.int()
	if student < 0 || student > 1<<32-1 {
		d.fail()
		return row
	}
	row.Student = ledger.Student(student)
	row.Obtained = d.marks()
	row.Arrival = before.Arrival + uint64(d.int())
	if rule.NeedsAvailable() {
		row.Available = d.marks()
	}
	if rule.NeedsScannedOn() {
		row.ScannedOn = d.int()
	}
	if isKept && rule.Denominator == scoring.OfSheet {
		row.Highest = d.marks()
	}
	if isKept {
		if b := d.bytes(4); b != nil {
			row.Names, row.Responses = exam.Print(binary.LittleEndian.Uint16(b)), exam.Print(binary.LittleEndian.Uint16(b[2:]))
		}
	}
	return row
}
