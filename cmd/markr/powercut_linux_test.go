package main_test

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

var powercutRounds = flag.Int("powercut.rounds", 0, "power cuts of TestPowerCut; 0: 3, with -long 20")

// powercutDisk is the size of a disk in megabytes, far more than is written.
const powercutDisk = 2048

// TestPowerCut is TestKill with the disk's power cut instead of the process alone:
// what was written and not synced is gone. The program is now one that writes a
// checkpoint now and then, now one that is nearly always writing one.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	needDisks(t)
	seed, rounds := drawSeed(t), *powercutRounds
	if rounds == 0 {
		rounds = 3
		if *long {
			rounds = 20
		}
	}
	var all tally
	for life := uint64(0); rounds > 0; life++ {
		h := newPowerCutting(t, newDisk(t, powercutDisk), seed+life)
		if life%2 == 1 || rounds <= lifeRounds {
			h.program = checkpointing
		}
		h.live(min(rounds, lifeRounds))
		all.add(&h.tally)
		rounds -= lifeRounds
	}
	t.Log(&all)
}

// newPowerCutting is a killing that cuts the power of a disk.
func newPowerCutting(t judge, d *disk, seed uint64) *killing {
	t.Helper()
	h := newKilling(t, seed, d.data())
	h.crash = func(p *process) {
		if err := d.cutPower(p); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// The negative control: on a disk that lies about having synced the log, the same
// test finds acknowledged documents gone.
func TestPowerCutSeesLoss(t *testing.T) {
	t.Parallel()
	needDisks(t)
	seed := drawSeed(t)
	d := newDisk(t, powercutDisk)
	faults := findFaults(t, func(t judge) {
		h := newPowerCutting(t, d, seed)
		h.program = forgetful
		h.live(lifeRounds)
	})
	if !strings.Contains(faults, " is gone") {
		t.Errorf("no acknowledged document is gone from a disk that does not sync:\n%s", faults)
	}
}

// findFaults runs a test until it fails for good, and returns what it had to say.
func findFaults(t tester, run func(judge)) string {
	t.Helper()
	r := &recorder{tester: t}
	done := make(chan struct{})
	go func() { // Ends by itself, or where the recorder is told to fail.
		defer close(done)
		run(r)
	}()
	<-done
	return r.said()
}

// recorder is a judge who takes faults down and lets nobody fail for them.
type recorder struct {
	tester

	mu struct {
		sync.Mutex

		faults strings.Builder
	}
}

func (r *recorder) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.faults.String()
}

// Failed says whether there was a fault.
func (r *recorder) Failed() bool { return r.said() != "" }

// Logf says nothing: what it is about is expected.
func (r *recorder) Logf(string, ...any) {}

// Error takes a fault down.
func (r *recorder) Error(args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintln(&r.mu.faults, args...)
}

// Errorf takes a fault down.
func (r *recorder) Errorf(format string, args ...any) { r.Error(fmt.Sprintf(format, args...)) }

// FailNow ends the run.
func (r *recorder) FailNow() { runtime.Goexit() }

// Fatal takes a fault down and ends the run.
func (r *recorder) Fatal(args ...any) {
	r.Error(args...)
	r.FailNow()
}

// Fatalf takes a fault down and ends the run.
func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }
