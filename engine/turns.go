package engine

import (
	"context"
	"runtime"

	"golang.org/x/sync/semaphore"
)

// turnBytes is how much each processor has to decode, analyse and compress at once: about
// a millisecond. Goroutines that can run go first come, first served, so whoever
// comes to read waits for all that compute already.
const turnBytes = 64 << 10

// turns bounds how much is decoded and compressed at once. More would not be done
// sooner, and readers would wait for all of it.
type turns struct{ bytes *semaphore.Weighted }

func (t *turns) init() {
	t.bytes = semaphore.NewWeighted(turnBytes * int64(runtime.GOMAXPROCS(0)))
}

// TakeTurn waits until so many bytes of a document may be computed on that is on its
// way to [Engine.Import], and returns how that ends. Import takes turns of its own:
// whoever calls it has none.
func (e *Engine) TakeTurn(documentBytes int) (end func()) { return e.turns.take(documentBytes) }

// take waits for a document's turn and returns how it ends. Whoever has one waits for
// nobody, so turns come, in the order in which they were asked for. A document longer
// than turnBytes has a processor for itself.
func (t *turns) take(documentBytes int) (end func()) {
	weight := min(int64(documentBytes)+1, turnBytes)
	_ = t.bytes.Acquire(context.Background(), weight) // it fails only with its context
	return func() { t.bytes.Release(weight) }
}
