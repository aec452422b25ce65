package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"markr/bench/cohort"
	"markr/bench/load"
)

// subscribing prepares imports as fast as they go with so many streams of events, and
// with none.
func subscribing(streams int) preparation {
	return func(_ context.Context, b *bencher) ([]contender, func() error, error) {
		return []contender{
			{subscribedName, func(ctx context.Context, run int) (measurement, error) { return b.subscribedOnce(ctx, streams, run) }},
			{unsubscribedName, func(ctx context.Context, run int) (measurement, error) { return b.subscribedOnce(ctx, 0, run) }},
		}, nothingToEnd, nil
	}
}

// subscribedOnce measures imports into a new server that so many streams are open to.
func (b *bencher) subscribedOnce(ctx context.Context, streams, run int) (m measurement, err error) {
	server, err := b.startMarkr(ctx)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, server.stop(), os.RemoveAll(server.dataDir)) }()
	shape := importShape{records: 100, connections: 64}
	imports, err := newImports(server.target, shape, run)
	if err != nil {
		return m, err
	}
	options := b.loadOptions(server, shape.connections)
	var audience *audience
	if streams > 0 {
		tests, err := loadTests()
		if err != nil {
			return m, err
		}
		if audience, err = b.startAudience(ctx, server, streams, tests); err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, audience.leave()) }()
		options.ServerCPU = audience.alongside(options.ServerCPU)
	}
	report, err := load.Run(ctx, options, imports.Feed)
	if err != nil {
		return m, err
	}
	if err := server.checkStudents(ctx, imports.Students(), report); err != nil {
		return m, err
	}
	m = measurement{figures: importFigures(report), report: &report}
	var took time.Duration
	if audience != nil {
		if took, err = audience.took(); err != nil {
			return m, err
		}
		m.figures = append(m.figures, audience.figures(report.Elapsed)...)
	}
	// What the subscribers take is known, so it is not elsewhere.
	report.OthersCPU = max(0, report.OthersCPU-took)
	left := float64(runtime.NumCPU()) - processors(took, report.Elapsed)
	m.replace(othersBusy, processors(report.OthersCPU, report.Elapsed))
	m.figures = append(m.figures,
		figure{subscribersTake, processors(took, report.Elapsed)},
		figure{perProcessorsLeft, report.PerSecond / left},
	)
	return m, nil
}

// replace gives a figure another value.
func (m *measurement) replace(name string, value float64) {
	for i := range m.figures {
		if m.figures[i].name == name {
			m.figures[i].value = value
		}
	}
}

// loadTests are the names of the tests that the load is about.
func loadTests() ([]string, error) {
	c, err := cohort.New(cohort.Options{Tests: importTests})
	if err != nil {
		return nil, err
	}
	tests := make([]string, importTests)
	for i := range tests {
		tests[i] = c.TestID(i)
	}
	return tests, nil
}

// figures are what the streams had while it was counted.
func (a *audience) figures(elapsed time.Duration) []figure {
	const mebibyte = 1 << 20
	return []figure{
		{"events/s", float64(a.had.Events) / elapsed.Seconds()},
		{"events/s, least of a stream", float64(a.had.Fewest) / elapsed.Seconds()},
		{"MiB/s of events", float64(a.had.Bytes) / mebibyte / elapsed.Seconds()},
	}
}

// errStreamsEnded: the server ended streams during the measurement.
func errStreamsEnded(n int) error { return fmt.Errorf("%d streams have ended", n) }
