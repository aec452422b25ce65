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

// Presets are all there are; the first is the default. Where the thresholds come from:
//
//   - ebel: the difference of the 27 % groups, very good from .40, (reasonably) good from .30,
//     marginal from .20, else poor: Ebel (1954), Ebel and Frisbie (1991).
//   - blackboard: the correlation with the total, good above .30, fair from .10, else poor;
//     easy above 80 %, hard below 30 %: help.blackboard.com, item analysis.
//   - moodle: the correlation with the rest, very good from .50, adequate from .30, weak from
//     .20, very weak from 0, and below that the question is probably invalid: docs.moodle.org,
//     quiz report statistics. Easy above 95 %, hard below 5 %: the outermost bands there; that
//     the bounds themselves are not flagged is our choice.
//
// That ebel takes Blackboard's words for facility is our choice: Ebel has none. That
// efficiency is low below 15 % is Moodle's rule; that every preset has it is our choice, as no
// other program has the figure.
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

// Flags are why somebody should look at a question, gravest first. Never nil. Only the
// bounds of facility and efficiency are the preset's; a suspect key is Akindi's advice and
// Iteman's flag, a non-functioning distractor is as of Tarrant et al. (2009), and that a key
// conflict is flagged is our choice.
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

// What flags a test, whatever the preset.
const (
	settledSheets = 50  // from so many on figures of questions are worth something: Questionmark's advice, which calls 200 better
	lowAlpha      = 0.6 // below it marks are doubtful: the lowest band of scoring services' KR-20; Moodle draws the line at .64
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
