package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"markr/bench/cohort"
	"markr/bench/load"
)

// importShape says what is imported, and how.
type importShape struct {
	records     int // per document
	connections int
	pacedAt     float64 // open loop at this share of the rate reached before; 0: closed
	withEmpty   bool    // measure the server that does nothing, too
}

// importTests is how many tests the documents are about.
const importTests = 100

// importing prepares a scenario of imports. Every run has a server of its own with
// an empty data directory, so that runs do not depend on each other.
func importing(shape importShape) preparation {
	return func(ctx context.Context, b *bencher) ([]contender, func() error, error) {
		contenders := []contender{{markrName, func(ctx context.Context, run int) (measurement, error) {
			return b.importOnce(ctx, shape, run)
		}}}
		if !shape.withEmpty {
			return contenders, nothingToEnd, nil
		}
		empty, err := b.startBaseline(ctx)
		if err != nil {
			return nil, nil, err
		}
		contenders = append(contenders, contender{emptyName, func(ctx context.Context, run int) (measurement, error) {
			imports, err := newImports(empty.target, shape, run)
			if err != nil {
				return measurement{}, err
			}
			report, err := load.Run(ctx, b.loadOptions(empty, shape.connections), imports.Feed)
			return measurement{figures: importFigures(report), report: &report}, err
		}})
		return contenders, endAll(empty), nil
	}
}

// loadOptions are those of a closed loop.
func (b *bencher) loadOptions(server *child, connections int) load.Options {
	return load.Options{
		Target:      server.target,
		Connections: connections,
		WarmUp:      b.warmUp,
		Duration:    b.duration,
		ServerCPU:   load.ProcessCPU(server.command.Process.Pid),
	}
}

func newImports(target load.Target, shape importShape, seed int) (*load.Imports, error) {
	options := cohort.Default()
	options.Seed = uint64(seed)
	options.Tests = importTests
	options.Students = 100_000
	options.RecordsPerDocument = shape.records
	c, err := cohort.New(options)
	if err != nil {
		return nil, err
	}
	return load.NewImports(target, c, shape.connections)
}

// importOnce measures imports into a new server, checks that what it says it has
// is what it was sent, and weighs its data directory.
func (b *bencher) importOnce(ctx context.Context, shape importShape, run int) (m measurement, err error) {
	server, err := b.startMarkr(ctx)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, server.stop(), os.RemoveAll(server.dataDir)) }()
	imports, err := newImports(server.target, shape, run)
	if err != nil {
		return m, err
	}
	options := b.loadOptions(server, shape.connections)
	feeds := continued(imports, shape.connections)
	var before int64
	if shape.pacedAt > 0 {
		fast, err := load.Run(ctx, options, feeds)
		if err != nil {
			return m, err
		}
		options.Rate = fast.PerSecond * shape.pacedAt
		before = fast.Total
	}
	report, err := load.Run(ctx, options, feeds)
	if err != nil {
		return m, err
	}
	if err := server.checkStudents(ctx, imports.Students(), report); err != nil {
		return m, err
	}
	if err := server.stop(); err != nil {
		return m, err
	}
	stored, err := sizeOf(server.dataDir)
	if err != nil {
		return m, err
	}
	m = measurement{figures: importFigures(report), report: &report}
	if stored > 0 {
		raw := float64(imports.BodyBytes() * (before + report.Total))
		m.figures = append(m.figures, figure{rawPerStored, raw / float64(stored)})
	}
	return m, nil
}

// continued makes feeds that go on where they were when another run takes them up.
func continued(imports *load.Imports, connections int) load.Feeds {
	feeds := make([]load.Feed, connections)
	for i := range feeds {
		feeds[i] = imports.Feed(i)
	}
	return func(connection int) load.Feed { return feeds[connection] }
}

func importFigures(r load.Report) []figure {
	return []figure{
		{perSecond, r.PerSecond},
		{serverCPU, microseconds(r.ServerCPUPerRequest())},
		{"generator CPU us/document", microseconds(r.GeneratorCPUPerRequest())},
		{latencyP50, milliseconds(r.Latency.P50)},
		{latencyP99, milliseconds(r.Latency.P99)},
		{"p99.9 ms", milliseconds(r.Latency.P999)},
		{"max ms", milliseconds(r.Latency.Max)},
		{"failed", float64(r.Failed)},
		{othersBusy, processors(r.OthersCPU, r.Elapsed)},
	}
}

// processors is how many processors were busy for so long.
func processors(used, elapsed time.Duration) float64 { return used.Seconds() / elapsed.Seconds() }

func microseconds(d time.Duration) float64 { return d.Seconds() * 1e6 }

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }

// checkStudents asks the server how many students it has, over all tests. If
// every document was acknowledged that is how many were sent; if some were not,
// at most.
func (c *child) checkStudents(ctx context.Context, sent int64, report load.Report) error {
	var list struct {
		Tests []struct {
			Count int64 `json:"count"`
		} `json:"tests"`
	}
	status, body, err := c.get(ctx, fmt.Sprintf("/results?limit=%d", importTests))
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("get results: status %d: %s", status, body)
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("read results: %w", err)
	}
	var counted int64
	for _, test := range list.Tests {
		counted += test.Count
	}
	if counted > sent || report.Failed == 0 && counted != sent {
		return fmt.Errorf("server counts %d students, %d were sent, %d requests failed: %v %v",
			counted, sent, report.Failed, report.Statuses, report.Errors)
	}
	return nil
}
