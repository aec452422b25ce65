package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"markr/bench/examday"
)

// How the day goes by.
const (
	// demoSpeed is an exam morning in four minutes: fast enough to see numbers move,
	// slow enough to read them.
	demoSpeed = 12
	// demoHeadStart is how much of the day has gone by when the page is first looked
	// at, so that there is something to see on it.
	demoHeadStart = 16 * time.Minute
	// demoRetryFor is how long a server that is busy is asked again.
	demoRetryFor = 30 * time.Second
)

const demoDescription = `Starts a server on a temporary data directory, and has the scanners of six schools post a day of exams to it over HTTP, as fast as --speed says: rescans of folded papers, documents that are refused and corrected, a number with two names, and one question whose key is wrong. It prints the address of the page, which shows all of that as it comes in.

When the day is over the server goes on answering. Ctrl-C ends it and removes its data; exit status 0. Nothing is kept, and nothing beyond this machine is reached unless --listen says so.`

// demoOptions are the flags of the verb.
type demoOptions struct {
	listen string
	speed  float64
	seed   uint64
}

func newDemo(std streams) *cli.Command {
	var o demoOptions
	return &cli.Command{
		Name:        "demo",
		Usage:       "show a day of exams coming in, on a page",
		UsageText:   "markr demo\nmarkr demo --speed 60 --seed 3\nmarkr demo --listen :8080",
		Description: demoDescription,
		Flags: []cli.Flag{
			&cli.FloatFlag{
				Name: "speed", Usage: "let the day go by `N` times as fast as it was", Value: demoSpeed, Destination: &o.speed,
				Validator: func(n float64) error {
					const least, most = 0.1, 100_000
					if !(n >= least && n <= most) {
						return fmt.Errorf("must be %v to %d", least, most)
					}
					return nil
				},
			},
			&cli.Uint64Flag{Name: "seed", Usage: "another `N` is another day", Value: 1, Destination: &o.seed, Validator: func(n uint64) error {
				if n > math.MaxInt32 {
					return fmt.Errorf("must be at most %d", math.MaxInt32)
				}
				return nil
			}},
			&cli.StringFlag{
				Name: "listen", Usage: "serve on `ADDRESS`; port 0 is any free port", DefaultText: listenDefault + ", or a free port if that is taken",
				Destination: &o.listen, Validator: addressOrEmpty,
			},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return demo(ctx, std, o)
		},
	}
}

// demo runs until it is interrupted, or until something fails.
func demo(ctx context.Context, std streams, o demoOptions) (err error) {
	keepFilesPrivate()
	logger := newLogger(std.err, logText, slog.LevelError, newRegistry())
	listen := o.listen
	if listen == "" {
		listen = listenDefault
	}
	// Whoever opens it to others with --listen shows them what was made up.
	t, err := startTemporary(ctx, "", "markr-demo-", listen, true, logger)
	if o.listen == "" && errors.Is(err, syscall.EADDRINUSE) {
		t, err = startTemporary(ctx, "", "markr-demo-", "127.0.0.1:0", true, logger)
	}
	if err != nil {
		if _, onDisk := errors.AsType[*fs.PathError](err); onDisk {
			err = withHint(err, "name a directory for temporary files with TMPDIR")
		}
		return err
	}
	defer func() { err = errors.Join(err, t.remove()) }()

	began := time.Now()
	day, err := examday.New(o.seed, began.Add(-demoHeadStart).Truncate(time.Minute))
	if err != nil {
		return err
	}
	note(std.err, "A day of exams at six schools comes in, %v times as fast as it was. Ctrl-C ends it, and nothing is kept.\nThe key of one question is wrong: the page finds it. The page, and the same for a wall (?wall=1):", o.speed)
	if _, err := fmt.Fprintf(std.out, "%s/\n", t.service.url()); err != nil {
		return err
	}
	c, err := newClient("listen", t.service.url(), 1)
	if err != nil {
		return err
	}
	streamed := make(chan error, 1)
	go func() { streamed <- streamDay(ctx, std, c, day, began, o.speed) }() // Ends at the latest with ctx.
	for {
		select {
		case err := <-streamed:
			if err != nil && ctx.Err() == nil {
				return err
			}
			streamed = nil // The day is over: the server goes on.
		case err := <-t.service.failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// streamDay posts the documents of a day when their time has come.
func streamDay(ctx context.Context, std streams, c *client, day *examday.Day, began time.Time, speed float64) error {
	importIDs := make(map[int]string) // of refused documents, by their place
	sheets, refused := 0, 0
	for i, document := range day.All() {
		due := began.Add(time.Duration(float64(document.At-demoHeadStart) / speed))
		if wait := time.Until(due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		s := newSender(c, &importOptions{retryFor: demoRetryFor, corrects: importIDs[document.Corrects]}, std.err)
		r := s.send(ctx, memoryDocument(document.School, document.Body))
		switch {
		case r.err == nil:
			sheets += document.Sheets
		case document.Wrong && errors.Is(r.err, errRefused):
			refused++
			var told struct {
				ImportID string `json:"import_id"`
			}
			if json.Unmarshal(r.answer.body, &told) == nil { // Otherwise the correction is a document like others.
				importIDs[i] = told.ImportID
			}
		default:
			return fmt.Errorf("post document %d of the day: %w", i, r.err)
		}
	}
	note(std.err, "The day is over: %s, %s, %d of them refused. The page stays until Ctrl-C.",
		counted(sheets, "sheet"), counted(len(day.Documents), "document"), refused)
	return nil
}
