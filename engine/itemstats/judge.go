package itemstats

import "slices"

// Preset is whose rules judge a question. Every program has its own.
type Preset struct {
	Name string

	by         func(*Question) Figure // what bands are of
	bands      []band                 // best first
	low, high  float64                // facility in percent, beyond which a question is too hard or too easy
	efficiency float64                // percent, below which it is low
}

// band is a word for figures from a number on.
type band struct {
	word     string
	from     float64
	excluded bool // the number itself belongs to the next band
}

// Presets are all there are; the first is the default.
//
//   - ebel: the difference of the 27 % groups; .40, .30 and .20 (Ebel and Frisbie, 1991).
//   - blackboard: the correlation with the total; above .30, and from .10. Easy above 80 %, hard
//     below 30 %.
//   - moodle: the correlation with the rest; .50, .30, .20, and below 0 invalid. Very easy
//     above 95 %, very hard below 5 %.
//
// Ebel has no words for facility: the preset takes Blackboard's. That efficiency is low
// below 15 % is Moodle's rule, for all.
func Presets() []Preset {
	const lowest = -2 // below every correlation
	const efficiency = 15
	return []Preset{
		{
			"ebel", func(q *Question) Figure { return q.Discrimination27 },
			[]band{{"very_good", 0.40, false}, {"good", 0.30, false}, {"marginal", 0.20, false}, {"poor", lowest, false}},
			30, 80, efficiency,
		},
		{
			"blackboard", func(q *Question) Figure { return q.ItemTotal },
			[]band{{"good", 0.30, true}, {"fair", 0.10, false}, {"poor", lowest, false}},
			30, 80, efficiency,
		},
		{
			"moodle", func(q *Question) Figure { return q.ItemRest },
			[]band{
				{"very_good", 0.50, false}, {"adequate", 0.30, false}, {"weak", 0.20, false}, {"very_weak", 0, false}, {"invalid", lowest, false},
			},
			5, 95, efficiency,
		},
	}
}

// PresetOf finds a preset by its name.
func PresetOf(name string) (p Preset, known bool) {
	presets := Presets()
	at := slices.IndexFunc(presets, func(p Preset) bool { return p.Name == name })
	if at < 0 {
		return Preset{}, false
	}
	return presets[at], true
}

// Band is the preset's word for how well a question tells the good from the weak; "" if
// that is not defined.
func (p *Preset) Band(q *Question) string {
	figure := p.by(q)
	if !figure.Defined {
		return ""
	}
	for _, b := range p.bands {
		if figure.Value > b.from || figure.Value == b.from && !b.excluded {
			return b.word
		}
	}
	return ""
}

// Flags are why somebody should look at a question, gravest first. Never nil.
func (p *Preset) Flags(q *Question) []string {
	flags := []string{}
	for _, f := range []struct {
		holds bool
		flag  string
	}{
		{q.SuspectKey, "suspect_key"},
		{q.NegativeRest, "negative_discrimination"},
		{q.KeyConflict, "key_conflict"},
		{q.NonFunctioning, "non_functioning_distractor"},
		{q.Facility.Defined && q.Facility.Value > p.high, "too_easy"},
		{q.Facility.Defined && q.Facility.Value < p.low, "too_hard"},
		{q.Efficiency.Defined && q.Efficiency.Value < p.efficiency, "low_efficiency"},
		{q.NoVariance, "no_variance"},
	} {
		if f.holds {
			flags = append(flags, f.flag)
		}
	}
	return flags
}

// What flags a test.
const (
	settledSheets = 50  // from so many on, figures of questions are settled (Questionmark)
	lowAlpha      = 0.6 // below it, marks are doubtful
)

// Flags are what is to be minded of a test. Never nil.
func (a *Analysis) Flags() []string {
	flags := []string{}
	if a.Limit == Values {
		return flags
	}
	switch {
	case !a.Alpha.Defined:
	case a.Alpha.Value < 0:
		flags = append(flags, "negative_alpha")
	case a.Alpha.Value < lowAlpha:
		flags = append(flags, "low_alpha")
	}
	if a.Sheets < settledSheets {
		flags = append(flags, "unsettled")
	}
	return flags
}
