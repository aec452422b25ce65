package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"markr/bench/load"
)

// result is everything a run of the program found; it is what the raw files hold.
type result struct {
	Started   time.Time        `json:"started"`
	Commit    string           `json:"commit"` // a plus sign at the end: and uncommitted changes
	Machine   machine          `json:"machine"`
	Runs      int              `json:"runs"`
	Duration  time.Duration    `json:"duration_ns"`
	WarmUp    time.Duration    `json:"warm_up_ns"`
	Scenarios []scenarioResult `json:"scenarios"`
}

type scenarioResult struct {
	Name       string            `json:"name"`
	What       string            `json:"what"`
	Contenders []contenderResult `json:"contenders"`
	Repeated   int               `json:"repeated"` // measurements thrown away because the machine was busy

	goals []goal
}

type contenderResult struct {
	Name    string         `json:"name"`
	Figures []figureResult `json:"figures"`
	Reports []*load.Report `json:"reports,omitempty"` // by run
}

type figureResult struct {
	Name   string    `json:"name"`
	Median float64   `json:"median"`
	Values []float64 `json:"values"` // by run
}

// add takes the measurement of one more run.
func (c *contenderResult) add(m measurement) {
	for _, f := range m.figures {
		at := slices.IndexFunc(c.Figures, func(r figureResult) bool { return r.Name == f.name })
		if at < 0 {
			at = len(c.Figures)
			c.Figures = append(c.Figures, figureResult{Name: f.name})
		}
		r := &c.Figures[at]
		r.Values = append(r.Values, f.value)
		r.Median = median(r.Values)
	}
	if m.report != nil {
		c.Reports = append(c.Reports, m.report)
	}
}

func (c *contenderResult) figure(name string) (figureResult, bool) {
	at := slices.IndexFunc(c.Figures, func(r figureResult) bool { return r.Name == name })
	if at < 0 {
		return figureResult{}, false
	}
	return c.Figures[at], true
}

// ratio is the median, over the runs, of one contender's figure divided by
// another's in the same run: neighbours in time met the same machine.
func ratio(a, b figureResult) (float64, bool) {
	n := min(len(a.Values), len(b.Values))
	ratios := make([]float64, 0, n)
	for i := range n {
		if b.Values[i] != 0 {
			ratios = append(ratios, a.Values[i]/b.Values[i])
		}
	}
	return median(ratios), len(ratios) > 0
}

// writeText writes one table per scenario.
func (r *result) writeText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "markr %s, %s\n%s\n", r.Commit, r.Started.Format(time.RFC3339), r.Machine)
	fmt.Fprintf(&b, "%d runs of %v after %v of warm-up; median (lowest to highest); ratios run by run\n", r.Runs, r.Duration, r.WarmUp)
	for i := range r.Scenarios {
		r.Scenarios[i].appendText(&b)
	}
	r.appendGoals(&b)
	// The table pads its last column.
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// appendGoals writes every goal in a line, with what was reached.
func (r *result) appendGoals(b *strings.Builder) {
	var lines []string
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for _, f := range s.Contenders[0].Figures {
			if verdict := s.verdict(f); verdict != "" {
				lines = append(lines, strings.Join([]string{"  " + s.Name, f.Name, number(f.Median), verdict}, "\t"))
			}
		}
	}
	if len(lines) == 0 {
		return
	}
	b.WriteString("\ngoals\n")
	table := tabwriter.NewWriter(b, 0, 0, 3, ' ', 0)
	// A strings.Builder takes everything.
	_, _ = io.WriteString(table, strings.Join(lines, "\n")+"\n")
	_ = table.Flush()
}

func (s *scenarioResult) appendText(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s: %s\n", s.Name, s.What)
	ours, others := &s.Contenders[0], s.Contenders[1:]
	heads := []string{"", ours.Name}
	for _, c := range others {
		heads = append(heads, c.Name)
	}
	for _, c := range others {
		heads = append(heads, ours.Name+" : "+c.Name)
	}
	lines := []string{strings.Join(append(heads, "goal"), "\t")}
	for _, f := range ours.Figures {
		cells := []string{"  " + f.Name, f.String()}
		ratios := make([]string, 0, len(others))
		for _, c := range others {
			cell, times := "-", "-"
			if other, ok := c.figure(f.Name); ok {
				cell = other.String()
				if q, ok := ratio(f, other); ok {
					times = number(q)
				}
			}
			cells, ratios = append(cells, cell), append(ratios, times)
		}
		cells = append(append(cells, ratios...), s.verdict(f))
		lines = append(lines, strings.Join(cells, "\t"))
	}
	table := tabwriter.NewWriter(b, 0, 0, 3, ' ', 0)
	// A strings.Builder takes everything.
	_, _ = io.WriteString(table, strings.Join(lines, "\n")+"\n")
	_ = table.Flush()
	if s.Repeated > 0 {
		fmt.Fprintf(b, "  measured again because the machine was busy elsewhere: %d\n", s.Repeated)
	}
}

// String is the median, with the extremes.
func (f figureResult) String() string {
	return fmt.Sprintf("%s (%s to %s)", number(f.Median), number(slices.Min(f.Values)), number(slices.Max(f.Values)))
}

// verdict says how a figure of Markr stands to its goals.
func (s *scenarioResult) verdict(f figureResult) string {
	var verdicts []string
	for _, g := range s.goals {
		if g.figure != f.Name {
			continue
		}
		value, of := f.Median, ""
		if g.against != "" {
			of = " of " + g.against
			at := slices.IndexFunc(s.Contenders, func(c contenderResult) bool { return strings.HasPrefix(c.Name, g.against) })
			if at < 0 {
				continue
			}
			other, _ := s.Contenders[at].figure(f.Name)
			value, _ = ratio(f, other)
			of += ", is " + number(value)
		}
		bound, met := ">= "+number(g.atLeast), value >= g.atLeast
		if g.atMost > 0 {
			bound, met = "<= "+number(g.atMost), value <= g.atMost
		}
		word := "met"
		if !met {
			word = "missed"
		}
		verdicts = append(verdicts, bound+of+": "+word)
	}
	return strings.Join(verdicts, ", ")
}

// number prints a figure to three digits or, when it is large, to the unit.
func number(f float64) string {
	switch {
	case f == 0:
		return "0"
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	case f >= 1:
		return fmt.Sprintf("%.2f", f)
	default:
		return fmt.Sprintf("%.3f", f)
	}
}

// save writes the raw figures and the table into files named by date.
func (r *result) save(s settings, progress io.Writer) error {
	if s.out == "" {
		return nil
	}
	if err := os.MkdirAll(s.out, 0o777); err != nil {
		return err
	}
	name := s.name
	if name == "" {
		name = strings.TrimSuffix(r.Commit, "+")
	}
	stem := filepath.Join(s.out, r.Started.Format(time.DateOnly)+"-"+name)
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(stem+".json", append(raw, '\n'), 0o666); err != nil {
		return err
	}
	var text strings.Builder
	if err := r.writeText(&text); err != nil {
		return err
	}
	if err := os.WriteFile(stem+".txt", []byte(text.String()), 0o666); err != nil {
		return err
	}
	say(progress, "raw figures in %s.json", stem)
	return nil
}
