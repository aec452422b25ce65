package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"markr/bench/cohort"
	"markr/bench/load"
)

const benchDescription = `Posts made-up documents, no two alike, for --duration, then reads one test's aggregate for as long, and prints rates and latencies. Every import counted here is on disk. Latencies of a closed loop, which is the default, are those of a saturated server; with --rate, requests are due at fixed times and latency counts from then.

Without --target a server is started in this process, with a data directory that is removed afterwards. With --target the documents go into that server and stay there; only servers on this machine are loaded, unless --remote says otherwise.`

// benchOptions are the flags of the verb.
type benchOptions struct {
	target      string
	remote      bool
	bearerFile  string
	dir         string
	duration    time.Duration
	warmUp      time.Duration
	connections int
	rate        float64
	records     int
	seed        uint64
	asJSON      bool
}

func newBench(std streams) *cli.Command {
	var o benchOptions
	return &cli.Command{
		Name:        "bench",
		Usage:       "measure what a server can do on this machine",
		UsageText:   "markr bench\nmarkr bench --duration 30s --rate 500 --connections 128\nmarkr bench --target http://127.0.0.1:4567 --seed 2 --json",
		Description: benchDescription,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "target", Usage: "load the server at `URL`; made-up results stay in it", Destination: &o.target},
			&cli.BoolFlag{Name: "remote", Usage: "allow a target on another machine", Destination: &o.remote},
			bearerFlag(&o.bearerFile),
			&cli.StringFlag{Name: "dir", Usage: "put the temporary data directory into `DIR`, to measure its disk", Value: os.TempDir(), DefaultText: "the system's", Destination: &o.dir, TakesFile: true},
			&cli.DurationFlag{Name: "duration", Usage: "measure imports for `DURATION`, and then reads", Value: 5 * time.Second, Destination: &o.duration, Validator: benchDuration},
			&cli.DurationFlag{Name: "warm-up", Usage: "before that, load for `DURATION` without measuring", Value: time.Second, Destination: &o.warmUp, Validator: notNegative},
			&cli.IntFlag{Name: "connections", Usage: "keep `N` connections open, with a request under way on each", Value: 64, Destination: &o.connections, Validator: within(1, load.ConnectionsMax)},
			&cli.FloatFlag{Name: "rate", Usage: "send `N` requests per second, whatever the server does", DefaultText: "as many as are answered", Destination: &o.rate},
			&cli.IntFlag{Name: "records", Usage: "post documents of `N` records", Value: 100, Destination: &o.records, Validator: within(1, cohort.RecordsMax)},
			&cli.Uint64Flag{Name: "seed", Usage: "with a target that was loaded before, another `N` makes new documents", Value: 1, Destination: &o.seed},
			jsonFlag("print one JSON object", &o.asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			report, err := bench(ctx, std, o)
			if err != nil {
				return err
			}
			if o.asJSON {
				return json.NewEncoder(std.out).Encode(report)
			}
			return report.write(std.out)
		},
	}
}

func benchDuration(d time.Duration) error {
	if d <= 0 || d > load.DurationMax {
		return fmt.Errorf("must be longer than 0s and at most %v", load.DurationMax)
	}
	return nil
}

// benchReport is what the verb prints.
type benchReport struct {
	Target     string      `json:"target"` // empty: started for this run
	Records    int         `json:"records_per_document"`
	BodyBytes  int64       `json:"document_bytes"`
	Imports    load.Report `json:"imports"`
	Reads      load.Report `json:"reads"`
	TestID     string      `json:"test_id"` // whose aggregate was read
	Build      build       `json:"build"`
	StartedUTC time.Time   `json:"started"`
}

