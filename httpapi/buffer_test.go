package httpapi_test

import (
	"runtime"
	"sync"
	"testing"

	"markr/httpapi"
)

func TestBufferSizes(t *testing.T) {
	t.Parallel()
	const kib, mib = 1 << 10, 1 << 20
	for _, c := range []struct{ size, declared, want int64 }{
		{0, 10, 16 * kib},
		{0, 32 * mib, 16 * kib}, // whatever is declared
		{16 * kib, 171 * kib, 64 * kib},
		{64 * kib, 171 * kib, 256 * kib},
		{256 * kib, 32 * mib, 1 * mib},
		{1 * mib, 32 * mib, 4 * mib},
		{1 * mib, 3 * mib / 2, 3 * mib / 2}, // no larger than needed
		{16 * mib, 32 * mib, 32 * mib},
		{0, -1, 16 * kib}, // not declared
		{256 * kib, -1, 1 * mib},
		{1 * mib, -1, 2 * mib},
		{20 * mib, -1, 32 * mib}, // no larger than the limit
	} {
		if got := httpapi.SizeFor(c.size, c.declared, 32*mib); got != c.want {
			t.Errorf("after %d of %d bytes: %d, want %d", c.size, c.declared, got, c.want)
		}
	}
}

// TestBudgetNeverExceeded: many takers, never more than the limit out at once,
// and all of it back at the end.
func TestBudgetNeverExceeded(t *testing.T) {
	t.Parallel()
	const most, takers, rounds = 1000, 8, 2000
	take, give := httpapi.NewBudget(most)
	var mu sync.Mutex
	var out int64
	var group sync.WaitGroup
	for taker := range takers {
		group.Go(func() {
			for round := range rounds {
				n := int64(taker*round%most + 1)
				if !take(n) {
					continue
				}
				mu.Lock()
				if out += n; out > most {
					t.Errorf("%d bytes out of %d", out, most)
				}
				mu.Unlock()
				runtime.Gosched()
				mu.Lock()
				out -= n
				mu.Unlock()
				give(n)
			}
		})
	}
	group.Wait()
	if take(most + 1) {
		t.Error("more than there is was given out")
	}
	if !take(most) {
		t.Error("not everything came back")
	}
}
