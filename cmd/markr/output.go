package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// table prints rows with their columns aligned.
type table struct {
	writer *tabwriter.Writer
	err    error // the first, which flush returns
}

func newTable(w io.Writer) *table {
	const gap = 2 // spaces between columns
	return &table{writer: tabwriter.NewWriter(w, 0, 0, gap, ' ', 0)}
}

// row adds a row. Trailing empty cells leave no trailing spaces.
func (t *table) row(cells ...any) {
	for len(cells) > 0 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	for i, cell := range cells {
		separator := "\t"
		if i == len(cells)-1 {
			separator = "\n"
		}
		if _, err := fmt.Fprint(t.writer, cell, separator); err != nil && t.err == nil {
			t.err = err
		}
	}
}

// flush writes what the rows above need to be aligned.
func (t *table) flush() error {
	if t.err != nil {
		return t.err
	}
	return t.writer.Flush()
}

// note tells the person at the terminal. When that fails there is nobody to tell.
func note(stderr io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(stderr, format+"\n", args...)
}

// counted is a number with its noun: 1 record, 2 records.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// formatTime shows an instant to a person: UTC, like the logs.
func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
