package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"markr/bench/load"
)

// A scenario is one question, put to several contenders in turn. The first is
// Markr; the others are what it is measured against.
type scenario struct {
	name string
	what string // what is measured, in a line
	// goals are what Markr has to reach, by figure.
	goals   []goal
	prepare preparation
	// once: it takes long and is the same each time.
	once bool
	// peers: it is nothing without -against.
	peers bool
}

// preparation returns the contenders of a scenario, and what ends them.
type preparation func(ctx context.Context, b *bencher) ([]contender, func() error, error)

// contender is somebody who can be measured.
type contender struct {
	name    string
	measure func(ctx context.Context, run int) (measurement, error)
}

// measurement is what one run of a contender gave.
type measurement struct {
	figures []figure
	report  *load.Report // nil if there was no load over HTTP
}

// figure is one number. Contenders of a scenario give the same figures, as far as
// they have them.
type figure struct {
	name  string
	value float64
}

// goal is a bound for a figure of Markr, or for its ratio to another contender's.
type goal struct {
	figure  string
	against string // empty: the figure itself
	atLeast float64
	atMost  float64 // 0: no bound
}

// bencher carries out scenarios.
type bencher struct {
	settings

	work     string                 // directory for everything temporary
	markr    func() (string, error) // the server's binary, built when first needed
	self     string                 // this program's
	progress io.Writer
}

// run measures every contender of a scenario as often as asked, one after the
// other within each round, so that what disturbs the machine for a while disturbs
// all of them.
func (b *bencher) run(ctx context.Context, s scenario) (outcome scenarioResult, err error) {
	contenders, end, err := s.prepare(ctx, b)
	if err != nil {
		return outcome, err
	}
	defer func() {
		if endErr := end(); err == nil {
			err = endErr
		}
	}()
	outcome = scenarioResult{Name: s.name, What: s.what, goals: s.goals}
	for _, c := range contenders {
		outcome.Contenders = append(outcome.Contenders, contenderResult{Name: c.name})
	}
	runs := b.runs
	if s.once {
		runs = 1
	}
	for run := range runs {
		for i, c := range contenders {
			m, repeated, err := b.measureInQuiet(ctx, c, run)
			if err != nil {
				return outcome, fmt.Errorf("%s, run %d: %w", c.name, run+1, err)
			}
			outcome.Contenders[i].add(m)
			outcome.Repeated += repeated
			say(b.progress, "%s %d/%d %s: %s", s.name, run+1, runs, c.name, m)
		}
	}
	return outcome, nil
}

// disturbedFrom is how many processors may be busy elsewhere during a measurement.
// The kernel's own work for the network is below it.
const disturbedFrom = 0.2

// measureInQuiet measures when the machine is idle, and again when it did not stay
// so, as long as patience lasts. Without patience it measures once.
func (b *bencher) measureInQuiet(ctx context.Context, c contender, run int) (m measurement, repeated int, err error) {
	deadline := time.Now().Add(b.quiet)
	for ; ; repeated++ {
		load.SyncDisks()
		b.awaitQuiet(ctx, deadline)
		m, err = c.measure(ctx, run)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || m.disturbance() < disturbedFrom || time.Now().After(deadline) {
			return m, repeated, err
		}
	}
}

// disturbance is how many processors were busy elsewhere, as far as is known.
func (m measurement) disturbance() float64 {
	if m.report == nil {
		return 0
	}
	return processors(m.report.OthersCPU, m.report.Elapsed)
}

// String is the measurement's first figure, for the progress.
func (m measurement) String() string {
	if len(m.figures) == 0 {
		return "nothing"
	}
	return number(m.figures[0].value) + " " + m.figures[0].name
}

// median is the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
