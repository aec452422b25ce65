package waltest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"markr/wal/entry"
)

// A replay can start anywhere, and gives accepted entries and events only.
func testReplay(t *testing.T, s Store) {
	b := open(t, s)
	b.append(t, b.maker.Refused(0))
	for i := range 30 {
		b.append(t, append(b.maker.Accepted(i, i/2), b.maker.Refused(i)...))
		if i%5 == 0 {
			b.append(t, append(b.maker.Events(i, 0), b.maker.Refused(i)...))
		}
	}
	b.check(t)
	for from := range b.Last() + 3 {
		for i, e := range b.replay(t, from) {
			if i == 0 && e.Position < from {
				t.Errorf("replay from %d begins at %d", from, e.Position)
			}
			same(t, b.maker.codec, b.appended[e.Position-1], e)
		}
	}
}

// A replay ends with its function's error, or with its context.
func testReplayStops(t *testing.T, s Store) {
	b := open(t, s)
	b.append(t, b.maker.Accepted(1, 2, 3, 4))
	seen, stop := 0, errors.New("enough")
	err := b.Replay(t.Context(), 1, func(*entry.Entry) error {
		if seen++; seen == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || seen != 2 {
		t.Errorf("stopped by the function: %v after %d entries", err, seen)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	seen = 0
	err = b.Replay(ctx, 1, func(*entry.Entry) error {
		if seen++; seen == 2 {
			cancel(stop)
		}
		return nil
	})
	if !errors.Is(err, stop) || seen != 2 {
		t.Errorf("stopped by the context: %v after %d entries", err, seen)
	}
	b.check(t)
}

// What is appended while a replay is under way may be part of it or not; nothing
// else changes. The function may use the log.
func testReplayDuringAppends(t *testing.T, s Store) {
	b := open(t, s)
	const n = 40
	for i := range n {
		b.append(t, b.maker.Accepted(i))
	}
	var last entry.Position
	err := b.Replay(t.Context(), 1, func(e *entry.Entry) error {
		if e.Position != last+1 {
			return fmt.Errorf("position %d after %d", e.Position, last)
		}
		if last = e.Position; last <= n {
			b.append(t, b.maker.Accepted(1000+int(last)))
		}
		_, err := b.At(e.Position)
		return err
	})
	if err != nil || last < n {
		t.Errorf("ended after %d of %d: %v", last, n, err)
	}
	b.check(t)
}

// After Close and Open everything is as it was, and the log goes on.
func testReopen(t *testing.T, s Store) {
	b := open(t, s)
	for round := range 4 {
		b.append(t, b.maker.Accepted(round, 100+round, 0))
		b.append(t, b.maker.Refused(round))
		b.reopen(t, func() {
			if err := b.Close(); err != nil {
				t.Errorf("closing again: %v", err)
			}
		})
		if got, want := b.Last(), entry.Position(len(b.appended)); got != want {
			t.Fatalf("last is %d after reopening, want %d", got, want)
		}
		b.check(t)
	}
	b.append(t, b.maker.Accepted(101, 500))
	b.check(t)
}

// A damaged entry is named, by whoever reads it; the entries before it are given.
func testDamaged(t *testing.T, s Store) {
	if s.Spoil == nil {
		t.Skip("nothing of this log can be spoilt")
	}
	spoil(t, s, SpoilBody, func(t *testing.T, b *bench) {
		t.Helper()
		e, err := b.At(3)
		if err == nil {
			_, err = b.maker.codec.Raw(e, nil)
		}
		named(t, "at", err)
	})
}

// An entry that is missing is named as well.
func testMissing(t *testing.T, s Store) {
	if s.Spoil == nil {
		t.Skip("nothing of this log can be spoilt")
	}
	spoil(t, s, Remove, func(t *testing.T, b *bench) {
		t.Helper()
		_, err := b.At(3)
		named(t, "at", err)
		_, err = b.Find(b.appended[2].ID)
		named(t, "find", err)
	})
}

func spoil(t *testing.T, s Store, how Spoiling, look func(t *testing.T, b *bench)) {
	t.Helper()
	b := open(t, s)
	b.append(t, b.maker.Accepted(1, 2, 3, 4, 5))
	b.reopen(t, func() { s.Spoil(t, 3, how) })
	look(t, b)
	seen := entry.Position(0)
	err := b.Replay(t.Context(), 1, func(e *entry.Entry) error {
		if _, err := b.maker.codec.Raw(e, nil); err != nil {
			return err
		}
		seen = e.Position
		return nil
	})
	named(t, "replay", err)
	if seen != 2 {
		t.Errorf("replay gave entries up to %d before the damage", seen)
	}
	if e, err := b.At(4); err != nil || e.Position != 4 {
		t.Errorf("the next entry: %v", err)
	}
}

// named checks that an error is about position 3.
func named(t *testing.T, what string, err error) {
	t.Helper()
	damaged, ok := errors.AsType[*entry.DamagedError](err)
	if !ok || damaged.Position != 3 {
		t.Errorf("%s: %v", what, err)
	}
}

// A closed log says so.
func testClosed(t *testing.T, s Store) {
	b := open(t, s)
	b.append(t, b.maker.Accepted(1))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	f := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, entry.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("append", b.Append(b.maker.Accepted(2)))
	f("writable", b.Writable())
	f("replay", b.Replay(t.Context(), 1, func(*entry.Entry) error { return nil }))
	_, err := b.At(1)
	f("at", err)
	_, err = b.Find(b.appended[0].ID)
	f("find", err)
	_, err = b.Headers(0, 0, 1)
	f("headers", err)
}
