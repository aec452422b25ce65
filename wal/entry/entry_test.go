package entry_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"markr/wal/entry"
)

func codec(tb testing.TB) *entry.Codec {
	tb.Helper()
	c, err := entry.NewCodec()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// full is a header with something in every field.
func full() entry.Header {
	return entry.Header{
		Position:    1 << 40,
		Salt:        0x2abbccdd,
		Received:    time.Date(2026, 11, 23, 14, 0, 0, 123456000, time.UTC),
		Source:      "192.0.2.7",
		MediaType:   "text/xml+markr; charset=utf-8",
		Outcome:     entry.Duplicate,
		Digest:      entry.Digest{1, 2, 3, 31: 9},
		Size:        170820,
		DuplicateOf: 17,
		Detail:      []byte(`{"records":100}`),
		Ordinal:     1<<40 - 5,
	}
}

// A header comes back as it was, with its chain.
func TestHeaderRoundTrip(t *testing.T) {
	t.Parallel()
	f := func(h entry.Header) {
		t.Helper()
		previous := entry.Chain{4, 5, 6}
		b := entry.AppendHeader([]byte("before"), &h, previous)[len("before"):]
		got, err := entry.DecodeHeader(h.Position, b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(h, got); diff != "" {
			t.Error(diff)
		}
		if !entry.Follows(h.Position, b, previous) || entry.Follows(h.Position, b, entry.Chain{}) ||
			entry.Follows(h.Position+1, b, previous) {
			t.Error("chained to something else than what was given")
		}
	}
	f(full())
	h := full()
	h.Outcome, h.DuplicateOf, h.Source, h.MediaType, h.Detail = entry.Accepted, 0, "", "", nil
	f(h)
	h.Received = time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)
	h.Position, h.Ordinal, h.Size = 1, 0, 0
	h.Outcome = entry.Refused
	f(h)
	h.Position, h.LastCounted, h.Ordinal = 90, 17, 12
	f(h)
}

// An import id says when and where, sorts by time and then by position, and is one of
// the standard's.
func TestID(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 14, 0, 0, 123_000_000, time.UTC)
	before := uuid.Nil
	for _, at := range []entry.Position{1, 2, 1<<32 - 1, 1 << 32, 1<<32 + 1, entry.PositionMax} {
		id := entry.NewID(now, at, 1<<30-1)
		seconds, nanoseconds := id.Time().UnixTime()
		if id.Version() != 7 || id.Variant() != uuid.RFC4122 || !time.Unix(seconds, nanoseconds).Equal(now) {
			t.Errorf("position %d: %v is of version %v, variant %v, time %v", at, id, id.Version(), id.Variant(), time.Unix(seconds, nanoseconds))
		}
		if entry.IDPosition(id) != at || bytes.Compare(id[:], before[:]) <= 0 {
			t.Errorf("position %d: %v, read as %d, after %v", at, id, entry.IDPosition(id), before)
		}
		before = id
	}
	if later := entry.NewID(now.Add(time.Millisecond), 1, 0); bytes.Compare(later[:], before[:]) <= 0 {
		t.Errorf("%v a millisecond after %v", later, before)
	}
	for _, id := range []uuid.UUID{{}, uuid.Max, uuid.New(), {6: 0x70}} {
		if at := entry.IDPosition(id); at != 0 {
			t.Errorf("%v, which is no log's, is read as position %d", id, at)
		}
	}
}

// The bytes of a header of version 2, which have to stay readable for ever.
func TestHeaderVector(t *testing.T) {
	t.Parallel()
	h := full()
	got := entry.AppendHeader(nil, &h, entry.Chain{0: 7, 15: 8})
	want := "02" + "03" + // version, outcome
		"05" + // refused entries so far
		"000660f202795a40" + // 2026-11-23T14:00:00.123456Z in microseconds
		"2abbccdd" + // salt
		"010203" + strings.Repeat("00", 28) + "09" + // digest
		"c4b60a" + "efffffffff1f" + // size, how far back the first is
		"09" + hex.EncodeToString([]byte("192.0.2.7")) +
		"1d" + hex.EncodeToString([]byte("text/xml+markr; charset=utf-8")) +
		"0f" + hex.EncodeToString([]byte(`{"records":100}`)) +
		// SHA-256, cut, of the chain before, the position, and all of the above; CRC-32C of
		// the position and everything.
		"1f17eec37f3f9e4e4aa8cff5370bb816" + "7c5e0b18"
	if want := uuid.MustParse("01a208b4-db7b-7100-8000-00002abbccdd"); h.ID != want {
		t.Errorf("the id is %v, want %v", h.ID, want)
	}
	if text := hex.EncodeToString(got); text != want {
		t.Errorf("got\n%s, want\n%s", text, want)
	}
}

// Any change of one bit is seen, and named by position.
func TestHeaderBitFlips(t *testing.T) {
	t.Parallel()
	h := full()
	b := entry.AppendHeader(nil, &h, entry.Chain{})
	for i := range len(b) * 8 {
		b[i/8] ^= 1 << (i % 8)
		_, err := entry.DecodeHeader(h.Position, b)
		if damaged, ok := errors.AsType[*entry.DamagedError](err); !ok || damaged.Position != h.Position {
			t.Fatalf("bit %d flipped: %v", i, err)
		}
		b[i/8] ^= 1 << (i % 8)
	}
	for n := range b {
		if _, err := entry.DecodeHeader(h.Position, b[:n]); !errors.Is(err, entry.ErrDamaged) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := entry.DecodeHeader(h.Position+1, b); !errors.Is(err, entry.ErrDamaged) {
		t.Fatalf("at another position: %v", err)
	}
}

// What a newer program wrote is whole, so it is not called damaged.
func TestUnknownVersions(t *testing.T) {
	t.Parallel()
	h := full()
	b := withChecksum(h.Position, append([]byte{200}, entry.AppendHeader(nil, &h, entry.Chain{})[1:]...))
	_, err := entry.DecodeHeader(h.Position, b)
	version, ok := errors.AsType[*entry.VersionError](err)
	if !ok || version.Version != 200 || version.Position != h.Position ||
		!errors.Is(err, entry.ErrUnknownVersion) || errors.Is(err, entry.ErrDamaged) {
		t.Errorf("header of version 200: %v", err)
	}
	if !strings.Contains(err.Error(), "version 200") {
		t.Errorf("the message does not name the version: %v", err)
	}

	c := codec(t)
	e := c.Seal(entry.Header{Position: 3, Outcome: entry.Accepted}, []byte("document"))
	e.Body[0] = 77
	_, err = c.Raw(e, nil)
	if version, ok = errors.AsType[*entry.VersionError](err); !ok || version.Version != 77 || version.Position != 3 {
		t.Errorf("body of codec 77: %v", err)
	}
}

// A header whose checksum is right can still say what no log writes.
func TestHeaderNonsense(t *testing.T) {
	t.Parallel()
	f := func(what string, change func(h *entry.Header)) {
		t.Helper()
		h := full()
		change(&h)
		b := entry.AppendHeader(nil, &h, entry.Chain{})
		if _, err := entry.DecodeHeader(h.Position, b); !errors.Is(err, entry.ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("no outcome", func(h *entry.Header) { h.Outcome = 0 })
	f("outcome 9", func(h *entry.Header) { h.Outcome = 9 })
	f("accepted and duplicate", func(h *entry.Header) { h.Outcome = entry.Accepted })
	f("duplicate of nothing", func(h *entry.Header) { h.DuplicateOf = 0 })
	f("duplicate of itself", func(h *entry.Header) { h.DuplicateOf = h.Position })
	f("duplicate of a later one", func(h *entry.Header) { h.DuplicateOf = h.Position + 1 })
	f("more that count than positions", func(h *entry.Header) { h.Ordinal = uint64(h.Position) + 1 })
	f("huge document", func(h *entry.Header) { h.Size = entry.DocumentBytesMax + 1 })
	f("negative document", func(h *entry.Header) { h.Size = -1 })
	f("long source", func(h *entry.Header) { h.Source = strings.Repeat("s", entry.TextBytesMax+1) })
	f("long media type", func(h *entry.Header) { h.MediaType = strings.Repeat("m", entry.TextBytesMax+1) })
	f("long detail", func(h *entry.Header) { h.Detail = make([]byte, entry.DetailBytesMax+1) })
}

func TestCheck(t *testing.T) {
	t.Parallel()
	c := codec(t)
	sealed := func() *entry.Entry {
		h := full()
		h.Outcome, h.DuplicateOf = entry.Accepted, 0
		return c.Seal(h, []byte("<mcq-test-results/>"))
	}
	if err := sealed().Check(); err != nil {
		t.Fatalf("a good entry: %v", err)
	}
	f := func(what string, change func(e *entry.Entry)) {
		t.Helper()
		e := sealed()
		change(e)
		if err := e.Check(); !errors.Is(err, entry.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("no outcome", func(e *entry.Entry) { e.Outcome = 0 })
	f("duplicate already", func(e *entry.Entry) { e.Outcome = entry.Duplicate })
	f("refers already", func(e *entry.Entry) { e.DuplicateOf = 1 })
	f("negative size", func(e *entry.Entry) { e.Size = -1 })
	f("huge", func(e *entry.Entry) { e.Size = entry.DocumentBytesMax + 1 })
	f("not sealed", func(e *entry.Entry) { e.Body = nil })
	f("body longer than document", func(e *entry.Entry) { e.Size = 3 })
	f("long source", func(e *entry.Entry) { e.Source = strings.Repeat("s", entry.TextBytesMax+1) })
	f("long media type", func(e *entry.Entry) { e.MediaType = strings.Repeat("m", entry.TextBytesMax+1) })
	f("long detail", func(e *entry.Entry) { e.Detail = make([]byte, entry.DetailBytesMax+1) })
}
