package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"syscall"
	"time"

	"markr/bench/cohort"
	"markr/bench/load"
	"markr/wal"
)

// importShape says what is imported, and how.
type importShape struct {
	records     int // per document
	connections int
	pacedAt     float64 // open loop at this share of the rate reached before; 0: closed
	withEmpty   bool    // measure the server that does nothing, too
	withPeers   bool    // measure the peers, too
	tests       int     // how many the documents are about; 0: importTests
	again       bool    // the same students again and again: rescans
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
		if shape.withPeers {
			return b.withPeers(ctx, contenders, shape)
		}
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
	options.Tests = cmp.Or(shape.tests, importTests)
	options.Students = 100_000
	options.RecordsPerDocument = shape.records
	c, err := cohort.New(options)
	if err != nil {
		return nil, err
	}
	return load.NewImports(target, c, shape.connections)
}

// withPeers adds the peers that were asked for and can run.
func (b *bencher) withPeers(ctx context.Context, contenders []contender, shape importShape) ([]contender, func() error, error) {
	running, stop := b.peers(ctx)
	for _, p := range running {
		c, err := b.peerContender(ctx, p, shape)
		if err != nil {
			return nil, nil, errors.Join(err, stop())
		}
		contenders = append(contenders, c)
	}
	return contenders, stop, nil
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
	if shape.again {
		imports.Again(againDocuments)
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
	if !shape.again {
		err = server.checkStudents(ctx, imports.Students(), report)
	}
	if err != nil {
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
	raw := float64(imports.BodyBytes() * (before + report.Total))
	m.figures = append(m.figures, figure{rawPerStored, raw / float64(stored)})
	written, err := server.writtenPerEntryByte()
	if err != nil {
		return m, err
	}
	m.figures = append(m.figures, figure{writtenPerByte, written})
	return m, nil
}

// againDocuments is after how many documents the same students come again.
const againDocuments = 997

// writtenPerEntryByte is what a server that has ended wrote to its disk, by the
// kernel's count, for each byte of the entries in its vault: keys, headers and
// compressed documents.
func (c *child) writtenPerEntryByte() (float64, error) {
	usage, ok := c.command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("the system does not tell what a process has written")
	}
	vault, err := wal.Open(wal.Options{Dir: c.dataDir, ReadOnly: true})
	if err != nil {
		return 0, err
	}
	stats, err := vault.Stats()
	if err := errors.Join(err, vault.Close()); err != nil {
		return 0, err
	}
	const blockBytes = 512 // of getrusage, on every system that counts
	return float64(usage.Oublock*blockBytes) / float64(stats.Accepted.StoredBytes), nil
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
		{p99PerP50, float64(r.Latency.P99) / float64(r.Latency.P50)},
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
	counted, err := c.marks(ctx)
	if err != nil {
		return err
	}
	if counted > sent || report.Failed == 0 && counted != sent {
		return fmt.Errorf("server counts %d students, %d were sent, %d requests failed: %v %v",
			counted, sent, report.Failed, report.Statuses, report.Errors)
	}
	return nil
}

// marks asks the server how many marks it keeps: students, summed over all tests.
func (c *child) marks(ctx context.Context) (int64, error) {
	status, page, err := c.get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("get metrics: status %d: %s", status, page)
	}
	marks, err := metricIn(page, "markr_engine_marks")
	return int64(marks), err
}
