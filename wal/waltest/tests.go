package waltest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"markr/wal/entry"
)

// bench is a test's log, with what was appended to it.
type bench struct {
	Log

	store    Store
	maker    *Maker
	appended []*entry.Entry // by position - 1
}

func open(t *testing.T, s Store) *bench {
	t.Helper()
	b := &bench{Log: s.Open(t), store: s, maker: NewMaker(t)}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

// reopen closes the log and opens it again, with something done between.
func (b *bench) reopen(t *testing.T, between func()) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	between()
	b.Log = b.store.Open(t)
}

// append appends and checks what becomes of the entries.
func (b *bench) append(t *testing.T, entries []*entry.Entry) {
	t.Helper()
	before := Copies(entries)
	if err := b.Append(entries); err != nil {
		t.Fatalf("append: %v", err)
	}
	for i, e := range entries {
		if want := entry.Position(len(b.appended) + 1); e.Position != want {
			t.Fatalf("position %d, want %d", e.Position, want)
		}
		want := *before[i]
		want.Position, want.Ordinal, want.Chain = e.Position, e.Ordinal, e.Chain
		want.ID = entry.NewID(want.Received, want.Position, want.Salt)
		if want.Outcome == entry.Refused {
			want.LastCounted = b.lastCounted()
		}
		if first := b.first(before[i]); first != nil {
			want.Outcome, want.DuplicateOf, want.Body = entry.Duplicate, first.Position, nil
		}
		if diff := cmp.Diff(&want, e); diff != "" {
			t.Fatalf("position %d after append: %s", e.Position, diff)
		}
		b.appended = append(b.appended, e)
	}
	if want := entry.Position(len(b.appended)); b.Last() != want {
		t.Fatalf("last is %d, want %d", b.Last(), want)
	}
}

// lastCounted is the position of the last entry that is not a refused one.
func (b *bench) lastCounted() entry.Position {
	for _, e := range slices.Backward(b.appended) {
		if e.Outcome != entry.Refused {
			return e.Position
		}
	}
	return 0
}

// first is the accepted entry with the same document, if e is to be accepted.
func (b *bench) first(e *entry.Entry) *entry.Entry {
	for _, a := range b.appended {
		if e.Outcome == entry.Accepted && a.Outcome == entry.Accepted && a.Digest == e.Digest {
			return a
		}
	}
	return nil
}

// check reads everything there is, in every way.
func (b *bench) check(t *testing.T) {
	t.Helper()
	var replayed []*entry.Entry
	for _, want := range b.appended {
		got, err := b.At(want.Position)
		if err != nil {
			t.Fatal(err)
		}
		same(t, b.maker.codec, want, got)
		h, err := b.Find(want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Header, h); diff != "" {
			t.Fatalf("find %v: %s", want.ID, diff)
		}
		if want.Outcome == entry.Accepted || want.Outcome == entry.Event {
			replayed = append(replayed, want)
		}
	}
	for i, got := range b.replay(t, 0) {
		same(t, b.maker.codec, replayed[i], got)
	}
	for _, outcome := range []entry.Outcome{0, entry.Accepted, entry.Refused, entry.Duplicate, entry.Event} {
		b.checkHeaders(t, outcome)
	}
}

// replay returns what is replayed from a position on.
func (b *bench) replay(t *testing.T, from entry.Position) []*entry.Entry {
	t.Helper()
	var got []*entry.Entry
	err := b.Replay(t.Context(), from, func(e *entry.Entry) error {
		got = append(got, e)
		return nil
	})
	if err != nil {
		t.Fatalf("replay from %d: %v", from, err)
	}
	want := 0
	for _, e := range b.appended {
		if (e.Outcome == entry.Accepted || e.Outcome == entry.Event) && e.Position >= from {
			want++
		}
	}
	if len(got) != want {
		t.Fatalf("replay from %d: %d entries, want %d", from, len(got), want)
	}
	return got
}

// checkHeaders pages through the headers of an outcome.
func (b *bench) checkHeaders(t *testing.T, outcome entry.Outcome) {
	t.Helper()
	const page = 3
	before := entry.Position(0)
	i := len(b.appended)
	for {
		headers, err := b.Headers(before, outcome, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range headers {
			for i--; outcome != 0 && b.appended[i].Outcome != outcome; i-- {
			}
			if diff := cmp.Diff(b.appended[i].Header, h); diff != "" {
				t.Fatalf("headers before %d of outcome %v: %s", before, outcome, diff)
			}
			before = h.Position
		}
		if len(headers) < page {
			break
		}
	}
	for i--; i >= 0; i-- {
		if outcome == 0 || b.appended[i].Outcome == outcome {
			t.Fatalf("headers of outcome %v end before position %d", outcome, i+1)
		}
	}
}

func testEmpty(t *testing.T, s Store) {
	b := open(t, s)
	b.check(t)
	if err := b.Writable(); err != nil {
		t.Errorf("writable: %v", err)
	}
	b.append(t, nil)
	if b.Last() != 0 {
		t.Errorf("last is %d", b.Last())
	}
	for _, at := range []entry.Position{0, 1, ^entry.Position(0)} {
		if _, err := b.At(at); !errors.Is(err, entry.ErrNotFound) {
			t.Errorf("at %d: %v", at, err)
		}
		if headers, err := b.Headers(at, 0, 10); len(headers) != 0 || err != nil {
			t.Errorf("headers before %d: %d, %v", at, len(headers), err)
		}
		b.replay(t, at)
	}
	if _, err := b.Find(uuid.New()); !errors.Is(err, entry.ErrNotFound) {
		t.Errorf("find: %v", err)
	}
}

// Entries are where they were appended, one position after the other.
func testOrder(t *testing.T, s Store) {
	b := open(t, s)
	b.append(t, b.maker.Accepted(1))
	b.append(t, b.maker.Accepted(2, 3, 4))
	b.append(t, b.maker.Refused(5))
	b.append(t, append(b.maker.Refused(6, 7), b.maker.Accepted(8)...))
	b.check(t)
	for i, e := range b.appended[1:] {
		if e.Chain == b.appended[i].Chain || e.Chain == (entry.Chain{}) {
			t.Errorf("position %d has no chain value of its own", e.Position)
		}
	}
	if got := b.appended[7].Ordinal; got != 5 {
		t.Errorf("the fifth counted entry has ordinal %d", got)
	}
}

// A document that was accepted before, in the log or in the same group, becomes a
// duplicate of the first.
func testDuplicates(t *testing.T, s Store) {
	b := open(t, s)
	b.append(t, b.maker.Accepted(1, 2))
	b.append(t, b.maker.Accepted(2, 3, 3, 1, 3))
	b.append(t, b.maker.Accepted(3))
	b.check(t)
	for i, want := range []entry.Position{0, 0, 2, 0, 4, 1, 4, 4} {
		if got := b.appended[i].DuplicateOf; got != want {
			t.Errorf("position %d is a duplicate of %d, want %d", i+1, got, want)
		}
	}
}

// A refused document is no first: the same bytes may be accepted later, when the
// limits are other ones, and refused bytes are kept each time.
func testDuplicatesOfRefused(t *testing.T, s Store) {
	b := open(t, s)
	b.append(t, b.maker.Refused(1, 1))
	b.append(t, b.maker.Accepted(1))
	b.append(t, append(b.maker.Refused(1), b.maker.Accepted(1)...))
	b.check(t)
	for i, want := range []entry.Outcome{entry.Refused, entry.Refused, entry.Accepted, entry.Refused, entry.Duplicate} {
		if got := b.appended[i].Outcome; got != want {
			t.Errorf("position %d is %v, want %v", i+1, got, want)
		}
	}
}

// An event is counted as an accepted entry is, but it is no document: it is no
// duplicate of one, nor of another event, nor is anything a duplicate of it.
func testEvents(t *testing.T, s Store) {
	b := open(t, s)
	b.append(t, b.maker.Events(1))
	b.append(t, append(b.maker.Accepted(1, 1), b.maker.Events(1, 1)...))
	b.append(t, append(b.maker.Refused(2), b.maker.Accepted(1)...))
	b.reopen(t, func() {})
	b.append(t, b.maker.Events(1))
	b.check(t)
	const event, accepted, refused, duplicate = entry.Event, entry.Accepted, entry.Refused, entry.Duplicate
	ordinals := []uint64{1, 2, 3, 4, 5, 5, 6, 7}
	for i, want := range []entry.Outcome{event, accepted, duplicate, event, event, refused, duplicate, event} {
		if got := b.appended[i]; got.Outcome != want || got.Ordinal != ordinals[i] {
			t.Errorf("position %d is %v with ordinal %d, want %v with %d", i+1, got.Outcome, got.Ordinal, want, ordinals[i])
		}
	}
}

// An entry that cannot be kept refuses its group, and does no harm.
func testInvalid(t *testing.T, s Store) {
	b := open(t, s)
	b.append(t, b.maker.Accepted(1))
	f := func(what string, change func(e *entry.Entry)) {
		t.Helper()
		group := b.maker.Accepted(2, 3, 4)
		change(group[1])
		before := Copies(group)
		if err := b.Append(group); !errors.Is(err, entry.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(before, group); diff != "" {
			t.Errorf("%s: the entries have changed: %s", what, diff)
		}
	}
	f("unknown outcome", func(e *entry.Entry) { e.Outcome = entry.Event + 1 })
	f("duplicate already", func(e *entry.Entry) { e.Outcome, e.DuplicateOf = entry.Duplicate, 1 })
	f("not sealed", func(e *entry.Entry) { e.Body = nil })
	b.check(t)
	b.append(t, b.maker.Accepted(2))
	b.check(t)
}

func testFind(t *testing.T, s Store) {
	b := open(t, s)
	entries := b.maker.Accepted(1, 2, 3)
	// Times are mostly in order of position, but clocks are set.
	entries[0].Received, entries[2].Received = entries[2].Received, entries[0].Received
	b.append(t, entries[:1])
	b.append(t, entries[1:])
	b.check(t)
	known := entries[1]
	for _, id := range []uuid.UUID{
		{},
		{15: 1},
		uuid.Max,
		entry.NewID(known.Received, known.Position, known.Salt+1),
		entry.NewID(known.Received.Add(time.Millisecond), known.Position, known.Salt),
		entry.NewID(known.Received, known.Position+1, known.Salt),
		entry.NewID(known.Received, entry.PositionMax, known.Salt),
	} {
		if _, err := b.Find(id); !errors.Is(err, entry.ErrNotFound) {
			t.Errorf("find %v: %v", id, err)
		}
	}
}

func testHeaders(t *testing.T, s Store) {
	b := open(t, s)
	for i := range 20 {
		b.append(t, b.maker.Accepted(i%6))
		b.append(t, b.maker.Refused(i))
	}
	b.check(t)
	for _, limit := range []int{0, -1} {
		if headers, err := b.Headers(0, 0, limit); len(headers) != 0 || err != nil {
			t.Errorf("limit %d: %d headers, %v", limit, len(headers), err)
		}
	}
	headers, err := b.Headers(1000, entry.Refused, 1000)
	if err != nil || len(headers) != 20 {
		t.Errorf("before the end: %d headers, %v", len(headers), err)
	}
	if headers, err = b.Headers(1, 0, 10); len(headers) != 0 || err != nil {
		t.Errorf("before the first: %d headers, %v", len(headers), err)
	}
	if headers, err = b.Headers(0, 99, 10); len(headers) != 0 || err != nil {
		t.Errorf("of no outcome: %d headers, %v", len(headers), err)
	}
}
