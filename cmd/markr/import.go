package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"sync"
	"time"

	"github.com/urfave/cli/v3"

	"markr/httpapi"
)

// Bounds of the import verb.
const (
	// jobsMax is more connections than any one sender can use.
	jobsMax = 256
	// stdinBytesMax is how much is read from standard input, which has to be
	// held because it may have to be sent again: eight times what a server takes
	// by default.
	stdinBytesMax = 8 * httpapi.BodyBytesMaxDefault
)

const importDescription = `Sends each FILE as one document to a running server, as a scanner would; "-" is standard input. The server accepts a document whole or refuses it whole, and an accepted one is on disk when it says so. Sending a document again changes nothing, so an import that was interrupted can simply be repeated.

One line per document goes to standard output, in the order of the answers. A refused document does not stop the others; at the end all refused ones are named with code, record, line and reason. When the server is overloaded, not ready or does not answer, a document is sent again for as long as --retry-for allows; then the import stops.

Exit status: 0 everything was accepted, 3 something was refused, 4 the server could not be reached or did not become ready, 130 interrupted.`

// contentType checks that a text is one.
func contentType(text string) error {
	if _, _, err := mime.ParseMediaType(text); err != nil {
		return fmt.Errorf("not a content type: %w", err)
	}
	return nil
}

// importOptions are the flags of the verb.
type importOptions struct {
	server   string
	bearer   string
	jobs     int
	corrects string
	retryFor time.Duration
	sendAs   string
	asJSON   bool
}

func newImport(std streams) *cli.Command {
	var o importOptions
	return &cli.Command{
		Name:        "import",
		Usage:       "send scanner documents to a running server",
		UsageText:   "markr import scans/*.xml marks.csv\nmarkr gen --students 500 | markr import -\nmarkr import --server http://markr.example:4567 --jobs 8 --json scans/*.xml\nmarkr import --corrects 01990f3c-7a3e-7c55-a0a4-0c9a3d0c2b11 corrected.xml",
		ArgsUsage:   "FILE... | -",
		Description: importDescription,
		Flags: []cli.Flag{
			serverFlag(&o.server),
			bearerFlag(&o.bearer),
			&cli.IntFlag{
				Name: "jobs", Usage: "send `N` documents at a time", Value: 4, Destination: &o.jobs,
				Validator: within(1, jobsMax),
			},
			&cli.StringFlag{
				Name: "corrects", Usage: "hand the one document in as a correction of the refused import `ID`", Destination: &o.corrects,
				Validator: importID,
			},
			&cli.DurationFlag{
				Name: "retry-for", Usage: "try to deliver a document for up to `DURATION`; 0s tries once",
				Value: 30 * time.Second, Destination: &o.retryFor,
				Validator: notNegative,
			},
			&cli.StringFlag{
				Name: "type", Destination: &o.sendAs, Validator: contentType,
				Usage:       "send every document as content `TYPE`, for example 'text/csv; profile=NAME'",
				DefaultText: "text/csv for names that end with .csv, else " + mediaType,
			},
			jsonFlag("print one JSON object per document: file, status, and the server's answer", &o.asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			documents, err := listDocuments(cmd.Args().Slice(), std.in)
			if err != nil {
				return err
			}
			if o.corrects != "" && len(documents) != 1 {
				return usageError(errors.New("--corrects goes with one document"))
			}
			c, err := newClient(serverFlagName, o.server, o.jobs)
			if err != nil {
				return err
			}
			if err := c.present(o.bearer); err != nil {
				return err
			}
			return importAll(ctx, std, newSender(c, &o, std.err), documents, o)
		},
	}
}

// document is something to send: it can be opened as often as it has to be sent.
type document struct {
	name string
	to   []string // the path that it is posted to; nil: the sender's
	open func() (body io.ReadCloser, size int64, err error)
}

// listDocuments checks that everything that was named is there before anything
// is sent.
func listDocuments(names []string, stdin io.Reader) ([]document, error) {
	if len(names) == 0 {
		return nil, withHint(usageError(errors.New("nothing to import")),
			"name files, or - for standard input: `markr import scans/*.xml`")
	}
	documents := make([]document, 0, len(names))
	stdinUsed := false
	for _, name := range names {
		if name == "-" {
			if stdinUsed {
				return nil, usageError(errors.New("standard input can be read only once"))
			}
			stdinUsed = true
			documents = append(documents, stdinDocument(stdin))
			continue
		}
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return nil, withHint(err, "nothing was sent; correct the name and import again")
		case info.IsDir():
			return nil, withHint(usageError(fmt.Errorf("%s is a directory", name)),
				fmt.Sprintf("let the shell name the files: `markr import %s/*.xml`", name))
		}
		documents = append(documents, fileDocument(name))
	}
	return documents, nil
}

