package main_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	markr "markr/cmd/markr"
)

var (
	seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 draws a new one")

	long   = flag.Bool("long", false, "run the long tests")
	update = flag.Bool("update", false, "write golden files instead of comparing with them")
)

// drawSeed is the seed of a random test, which the log names.
func drawSeed(t *testing.T) uint64 {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("again with: go test ./cmd/markr -run '^%s$' -seed=%d", t.Name(), seed)
	return seed
}

// TestMain lets the test binary be the program: run under the name markr it is
// main itself, with its signals and its exit.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		theProgram:    markr.Main,
		checkpointing: markr.ServeWith(manyCheckpoints),
		forgetful:     markr.ServeWith(forgetfulDisk),
		readers:       readAtRate,
	})
}

// outcome is what a run of the program left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs the program in this process.
func run(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := markr.Run(t.Context(), append([]string{"markr"}, args...), strings.NewReader(stdin), &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}
