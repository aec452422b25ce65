package engine_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine/exam"
	"markr/engine/scoring"
)

// Eight writers with overlapping students, eight readers:
//   - no reader sees a count or a state go back,
//   - no reader sees half a document: each names the tests "left" and "right"
//     with the same new student, so that their counts are always equal,
//   - a writer sees its own document in the next read,
//   - in the end every figure is that of a naive model.
func TestConcurrentWritersAndReaders(t *testing.T) {
	t.Parallel()
	const writers, readers, documents = 8, 8, 60
	random := newRandom(t)
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)

	var mu sync.Mutex
	want := newModel(scoring.Rule{})
	stop := make(chan struct{})
	var reading, writing sync.WaitGroup
	for range readers {
		reading.Go(func() {
			var position, count uint64
			for {
				select {
				case <-stop:
					return
				default:
				}
				s := h.State()
				left, right := s.Test("left"), s.Test("right")
				if (left == nil) != (right == nil) {
					t.Error("one of two tests of one document is visible alone")
					return
				}
				if uint64(s.Position()) < position {
					t.Errorf("position went from %d to %d", position, s.Position())
				}
				position = uint64(s.Position())
				if left == nil {
					continue
				}
				if left.Count() != right.Count() || left.Aggregate().Count != left.Count() {
					t.Errorf("half a document: %d left, %d right", left.Count(), right.Count())
				}
				if uint64(left.Count()) < count {
					t.Errorf("count went from %d to %d", count, left.Count())
				}
				count = uint64(left.Count())
			}
		})
	}
	for w := range writers {
		random := rand.New(rand.NewPCG(random.Uint64(), 0))
		writing.Go(func() {
			for d := range documents {
				student := fmt.Sprintf("student-%d-%d", w, d)
				shared, marks := fmt.Sprint("shared-", random.IntN(40)), random.IntN(21)
				r := h.post(t,
					"left "+student+" 1 2", "right "+student+" 2 2",
					fmt.Sprintf("both %s %d %d", shared, marks, 20+random.IntN(2)*10))
				if s := h.State(); s.Position() < r.Position {
					t.Errorf("acknowledged position %d is not visible at %d", r.Position, s.Position())
				}
				mu.Lock()
				for i, s := range []modelScan{{student: student}, {student: student}, {student: shared}} {
					s.Position, s.Record = uint64(r.Position), uint32(i)
					switch i {
					case 0:
						s.Obtained, s.Available = 1000, 2000
						want.add("left", s)
					case 1:
						s.Obtained, s.Available = 2000, 2000
						want.add("right", s)
					case 2:
						s.Obtained, s.Available = exam.Marks(1000*marks), 30000
						want.add("both", s)
					}
				}
				mu.Unlock()
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	// Whoever drew it, 30 is the highest available in the end.
	r := h.post(t, "both shared-0 0 30")
	last := modelScan{student: "shared-0"}
	last.Available, last.Position = 30000, uint64(r.Position)
	want.add("both", last)
	for _, test := range []exam.TestID{"left", "right", "both"} {
		h.want(t, test, want.figures(test))
	}
}
