package waltest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"markr/wal/entry"
)

// seedVariable is where a random test takes its seed from, to repeat a run.
const seedVariable = "MARKR_TEST_SEED"

// Random is a source that prints its seed if the test fails, and takes it back
// from MARKR_TEST_SEED.
func Random(tb testing.TB) *rand.Rand {
	tb.Helper()
	seed := uint64(time.Now().UnixNano()) //nolint:forbidigo // A seed, printed below.
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			tb.Fatalf("%s: %v", seedVariable, err)
		}
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("repeat with %s=%d", seedVariable, seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// Random operations end in what a list of what was appended says.
func testModel(t *testing.T, s Store) {
	r := Random(t)
	b := open(t, s)
	for range 80 {
		switch r.IntN(12) {
		case 0:
			b.reopen(t, func() {})
		case 1:
			b.check(t)
		case 2:
			b.replay(t, entry.Position(r.IntN(len(b.appended)+2)))
		default:
			var group []*entry.Entry
			for range 1 + r.IntN(6) {
				switch r.IntN(8) {
				case 0, 1:
					group = append(group, b.maker.Refused(r.IntN(50))...)
				case 2:
					group = append(group, b.maker.Events(r.IntN(50))...)
				default:
					group = append(group, b.maker.Accepted(r.IntN(80))...)
				}
			}
			b.append(t, group)
		}
	}
	b.check(t)
}
