package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// What tests look into.
var (
	Run    = run
	Median = median
	Number = number
)

// Figures is one contender's: by name, by run.
type Figures map[string][]float64

// Table renders the table of one scenario with two contenders.
func Table(ours, theirs Figures, order []string) (string, error) {
	s := scenarioResult{
		Name: "race", What: "who is faster",
		goals: []goal{
			{figure: "laps/s", atLeast: 10},
			{figure: "laps/s", against: "peer", atLeast: 3},
			{figure: "ms", atMost: 2},
		},
	}
	for _, c := range []struct {
		name    string
		figures Figures
	}{{"markr", ours}, {"peer", theirs}} {
		result := contenderResult{Name: c.name}
		for _, name := range order {
			for _, value := range c.figures[name] {
				result.add(measurement{figures: []figure{{name, value}}})
			}
		}
		s.Contenders = append(s.Contenders, result)
	}
	r := result{
		Started: time.Unix(0, 0).UTC(), Commit: "abc", Runs: 3, Duration: time.Second,
		Machine:   machine{Processors: 2, Processor: "P", System: "s/a", Kernel: "1", Go: "go1", Flush: time.Millisecond},
		Scenarios: []scenarioResult{s},
	}
	var b strings.Builder
	err := r.writeText(&b)
	return b.String(), err
}

// Baseline runs f while the server that does nothing answers at address.
func Baseline(ctx context.Context, self string, f func(address string) error) error {
	b := &bencher{self: self, progress: io.Discard}
	server, err := b.startBaseline(ctx)
	if err != nil {
		return err
	}
	if err := f(server.target.Host); err != nil {
		return err
	}
	return server.stop()
}

// TryEvents goes through the scenarios of events, small, and returns the figures of each
// contender.
func TryEvents(ctx context.Context, self, dir string) (map[string]map[string]float64, error) {
	b := &bencher{
		settings: settings{warmUp: 100 * time.Millisecond, duration: time.Second},
		work:     dir, self: self, progress: io.Discard,
	}
	b.markr = sync.OnceValues(func() (string, error) { return buildServer(ctx, dir) })
	found := make(map[string]map[string]float64)
	for _, prepare := range []preparation{telling, subscribing(7)} {
		contenders, end, err := prepare(ctx, b)
		if err != nil {
			return nil, err
		}
		for _, c := range contenders {
			m, err := c.measure(ctx, 0)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("%s: %w", c.name, err), end())
			}
			found[c.name] = make(map[string]float64)
			for _, f := range m.figures {
				found[c.name][f.name] = f.value
			}
		}
		if err := end(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// A Moment is when a position was acknowledged or told, in milliseconds.
type Moment struct {
	Position uint64
	At       int
}

// Latencies are those of documents, in milliseconds.
func Latencies(acked, told []Moment) []int {
	moments := func(all []Moment) (out []moment) {
		for _, m := range all {
			out = append(out, moment{m.Position, time.Unix(0, 0).Add(time.Duration(m.At) * time.Millisecond)})
		}
		return out
	}
	var all []int
	for _, d := range latencies(moments(acked), moments(told)) {
		all = append(all, int(d.Milliseconds()))
	}
	return all
}

// ErrNoPeer: a peer is not installed.
var ErrNoPeer = errNoPeer

// TryPeer imports into a peer and reads from it, each for a moment.
func TryPeer(ctx context.Context, name string) (imported, read float64, err error) {
	b := &bencher{settings: settings{duration: 300 * time.Millisecond}, progress: io.Discard}
	// A socket's path must be short.
	if b.work, err = os.MkdirTemp("", "peer-"); err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.work)) }()
	p, err := peerStarts()[name](ctx, b)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	imports, err := b.peerImport(ctx, p, importShape{records: 10}, 2, b.duration, 1)
	if err != nil {
		return 0, 0, err
	}
	const students = 500
	if err := fillPeer(ctx, p, students); err != nil {
		return 0, 0, err
	}
	reads, err := b.peerReads(ctx, p, students)
	if err != nil {
		return 0, 0, err
	}
	return imports.figures[0].value, reads.figures[0].value, nil
}
