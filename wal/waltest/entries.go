package waltest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"markr/wal/entry"
)

// Maker makes entries, each with a time and a salt of its own, the same in each run.
type Maker struct {
	codec *entry.Codec
	made  uint64
}

// NewMaker returns a Maker.
func NewMaker(tb testing.TB) *Maker {
	tb.Helper()
	codec, err := entry.NewCodec()
	if err != nil {
		tb.Fatal(err)
	}
	return &Maker{codec: codec}
}

// Document is the n-th document: of its own bytes, and now and then a long one.
func Document(n int) []byte {
	return []byte(strings.Repeat(fmt.Sprintf("<mcq-test-result>%d</mcq-test-result>\n", n), 1+n%7*n%40))
}

// Entry seals a document with a header in which every field says something.
func (m *Maker) Entry(outcome entry.Outcome, raw []byte) *entry.Entry {
	m.made++
	h := entry.Header{
		Salt:      uint32(m.made),
		Received:  time.UnixMicro(1_764_000_000_000_000 + int64(m.made)).UTC(),
		Source:    fmt.Sprintf("192.0.2.%d", m.made%256),
		MediaType: "text/xml+markr; charset=utf-8",
		Outcome:   outcome,
		Detail:    fmt.Appendf(nil, `{"records":%d}`, m.made),
	}
	return m.codec.Seal(h, raw)
}

// Accepted is an accepted entry for each of the documents.
func (m *Maker) Accepted(documents ...int) []*entry.Entry {
	entries := make([]*entry.Entry, len(documents))
	for i, n := range documents {
		entries[i] = m.Entry(entry.Accepted, Document(n))
	}
	return entries
}

// Refused is a refused entry for each of the documents.
func (m *Maker) Refused(documents ...int) []*entry.Entry {
	entries := m.Accepted(documents...)
	for _, e := range entries {
		e.Outcome = entry.Refused
	}
	return entries
}

// Events is an event for each of the documents, which stand for what happened.
func (m *Maker) Events(documents ...int) []*entry.Entry {
	entries := m.Accepted(documents...)
	for _, e := range entries {
		e.Outcome = entry.Event
	}
	return entries
}

// Copies of entries, because Append changes them.
func Copies(entries []*entry.Entry) []*entry.Entry {
	copies := make([]*entry.Entry, len(entries))
	for i, e := range entries {
		c := *e
		copies[i] = &c
	}
	return copies
}

// same checks that an entry is the one that was appended, and that its document
// comes out of it.
func same(tb testing.TB, codec *entry.Codec, want, got *entry.Entry) {
	tb.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Fatalf("position %d: %s", want.Position, diff)
	}
	raw, err := codec.Raw(got, nil)
	if want.Outcome == entry.Duplicate {
		if !errors.Is(err, entry.ErrNotFound) {
			tb.Fatalf("position %d, a duplicate, has a document: %v", want.Position, err)
		}
		return
	}
	if err != nil {
		tb.Fatal(err)
	}
	if wanted, err := codec.Raw(want, nil); err != nil || !bytes.Equal(raw, wanted) {
		tb.Fatalf("position %d: another document, %v", want.Position, err)
	}
}