// bench loads a server, its own if there is no other.
func bench(ctx context.Context, std streams, o benchOptions) (report *benchReport, err error) {
	server := o.target
	if server == "" {
		own, remove, err := startBenched(ctx, o.dir)
		if err != nil {
			return nil, err
		}
		server = own
		defer func() { err = errors.Join(err, remove()) }()
	}
	parse := load.ParseTarget
	if o.remote {
		parse = load.ParseRemoteTarget
	}
	target, err := parse(ctx, server)
	switch {
	case errors.Is(err, load.ErrNotLoopback):
		return nil, withHint(usageError(err), "add --remote if that machine is yours to load")
	case err != nil:
		return nil, usageError(err)
	}
	if target.Token, err = readBearer(o.bearerFile); err != nil {
		return nil, err
	}
	return measure(ctx, std, o, target)
}

// measure runs the two loads.
func measure(ctx context.Context, std streams, o benchOptions, target load.Target) (*benchReport, error) {
	shape := cohort.Default()
	shape.Seed, shape.RecordsPerDocument = o.seed, o.records
	shape.Students = max(shape.Students, o.records) // Enough for a document.
	people, err := cohort.New(shape)
	if err != nil {
		return nil, usageError(err)
	}
	imports, err := load.NewImports(target, people, o.connections)
	if err != nil {
		return nil, err
	}
	report := &benchReport{
		Target: o.target, Records: o.records, BodyBytes: imports.BodyBytes(),
		TestID: firstTest(people), Build: readBuild(), StartedUTC: time.Now().UTC(),
	}
	options := load.Options{Target: target, Connections: o.connections, Rate: o.rate, WarmUp: o.warmUp, Duration: o.duration}
	for _, phase := range []struct {
		name  string
		feeds load.Feeds
		to    *load.Report
	}{
		{"imports", imports.Feed, &report.Imports},
		{"reads", load.Get(target, "/results/"+url.PathEscape(report.TestID)+"/aggregate"), &report.Reads},
	} {
		bar := newProgress(std.err, int(o.duration/time.Millisecond), "ms of "+phase.name)
		options.Progress = func(p load.Progress) { bar.set(int(p.Elapsed / time.Millisecond)) }
		*phase.to, err = load.Run(ctx, options, phase.feeds)
		bar.finish()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, unreachable(err, target.Host)
		}
	}
	return report, nil
}

// firstTest is the id of the test that the first document is about.
func firstTest(people *cohort.Cohort) string {
	for sheet := range people.Sheets(0) {
		return sheet.TestID
	}
	return "" // Not reached: a document has a sheet.
}

// unreachable sorts what keeps a load from running.
func unreachable(err error, host string) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, load.ErrOptions) {
		return err
	}
	return withHint(unreachableError(fmt.Errorf("%s: %w", host, err)), "leave --target out to load a server of its own")
}

// startBenched starts a server of its own on a free port of loopback; remove
// stops it and removes its data.
func startBenched(ctx context.Context, dir string) (server string, remove func() error, err error) {
	t, err := startTemporary(ctx, dir, "markr-bench-", "127.0.0.1:0", false, slog.New(slog.DiscardHandler))
	if err != nil {
		if _, onDisk := errors.AsType[*fs.PathError](err); onDisk {
			err = withHint(err, "name a directory on the disk to measure with --dir")
		}
		return "", nil, err
	}
	return t.service.url(), t.remove, nil
}

// write prints the report for a person.
func (r *benchReport) write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "documents of %s, %s each, %s\n\n",
		counted(r.Records, "record"), approximate(r.BodyBytes), counted(r.Imports.Connections, "connection"))
	if err != nil {
		return err
	}
	table := newTable(w)
	table.row("", "PER SECOND", "P50", "P90", "P99", "P99.9", "MAX", "FAILED")
	for _, row := range []struct {
		name string
		load.Report
	}{{"imports", r.Imports}, {"reads", r.Reads}} {
		l := row.Latency
		table.row(row.name, fmt.Sprintf("%.0f", row.PerSecond), l.P50, l.P90, l.P99, l.P999, l.Max, row.Failed)
	}
	if err := table.flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%.0f records/s and %s/s became durable\n",
		r.Imports.PerSecond*float64(r.Records), approximate(int64(r.Imports.PerSecond*float64(r.BodyBytes))))
	return err
}
