package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"markr/bench/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// baselineArgument, before an address, turns the program into the server that does
// nothing.
const baselineArgument = "baseline"

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 2 && args[0] == baselineArgument {
		return exit(stderr, serveBaseline(ctx, args[1]))
	}
	if len(args) > 1 && args[0] == engineArgument {
		return exit(stderr, runInEngine(ctx, args[1:], stdout))
	}
	if len(args) > 1 && args[0] == subscribersArgument {
		return exit(stderr, runSubscribers(ctx, args[1:], os.Stdin, stdout))
	}
	s, err := parseSettings(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		say(stderr, "bench: %v", err)
		return 2
	}
	return exit(stderr, compare(ctx, s, stdout, stderr))
}

func exit(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	say(stderr, "bench: %v", err)
	if errors.Is(err, context.Canceled) {
		return 130
	}
	return 1
}

// say writes a line for the person who watches. If that cannot be written there is
// nobody to tell.
func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...)
}

// settings are the flags.
type settings struct {
	runs     int
	duration time.Duration
	warmUp   time.Duration
	only     []string // names of scenarios; empty: all
	against  []string // names of peers
	out      string   // directory for the raw figures; empty: nowhere
	name     string
	quiet    time.Duration
	dir      string // parent of the data directories
}

func parseSettings(args []string, stderr io.Writer) (settings, error) {
	var s settings
	var only, against string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&s.runs, "runs", 5, "measure everything `N` times, contenders in alternation")
	flags.DurationVar(&s.duration, "duration", 5*time.Second, "how long each measurement counts")
	flags.DurationVar(&s.warmUp, "warmup", time.Second, "load before each measurement that is not counted")
	flags.StringVar(&only, "only", "", "scenarios to run, separated by commas; default all of "+strings.Join(scenarioNames(), ", "))
	flags.StringVar(&against, "against", "", "peers to measure beside, separated by commas: postgres, redis; those that are not installed are left out")
	flags.StringVar(&s.out, "out", filepath.Join("bench", "results"), "`directory` for the raw figures; empty: print only")
	flags.StringVar(&s.name, "name", "", "name of the result files, after the date; default the commit")
	flags.StringVar(&s.dir, "dir", os.TempDir(), "`directory` on the disk to measure, for the servers' data")
	flags.DurationVar(&s.quiet, "quiet", 0, "for up to `DURATION` per measurement, wait for an idle machine, and measure again if it did not stay so")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if only != "" {
		s.only = strings.Split(only, ",")
	}
	for _, name := range s.only {
		if !slices.Contains(scenarioNames(), name) {
			return s, fmt.Errorf("no scenario %q; there are %s", name, strings.Join(scenarioNames(), ", "))
		}
	}
	if against != "" {
		s.against = strings.Split(against, ",")
	}
	for _, name := range s.against {
		if peerStarts()[name] == nil {
			return s, fmt.Errorf("no peer %q; there are postgres and redis", name)
		}
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case s.runs < 1 || s.runs > 1000:
		return s, fmt.Errorf("-runs is %d, must be 1 to 1000", s.runs)
	case s.duration <= 0 || s.duration > load.DurationMax:
		return s, fmt.Errorf("-duration is %v, must be up to %v", s.duration, load.DurationMax)
	case s.warmUp < 0 || s.warmUp > load.DurationMax:
		return s, fmt.Errorf("-warmup is %v, must be up to %v", s.warmUp, load.DurationMax)
	case strings.ContainsAny(s.name, `/\`):
		return s, fmt.Errorf("-name %q: a name, not a path", s.name)
	}
	return s, nil
}

// compare runs the scenarios, prints the table and writes the raw figures.
func compare(ctx context.Context, s settings, stdout, stderr io.Writer) (err error) {
	machine, err := lookAtMachine(s.dir)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(s.dir, "markr-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	b := &bencher{settings: s, work: work, progress: stderr}
	b.markr = sync.OnceValues(func() (string, error) { return buildServer(ctx, work) })
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	result := &result{
		Started: time.Now().UTC().Truncate(time.Second),
		Commit:  commit(ctx),
		Machine: machine,
		Runs:    s.runs, Duration: s.duration, WarmUp: s.warmUp,
	}
	for _, scenario := range scenarios() {
		if len(s.only) > 0 && !slices.Contains(s.only, scenario.name) || scenario.peers && len(s.against) == 0 {
			continue
		}
		outcome, err := b.run(ctx, scenario)
		if err != nil {
			return fmt.Errorf("scenario %s: %w", scenario.name, err)
		}
		result.Scenarios = append(result.Scenarios, outcome)
	}
	if err := result.writeText(stdout); err != nil {
		return err
	}
	return result.save(s, stderr)
}