func fileDocument(name string) document {
	return document{name: name, open: func() (io.ReadCloser, int64, error) {
		file, err := os.Open(name)
		if err != nil {
			return nil, 0, err
		}
		info, err := file.Stat()
		if err != nil {
			return nil, 0, errors.Join(err, file.Close())
		}
		return file, info.Size(), nil
	}}
}

// importAll sends the documents and tells what became of each.
func importAll(ctx context.Context, std streams, s *sender, documents []document, o importOptions) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	bar := newProgress(std.err, len(documents), "documents")
	told := &teller{out: std.out, bar: bar, asJSON: o.asJSON}
	next := make(chan document)
	var workers sync.WaitGroup
	for range min(o.jobs, len(documents)) {
		workers.Go(func() {
			for d := range next {
				result := s.send(ctx, d)
				told.tell(result)
				if result.ends() {
					stop() // The next document would fare no better.
				}
			}
		})
	}
feed:
	for _, d := range documents {
		select {
		case next <- d:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	workers.Wait()
	bar.finish()
	return told.summary(std.err, len(documents))
}

// teller prints results as they come and remembers what the end needs.
type teller struct {
	out    io.Writer
	bar    *progress
	asJSON bool

	mu struct {
		sync.Mutex
		accepted   int
		duplicates int
		refused    []result
		failed     []result
		writeErr   error
	}
}

// tell prints one result.
func (t *teller) tell(r result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case r.err == nil:
		t.mu.accepted++
		if r.receipt.DuplicateOf != nil {
			t.mu.duplicates++
		}
	case errors.Is(r.err, errRefused):
		t.mu.refused = append(t.mu.refused, r)
	default:
		t.mu.failed = append(t.mu.failed, r)
		if errors.Is(r.err, context.Canceled) {
			return // Neither sent nor refused: there is nothing to tell.
		}
	}
	t.bar.clear(t.out)
	if err := t.print(r); err != nil {
		t.mu.writeErr = err
	}
	t.bar.add(1)
}

func (t *teller) print(r result) error {
	switch {
	case t.asJSON:
		return json.NewEncoder(t.out).Encode(r.json())
	case r.ends():
		return nil // Told at the end, with what to do.
	}
	_, err := fmt.Fprintf(t.out, "%s: %s\n", r.name, r.text())
	return err
}

// summary names what was refused and returns what the verb ends with. It is
// called when all workers are done.
func (t *teller) summary(stderr io.Writer, documents int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if documents > 1 && !t.asJSON {
		note(stderr, "%d of %d documents accepted, %d of them seen before, %d refused",
			t.mu.accepted, documents, t.mu.duplicates, len(t.mu.refused))
	}
	for _, r := range t.mu.refused {
		note(stderr, "refused: %s: %v", r.name, r.err)
	}
	if t.mu.writeErr != nil {
		return fmt.Errorf("write results: %w", t.mu.writeErr)
	}
	// The worst of what happened decides; a failure that stopped the others is
	// told before those it stopped.
	var worst error
	for _, r := range t.mu.failed {
		if worst == nil || errors.Is(worst, context.Canceled) {
			worst = r.err
			if !errors.Is(r.err, context.Canceled) {
				worst = withHint(fmt.Errorf("%s: %w", r.name, r.err), hintOf(r.err))
			}
		}
	}
	if unsent := documents - t.mu.accepted - len(t.mu.refused); worst != nil && unsent > 1 {
		note(stderr, "%d documents were not delivered; importing all again is safe", unsent)
	}
	if worst == nil && len(t.mu.refused) > 0 {
		return &toldError{errRefused}
	}
	return worst
}
