package itemstats_test

import (
	"slices"
	"strings"
	"testing"

	"markr/engine/itemstats"
)

// Each preset looks at its own figure, and a figure on a border has the word that the
// program behind the preset gives it.
func TestBands(t *testing.T) {
	t.Parallel()
	defined := func(value float64) itemstats.Figure { return itemstats.Figure{Value: value, Defined: true} }
	const words = `
ebel       0.4 very_good  0.39 good  0.3 good  0.29 marginal  0.2 marginal  0.19 poor  -1 poor
blackboard 1 good  0.31 good  0.3 fair  0.1 fair  0.09 poor  -1 poor
moodle     0.5 very_good  0.49 adequate  0.3 adequate  0.29 weak  0.2 weak  0.19 very_weak  0 very_weak  -0.01 invalid`
	figures := map[string]float64{
		"1": 1, "0.5": 0.5, "0.49": 0.49, "0.4": 0.4, "0.39": 0.39, "0.31": 0.31, "0.3": 0.3, "0.29": 0.29, "0.2": 0.2, "0.19": 0.19,
		"0.1": 0.1, "0.09": 0.09, "0": 0, "-0.01": -0.01, "-1": -1,
	}
	for line := range strings.Lines(strings.TrimSpace(words)) {
		fields := strings.Fields(line)
		preset, known := itemstats.PresetOf(fields[0])
		if !known {
			t.Fatalf("no preset %s", fields[0])
		}
		for pair := range slices.Chunk(fields[1:], 2) {
			figure, given := figures[pair[0]]
			if !given {
				t.Fatalf("no figure %s", pair[0])
			}
			q := map[string]itemstats.Question{
				"ebel":       {Discrimination27: defined(figure), ItemTotal: defined(0.7), ItemRest: defined(0.7)},
				"blackboard": {Discrimination27: defined(0.7), ItemTotal: defined(figure), ItemRest: defined(-0.7)},
				"moodle":     {Discrimination27: defined(0.7), ItemTotal: defined(0.7), ItemRest: defined(figure)},
			}[fields[0]]
			if got := preset.Band(&q); got != pair[1] {
				t.Errorf("%s: %s is %q, want %q", fields[0], pair[0], got, pair[1])
			}
		}
		if got := preset.Band(new(itemstats.Question)); got != "" {
			t.Errorf("%s: a figure that is not defined is %q", fields[0], got)
		}
	}
	if _, known := itemstats.PresetOf("Ebel"); known {
		t.Error("a preset is found by another name")
	}
}

// Flags of a question are those that hold, gravest first.
func TestQuestionFlags(t *testing.T) {
	t.Parallel()
	facility := func(value float64) itemstats.Question {
		return itemstats.Question{Facility: itemstats.Figure{Value: value, Defined: true}}
	}
	for _, c := range []struct {
		preset string
		q      itemstats.Question
		want   string
	}{
		{"ebel", itemstats.Question{}, ""},
		{
			"ebel",
			itemstats.Question{NoVariance: true, KeyConflict: true, NegativeRest: true, SuspectKey: true, NonFunctioning: true},
			"suspect_key negative_discrimination key_conflict non_functioning_distractor no_variance",
		},
		{"ebel", facility(80), ""},
		{"ebel", facility(80.5), "too_easy"},
		{"blackboard", facility(30), ""},
		{"blackboard", facility(29.5), "too_hard"},
		{"moodle", facility(95), ""},
		{"moodle", facility(96), "too_easy"},
		{"moodle", facility(5), ""},
		{"moodle", facility(0), "too_hard"},
		{"moodle", itemstats.Question{Efficiency: itemstats.Figure{Value: 14.9, Defined: true}}, "low_efficiency"},
		{"moodle", itemstats.Question{Efficiency: itemstats.Figure{Value: 15, Defined: true}}, ""},
		{"moodle", itemstats.Question{Efficiency: itemstats.Figure{Value: 0}}, ""},
	} {
		preset, _ := itemstats.PresetOf(c.preset)
		got := preset.Flags(&c.q)
		if got == nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %+v has %q, want %q", c.preset, c.q, got, c.want)
		}
	}
}

// Flags of a test.
func TestTestFlags(t *testing.T) {
	t.Parallel()
	alpha := func(value float64) itemstats.Figure { return itemstats.Figure{Value: value, Defined: true} }
	for _, c := range []struct {
		a    itemstats.Analysis
		want string
	}{
		{itemstats.Analysis{Sheets: 50}, ""},
		{itemstats.Analysis{Sheets: 49}, "unsettled"},
		{itemstats.Analysis{Sheets: 49, Alpha: alpha(-0.01)}, "negative_alpha unsettled"},
		{itemstats.Analysis{Sheets: 99, Alpha: alpha(0)}, "low_alpha"},
		{itemstats.Analysis{Sheets: 99, Alpha: alpha(0.59)}, "low_alpha"},
		{itemstats.Analysis{Sheets: 99, Alpha: alpha(0.6)}, ""},
		{itemstats.Analysis{Limit: itemstats.Values}, ""},
	} {
		if got := c.a.Flags(); got == nil || strings.Join(got, " ") != c.want {
			t.Errorf("%+v has %q, want %q", c.a, got, c.want)
		}
	}
}
