package engine

import (
	"slices"
	"sync"
	"sync/atomic"
	"weak"

	"markr/engine/itemstats"
)

// How much the item analyses that are kept may take in memory, beside what their tests
// have: 64 MiB are those of a thousand tests of 100 questions, each of which takes half a
// millisecond to make again. And how many they may be, which bounds the search among them.
const (
	analysesBytesMax = 64 << 20
	analysesMax      = 4096
)

// itemsOnce is the analysis of a test's view, made when somebody asks. It lives as long as
// the view does.
type itemsOnce struct {
	sync.Mutex // of whoever makes it; who waits for that gets the same

	analysis atomic.Pointer[itemstats.Analysis] // nil: not made yet, or let go
	asked    atomic.Uint64                      // when it was asked for last, by the clock of analyses
	over     atomic.Bool                        // the test has gone on
}

// analyses bounds the memory of the analyses that are kept. What nobody has asked for for
// longest goes first. Those of views that are no more go with them: they are not held
// here, only known.
type analyses struct {
	bytesMax int
	clock    atomic.Uint64
	mu       struct {
		sync.Mutex

		kept []keptAnalysis
	}
}

type keptAnalysis struct {
	once  weak.Pointer[itemsOnce]
	bytes int
}

// touch notes that an analysis was asked for.
func (k *analyses) touch(once *itemsOnce) { once.asked.Store(k.clock.Add(1)) }

// keep keeps an analysis with its view, and lets others go if there are too many.
func (k *analyses) keep(once *itemsOnce, a *itemstats.Analysis) {
	k.touch(once)
	once.analysis.Store(a)
	k.mu.Lock()
	defer k.mu.Unlock()
	bytes := a.Bytes()
	k.mu.kept = slices.DeleteFunc(k.mu.kept, func(other keptAnalysis) bool {
		o := other.once.Value()
		gone := o == nil || o.over.Load()
		if !gone {
			bytes += other.bytes
		}
		return gone
	})
	for len(k.mu.kept) > 0 && (bytes > k.bytesMax || len(k.mu.kept) >= analysesMax) {
		bytes -= k.letOldestGo()
	}
	k.mu.kept = append(k.mu.kept, keptAnalysis{weak.Make(once), a.Bytes()})
}

// letOldestGo lets the analysis go that nobody has asked for for longest, and returns what
// it took. Whoever asks for it has it made again.
func (k *analyses) letOldestGo() (bytes int) {
	oldest, since := 0, ^uint64(0)
	for i := range k.mu.kept {
		asked := uint64(0) // of one that is no more
		if o := k.mu.kept[i].once.Value(); o != nil {
			asked = o.asked.Load()
		}
		if asked < since {
			oldest, since = i, asked
		}
	}
	if o := k.mu.kept[oldest].once.Value(); o != nil {
		o.analysis.Store(nil)
	}
	bytes = k.mu.kept[oldest].bytes
	k.mu.kept = slices.Delete(k.mu.kept, oldest, oldest+1)
	return bytes
}
