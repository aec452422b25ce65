package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"markr/bench/load"
)

// mixing prepares reads of an aggregate while imports run at half the rate that the
// same server reached just before.
func mixing(_ context.Context, b *bencher) ([]contender, func() error, error) {
	return []contender{{markrName, b.mixOnce}}, nothingToEnd, nil
}

// mixedReads is how many reads a second are due: a hundred dashboards that poll five
// times a second.
const mixedReads = 500

func (b *bencher) mixOnce(ctx context.Context, run int) (m measurement, err error) {
	server, err := b.startMarkr(ctx)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, server.stop(), os.RemoveAll(server.dataDir)) }()
	path, err := fill(ctx, server, 81)
	if err != nil {
		return m, err
	}
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
	var writing load.Report
	var writeErr error
	var writer sync.WaitGroup
	writer.Go(func() { writing, writeErr = load.Run(ctx, options, feeds) })
	reads := b.loadOptions(server, 16)
	reads.Rate = mixedReads
	reading, err := load.Run(ctx, reads, load.Get(server.target, path))
	writer.Wait()
	if err := errors.Join(err, writeErr); err != nil {
		return m, err
	}
	if writing.Failed+reading.Failed > 0 {
		return m, fmt.Errorf("%d imports and %d reads failed", writing.Failed, reading.Failed)
	}
	return measurement{figures: []figure{
		{"read p50 ms", milliseconds(reading.Latency.P50)},
		{readP99, milliseconds(reading.Latency.P99)},
		{"read max ms", milliseconds(reading.Latency.Max)},
		{"documents/s meanwhile", writing.PerSecond},
		{"import p99 ms", milliseconds(writing.Latency.P99)},
	}, report: &reading}, nil
}

// metricIn finds the value of a metric without labels on a metrics page.
func metricIn(page []byte, name string) (float64, error) {
	for line := range strings.Lines(string(page)) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}

// waitFor asks until something is so.
func waitFor(ctx context.Context, patience time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	const pause = 20 * time.Millisecond
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(pause):
		}
	}
}
