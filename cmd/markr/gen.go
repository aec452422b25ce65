package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"markr/bench/cohort"
)

// generatedRecordsPerDocument is how many sheets go into a file of --out: what a
// scanner posts at a time.
const generatedRecordsPerDocument = 100

const genDescription = `Makes up a cohort that sits some tests, and prints the documents a scanner would post. The same flags and seed give the same bytes, on every machine. Students have abilities and questions difficulties, so that item statistics make sense; some sheets are scanned twice, and a folded sheet shows too few marks.

Without --out, one document with all sheets goes to standard output. With --out, documents of --records sheets become files of a directory, named in the order of scanning.`

func newGen(std streams) *cli.Command {
	o := cohort.Default()
	o.RecordsPerDocument = 0 // Depends on --out.
	var dir string
	return &cli.Command{
		Name:        "gen",
		Usage:       "make up scanner documents",
		UsageText:   "markr gen --students 500 --seed 7 > scan.xml\nmarkr gen --students 500 | markr import -\nmarkr gen --students 20000 --tests 3 --out scans",
		Description: genDescription,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "students", Usage: "`N` students, each of whom sits every test", Value: o.Students, Destination: &o.Students, Validator: within(1, cohort.StudentsMax)},
			&cli.IntFlag{Name: "tests", Usage: "`N` tests", Value: o.Tests, Destination: &o.Tests, Validator: within(1, cohort.TestsMax)},
			&cli.IntFlag{Name: "questions", Usage: "`N` questions in a test, each worth one mark", Value: o.Questions, Destination: &o.Questions, Validator: within(1, cohort.QuestionsMax)},
			&cli.IntFlag{Name: "choices", Usage: "`N` answers to choose from", Value: o.Choices, Destination: &o.Choices, Validator: within(2, cohort.ChoicesMax)},
			&cli.FloatFlag{Name: "rescans", Usage: "how many sheets are scanned again, as a `SHARE` of the students", Value: o.RescanShare, Destination: &o.RescanShare, Validator: share},
			&cli.FloatFlag{Name: "folds", Usage: "how many scans show a folded sheet, as a `SHARE`", Value: o.FoldShare, Destination: &o.FoldShare, Validator: share},
			&cli.FloatFlag{Name: "blanks", Usage: "how many questions that a student does not know are left blank, as a `SHARE`", Value: o.BlankShare, Destination: &o.BlankShare, Validator: share},
			&cli.Uint64Flag{Name: "seed", Usage: "another `N` is another cohort of the same shape", Value: o.Seed, Destination: &o.Seed},
			&cli.IntFlag{
				Name: "records", Usage: "put `N` sheets into a document", Destination: &o.RecordsPerDocument,
				DefaultText: fmt.Sprintf("%d with --out, otherwise all", generatedRecordsPerDocument),
				Validator:   within(1, cohort.RecordsMax),
			},
			&cli.StringFlag{Name: "out", Usage: "write files into `DIR`, which is made if it is not there", Destination: &dir, TakesFile: true},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			if dir != "" {
				return generateFiles(ctx, std, o, dir)
			}
			return generateOne(ctx, std, o)
		},
	}
}

// generateOne streams one document to standard output.
func generateOne(ctx context.Context, std streams, o cohort.Options) error {
	if o.RecordsPerDocument == 0 {
		o.RecordsPerDocument = cohort.RecordsMax
	}
	c, err := cohort.New(o)
	if err != nil {
		return usageError(err)
	}
	if n := c.Documents(); n > 1 {
		return withHint(usageError(fmt.Errorf("this is %d documents, and standard output takes one", n)),
			"add --out DIR to write files, or ask for one test and at most 100000 sheets")
	}
	return c.WriteDocument(&cancelWriter{ctx: ctx, w: std.out}, 0)
}

// cancelWriter makes a long stream end when its context does.
type cancelWriter struct {
	ctx context.Context // The writer lives for one call, which owns it.
	w   io.Writer
}

// Write writes unless the context is done.
func (c *cancelWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}

// generateFiles writes every document into a file of its own.
func generateFiles(ctx context.Context, std streams, o cohort.Options, dir string) error {
	if o.RecordsPerDocument == 0 {
		o.RecordsPerDocument = generatedRecordsPerDocument
	}
	c, err := cohort.New(o)
	if err != nil {
		return usageError(err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return withHint(err, "name another directory with --out")
	}
	digits := len(fmt.Sprint(c.Documents()))
	bar := newProgress(std.err, c.Documents(), "documents")
	defer bar.finish()
	for i := range c.Documents() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := generateFile(filepath.Join(dir, fmt.Sprintf("%0*d.xml", digits, i+1)), c, i); err != nil {
			return err
		}
		bar.add(1)
	}
	return nil
}

// generateFile writes one document, and never over another file.
func generateFile(name string, c *cohort.Cohort, i int) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return withHint(err, "name an empty directory with --out; files are never replaced")
	}
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(file)
	return errors.Join(c.WriteDocument(buffered, i), buffered.Flush(), file.Close())
}
