package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"markr/bench/load"
)

// Pace of the probers. A test is told of ten times a second at most, so one that is
// asked how fast it is told has to be quiet for longer than that before each document.
const (
	quietTests = 20 // as many as a stream may have
	quietEvery = 6 * time.Millisecond
	quietGap   = 110 * time.Millisecond
	busyEvery  = 5 * time.Millisecond
)

// telling prepares events of tests that are imported by a prober, while imports run at
// half the rate that the same server reached just before.
func telling(_ context.Context, b *bencher) ([]contender, func() error, error) {
	return []contender{{markrName, b.tellOnce}}, nothingToEnd, nil
}

func (b *bencher) tellOnce(ctx context.Context, run int) (m measurement, err error) {
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
	feeds := continued(imports, shape.connections)
	options := b.loadOptions(server, shape.connections)
	top, err := load.Run(ctx, options, feeds)
	if err != nil {
		return m, err
	}
	options.Rate = top.PerSecond / 2
	quiet, err := newProber(ctx, server.target, "quiet", quietTests, quietEvery, quietGap)
	if err != nil {
		return m, err
	}
	defer quiet.close()
	busy, err := newProber(ctx, server.target, "busy", 1, busyEvery, 0)
	if err != nil {
		return m, err
	}
	defer busy.close()
	report, err := b.probeAmid(ctx, options, feeds, quiet, busy)
	if err != nil {
		return m, err
	}
	if err := server.checkStudents(ctx, imports.Students()+quiet.sent()+busy.sent(), report); err != nil {
		return m, err
	}
	m.figures, err = tellingFigures(ctx, quiet, busy)
	m.figures = append(m.figures,
		figure{"documents/s meanwhile", report.PerSecond},
		figure{"import p99 ms", milliseconds(report.Latency.P99)},
		figure{othersBusy, processors(report.OthersCPU, report.Elapsed)},
	)
	m.report = &report
	return m, err
}

// probeAmid has the probers import while the load is on and counted.
func (b *bencher) probeAmid(ctx context.Context, options load.Options, feeds load.Feeds, probers ...*prober) (load.Report, error) {
	probing, stop := context.WithTimeout(ctx, b.warmUp+b.duration)
	defer stop()
	errs := make([]error, len(probers))
	var working sync.WaitGroup
	for i, p := range probers {
		working.Go(func() {
			select {
			case <-time.After(b.warmUp):
				errs[i] = p.probe(probing)
			case <-probing.Done():
			}
		})
	}
	report, err := load.Run(ctx, options, feeds)
	working.Wait()
	if err == nil && report.Failed > 0 {
		err = fmt.Errorf("%d imports failed: %v", report.Failed, report.Statuses)
	}
	return report, errors.Join(err, errors.Join(errs...))
}

// tellingFigures are those of both probers, when the last of what they have imported
// has been told.
func tellingFigures(ctx context.Context, quiet, busy *prober) ([]figure, error) {
	figures, errs := make([]figure, 0, 12), []error(nil)
	for _, one := range []struct {
		prefix string
		prober *prober
	}{{"", quiet}, {"busy test ", busy}} {
		found, err := one.prober.latencies(ctx)
		errs = append(errs, err)
		histogram := hdrhistogram.New(1, (5 * time.Minute).Microseconds(), 3)
		early := 0
		for _, d := range found {
			if d <= 0 {
				early++
			}
			// The only error is a value out of range, and this one is not.
			_ = histogram.RecordValue(max(d.Microseconds(), 1))
		}
		at := func(percent float64) float64 { return float64(histogram.ValueAtQuantile(percent)) / 1e3 }
		figures = append(figures,
			figure{one.prefix + eventP50, at(50)},
			figure{one.prefix + eventP99, at(99)},
			figure{one.prefix + "event max ms", float64(histogram.Max()) / 1e3},
			figure{one.prefix + "events timed", float64(len(found))},
			figure{one.prefix + "told before the 200", float64(early) / float64(max(1, len(found)))},
		)
	}
	return figures, errors.Join(errs...)
}
