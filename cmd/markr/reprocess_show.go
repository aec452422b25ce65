package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

// differenceState is what would change.
type differenceState struct {
	Position          uint64 `json:"position"`
	Tests             int    `json:"tests"`
	TestsMoved        int    `json:"tests_moved"`
	Marks             int    `json:"marks"`
	StudentsMoved     int    `json:"students_moved"`
	StudentsAdded     int    `json:"students_added"`
	StudentsRemoved   int    `json:"students_removed"`
	KeptChanged       int    `json:"kept_scans_changed"`
	DocumentsRefused  int    `json:"documents_refused"`
	DocumentsAccepted int    `json:"documents_accepted"`
}

// show prints a state, and with lists the tests or the students that differ.
func (r *reprocessing) show(ctx context.Context, state reprocessState, lists bool) error {
	if r.options.asJSON {
		if _, err := fmt.Fprintf(r.std.out, "%s\n", state.body); err != nil || !lists {
			return err
		}
		return r.lists(ctx)
	}
	table := newTable(r.std.out)
	table.row("in force", state.InForce)
	if under := state.Reprocess; under != nil {
		phase := under.Phase
		if under.Paused {
			phase += ", paused"
		}
		table.row("reprocess", fmt.Sprintf("%v, %s", under.Rule, phase))
		table.row("position", fmt.Sprintf("%d of %d", under.Position, under.Last))
		if under.Error != "" {
			table.row("error", under.Error)
		}
		if d := under.Difference; d != nil {
			table.row("compared at", d.Position)
			table.row("tests", fmt.Sprintf("%d, moved %d", d.Tests, d.TestsMoved))
			table.row("marks", fmt.Sprintf("%d, moved %d, added %d, removed %d", d.Marks, d.StudentsMoved, d.StudentsAdded, d.StudentsRemoved))
			table.row("kept scans", fmt.Sprintf("changed %d", d.KeptChanged))
			table.row("documents", fmt.Sprintf("accepted and refused today %d, refused and accepted today %d", d.DocumentsRefused, d.DocumentsAccepted))
		}
	} else {
		table.row("reprocess", "none")
	}
	if err := table.flush(); err != nil || !lists {
		return err
	}
	return r.lists(ctx)
}

// differencesPage is a page of tests or of students.
type differencesPage struct {
	Tests    []json.RawMessage `json:"tests"`
	Students []json.RawMessage `json:"students"`
	Next     *string           `json:"next_cursor"`
}

type listedDifference struct {
	ID      string         `json:"id"`
	Before  *listedFigures `json:"before"`
	After   *listedFigures `json:"after"`
	Moved   int            `json:"students_moved"`
	Added   int            `json:"students_added"`
	Removed int            `json:"students_removed"`
	Kept    int            `json:"kept_scans_changed"`
}

type listedFigures struct {
	Count  int         `json:"count"`
	Mean   json.Number `json:"mean"`
	Median json.Number `json:"p50"`
}

type listedStudent struct {
	Number string       `json:"student_number"`
	Before *listedMarks `json:"before"`
	After  *listedMarks `json:"after"`
}

type listedMarks struct {
	Obtained   json.Number `json:"obtained"`
	Available  json.Number `json:"available"`
	Percentage json.Number `json:"percentage"`
	Position   uint64      `json:"position"`
	Record     int         `json:"record"`
}

// lists prints what differs, page by page.
func (r *reprocessing) lists(ctx context.Context) error {
	table := newTable(r.std.out)
	query := url.Values{"limit": {strconv.Itoa(testsPerPage)}}
	if r.options.test != "" {
		query.Set("test", r.options.test)
	}
	for listed := 0; ; {
		body, err := r.client.get(ctx, r.client.url(query, "admin", "reprocess", "difference"))
		if p, ok := errors.AsType[*problem](err); ok && p.Code == "unknown_test" {
			return table.flush() // Nothing differs in it.
		}
		if err != nil {
			return err
		}
		var page differencesPage
		if err := json.Unmarshal(body, &page); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
		for _, raw := range append(page.Tests, page.Students...) {
			if err := r.list(table, raw, listed == 0); err != nil {
				return err
			}
			listed++
		}
		if page.Next == nil {
			return table.flush()
		}
		query.Set("cursor", *page.Next)
	}
}

// list prints one test or student; the first comes with a heading.
func (r *reprocessing) list(table *table, raw json.RawMessage, first bool) error {
	if r.options.asJSON {
		_, err := fmt.Fprintf(r.std.out, "%s\n", raw)
		return err
	}
	if first {
		note(r.std.out, "")
	}
	if r.options.test != "" {
		var s listedStudent
		if err := json.Unmarshal(raw, &s); err != nil {
			return fmt.Errorf("read the server's answer: %w", err)
		}
		if first {
			table.row("STUDENT", "BEFORE", "%", "SCAN", "AFTER", "%", "SCAN")
		}
		table.row(append(append([]any{s.Number}, s.Before.cells()...), s.After.cells()...)...)
		return nil
	}
	var t listedDifference
	if err := json.Unmarshal(raw, &t); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if first {
		table.row("TEST", "STUDENTS", "MEAN %", "MEDIAN %", "MOVED", "ADDED", "REMOVED", "KEPT CHANGED")
	}
	before, after := t.Before.orNone(), t.After.orNone()
	table.row(t.ID, change(strconv.Itoa(before.Count), strconv.Itoa(after.Count)), change(before.Mean.String(), after.Mean.String()),
		change(before.Median.String(), after.Median.String()), t.Moved, t.Added, t.Removed, t.Kept)
	return nil
}

// change shows two values, or the one that they both are.
func change(before, after string) string {
	if before == after {
		return before
	}
	return before + " -> " + after
}

func (f *listedFigures) orNone() listedFigures {
	if f == nil {
		return listedFigures{Mean: "-", Median: "-"}
	}
	return *f
}

// cells are marks, their percentage, and the scan that they come from.
func (m *listedMarks) cells() []any {
	if m == nil {
		return []any{"-", "-", "-"}
	}
	return []any{fmt.Sprintf("%v of %v", m.Obtained, m.Available), m.Percentage, fmt.Sprintf("%d:%d", m.Position, m.Record)}
}
