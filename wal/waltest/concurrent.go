package waltest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"markr/wal/entry"
)

// Readers read while the writer appends: what they find is always whole, and what
// was acknowledged is there.
func testConcurrent(t *testing.T, s Store) {
	b := open(t, s)
	b.append(t, b.maker.Accepted(0))
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				last := b.Last()
				e, err := b.At(last)
				if err != nil {
					t.Errorf("at %d: %v", last, err)
					return
				}
				if h, err := b.Find(e.ID); err != nil || h.Position != last {
					t.Errorf("find %v: %d, %v", e.ID, h.Position, err)
					return
				}
				headers, err := b.Headers(last+1, 0, 5)
				if err != nil || headers[0].Position != last {
					t.Errorf("headers: %v", err)
					return
				}
				expected := entry.Position(1)
				err = b.Replay(context.Background(), 1, func(e *entry.Entry) error {
					if e.Position != expected {
						return fmt.Errorf("position %d, want %d", e.Position, expected)
					}
					expected++
					return nil
				})
				if err != nil || expected <= last {
					t.Errorf("replay to %d of %d: %v", expected, last, err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range 100 {
		b.append(t, b.maker.Accepted(2*i+1, 2*i+2))
	}
	close(done)
	readers.Wait()
	b.check(t)
}

// A log that is closed while it is used finishes what is under way and refuses the
// rest; what it has acknowledged is there afterwards.
func testCloseDuring(t *testing.T, s Store) {
	b := open(t, s)
	b.append(t, b.maker.Accepted(0))
	first := b.appended[0]
	uses := []func() error{
		func() error { _, err := b.At(1); return err },
		func() error { _, err := b.Find(first.ID); return err },
		func() error { _, err := b.Headers(0, 0, 10); return err },
		func() error { return b.Writable() },
		func() error {
			return b.Replay(context.Background(), 1, func(*entry.Entry) error { return nil })
		},
	}
	var users sync.WaitGroup
	for _, use := range uses {
		users.Go(func() {
			for err := error(nil); !errors.Is(err, entry.ErrClosed); err = use() {
				if err != nil {
					t.Errorf("while closing: %v", err)
					return
				}
			}
		})
	}
	acknowledged, some := entry.Position(0), make(chan struct{})
	users.Go(func() {
		for {
			err := b.Append(b.maker.Accepted(1 + int(acknowledged)))
			if errors.Is(err, entry.ErrClosed) {
				return
			}
			if err != nil {
				t.Errorf("append while closing: %v", err)
				return
			}
			if acknowledged++; acknowledged == 5 {
				close(some)
			}
		}
	})
	<-some
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	users.Wait()
	want := 1 + acknowledged
	b.Log = s.Open(t)
	if b.Last() != want {
		t.Errorf("last is %d, %d were acknowledged", b.Last(), want)
	}
}
