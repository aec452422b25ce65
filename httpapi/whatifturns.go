package httpapi

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// A change of several questions looks at every sheet: milliseconds of a processor for a
// million of them, and the largest test that is analysed takes half a second. Who computes
// that long is bounded as exports are, so that a crowd of them is a line of its own and
// not one that imports and other reads stand in.
const (
	// whatIfsWaitingMax is how many wait for their turn: more than people look at one test
	// at once, a quarter of a second's worth for a million sheets. A waiting one holds its
	// connection and nothing of the test.
	whatIfsWaitingMax = 64
	// whatIfWaitMax is how long each waits.
	whatIfWaitMax = 2 * time.Second
)

// errWhatIfs: as many wait as may, or it has waited too long.
var errWhatIfs = refuse(codeOverloaded,
	"More changes are being looked at than there is time for (%d may wait, each for %s); nothing else is affected.", whatIfsWaitingMax, whatIfWaitMax)

// whatIfTurns lets half of the processors compute changes at once, at least one, in the
// order in which they were asked for.
type whatIfTurns struct {
	free    *semaphore.Weighted
	waiting atomic.Int64
}

func newWhatIfTurns() *whatIfTurns {
	return &whatIfTurns{free: semaphore.NewWeighted(whatIfsAtOnce())}
}

func whatIfsAtOnce() int64 { return int64(max(1, runtime.GOMAXPROCS(0)/2)) }

// take waits for a turn, and returns how it ends. The error is errWhatIfs.
func (t *whatIfTurns) take() (end func(), err error) {
	end = func() { t.free.Release(1) }
	if t.free.TryAcquire(1) {
		return end, nil
	}
	defer t.waiting.Add(-1)
	if t.waiting.Add(1) > whatIfsWaitingMax {
		return nil, errWhatIfs
	}
	ctx, cancel := context.WithTimeout(context.Background(), whatIfWaitMax)
	defer cancel()
	if t.free.Acquire(ctx, 1) != nil {
		return nil, errWhatIfs
	}
	return end, nil
}
