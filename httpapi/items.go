package httpapi

import (
	"strconv"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/itemstats"
	"markr/wal/entry"
)

// analysed is what the kept sheets of a test say of its questions, at a position.
type analysed struct {
	*itemstats.Analysis

	test     exam.TestID
	position entry.Position
	preset   itemstats.Preset
}

// itemsAsked is the analysis that a request is about.
func (s *Server) itemsAsked(r *request) (analysed, error) {
	const name = "preset"
	a := analysed{test: exam.TestID(r.param("test")), preset: itemstats.Presets()[0]}
	if asked, given := r.query(name); given {
		preset, known := itemstats.PresetOf(asked)
		if !known {
			var names []string
			for _, p := range itemstats.Presets() {
				names = append(names, p.Name)
			}
			return a, errParameter(name, "must be one of "+listOf(names))
		}
		a.preset = preset
	}
	state := s.engine.State()
	if state == nil {
		return a, engine.ErrNotReady
	}
	var test *engine.Test
	var err error
	if a.Analysis, test, err = s.engine.Items(a.test); err != nil {
		return a, err
	}
	// The test may have gone on since the state was looked at, but not since its last import.
	a.position = max(state.Position(), test.Last.Position)
	return a, nil
}

// itemsJSON is the answer to GET /results/{test}/items.
type itemsJSON struct {
	TestID      exam.TestID       `json:"test_id"`
	Position    entry.Position    `json:"position"`
	Preset      string            `json:"preset"`
	Students    int               `json:"students"`
	Sheets      int               `json:"sheets"`
	LeftOut     int               `json:"left_out"`
	Differing   int               `json:"sum_mismatch"`
	Limit       *itemstats.Limit  `json:"limit"`
	Available   sumJSON           `json:"available"`
	Mean        figureJSON        `json:"mean"`
	StdDev      figureJSON        `json:"stddev"`
	StdDevS     figureJSON        `json:"stddev_sample"`
	Skewness    figureJSON        `json:"skewness"`
	Kurtosis    figureJSON        `json:"kurtosis"`
	Alpha       figureJSON        `json:"alpha"`
	KR20        figureJSON        `json:"kr20"`
	KR21        figureJSON        `json:"kr21"`
	SEM         figureJSON        `json:"sem"`
	ErrorRatio  figureJSON        `json:"error_ratio"`
	Conditional []conditionalJSON `json:"conditional_sem"`
	Flags       []string          `json:"flags"`
	Questions   []questionJSON    `json:"questions"`
}

// conditionalJSON is the standard error of measurement at a score.
type conditionalJSON struct {
	Marks marksJSON  `json:"marks"`
	SEM   figureJSON `json:"sem"`
}

// questionJSON is what is told of a question in the list and by itself.
type questionJSON struct {
	Question         string     `json:"question"`
	Available        *marksJSON `json:"available"`
	Sheets           int        `json:"sheets"`
	Omitted          int        `json:"omitted"`
	Facility         figureJSON `json:"facility"`
	Mean             figureJSON `json:"mean"`
	StdDev           figureJSON `json:"stddev"`
	StdDevS          figureJSON `json:"stddev_sample"`
	ItemTotal        figureJSON `json:"item_total"`
	ItemRest         figureJSON `json:"item_rest"`
	Reliability      figureJSON `json:"reliability_index"`
	Discrimination27 figureJSON `json:"discrimination_27"`
	Efficiency       figureJSON `json:"efficiency"`
	IntendedWeight   figureJSON `json:"intended_weight"`
	EffectiveWeight  figureJSON `json:"effective_weight"`
	AlphaIfDeleted   figureJSON `json:"alpha_if_deleted"`
	Key              []string   `json:"key"`
	Free             bool       `json:"free"`
	Band             *string    `json:"band"`
	Flags            []string   `json:"flags"`
}

// figureJSON is a number, or null.
type figureJSON itemstats.Figure

// MarshalJSON is as that of percentage, or null.
func (f figureJSON) MarshalJSON() ([]byte, error) {
	if !f.Defined {
		return []byte("null"), nil
	}
	return appendPercentage(nil, f.Value), nil
}

// sumJSON are marks of many questions, in thousandths.
type sumJSON int64

// MarshalJSON is the shortest decimal.
func (n sumJSON) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(n)/exam.MarksPerUnit, 'f', -1, 64), nil
}

// items answers GET /results/{test}/items.
func (s *Server) items(r *request) error {
	if err := r.checkParameters("preset"); err != nil {
		return err
	}
	a, err := s.itemsAsked(r)
	if err != nil {
		return err
	}
	answer := itemsJSON{
		TestID: a.test, Position: a.position, Preset: a.preset.Name,
		Students: a.Rows, Sheets: a.Sheets, LeftOut: a.LeftOut, Differing: a.Differing, Limit: a.limit(), Available: sumJSON(a.Available),
		Mean: figureJSON(a.Mean), StdDev: figureJSON(a.StdDev), StdDevS: figureJSON(a.StdDevS),
		Skewness: figureJSON(a.Skewness), Kurtosis: figureJSON(a.Kurtosis),
		Alpha: figureJSON(a.Alpha), KR20: figureJSON(a.KR20), KR21: figureJSON(a.KR21), SEM: figureJSON(a.SEM), ErrorRatio: figureJSON(a.ErrorRatio),
		Conditional: make([]conditionalJSON, 0, len(a.Conditional)), Flags: a.Flags(), Questions: make([]questionJSON, 0, len(a.Questions)),
	}
	for _, c := range a.Conditional {
		answer.Conditional = append(answer.Conditional, conditionalJSON{marksJSON(c.Marks), figureJSON(c.SEM)})
	}
	for i := range a.Questions {
		answer.Questions = append(answer.Questions, a.question(&a.Questions[i]))
	}
	return r.resourceAt(answer)
}

// limit is nil where there is none.
func (a *analysed) limit() *itemstats.Limit {
	if a.Limit == itemstats.NoLimit {
		return nil
	}
	return &a.Limit
}

func (a *analysed) question(q *itemstats.Question) questionJSON {
	told := questionJSON{
		Question: q.Name, Sheets: q.Sheets, Omitted: q.Omitted,
		Facility: figureJSON(q.Facility), Mean: figureJSON(q.Mean), StdDev: figureJSON(q.StdDev), StdDevS: figureJSON(q.StdDevS),
		ItemTotal: figureJSON(q.ItemTotal), ItemRest: figureJSON(q.ItemRest), Reliability: figureJSON(q.Reliability),
		Discrimination27: figureJSON(q.Discrimination27), Efficiency: figureJSON(q.Efficiency),
		IntendedWeight: figureJSON(q.IntendedWeight), EffectiveWeight: figureJSON(q.EffectiveWeight), AlphaIfDeleted: figureJSON(q.AlphaIfDeleted),
		Key: append([]string{}, q.Key...), Free: q.Free, Flags: a.preset.Flags(q),
	}
	if q.Available != exam.MarksUnknown {
		told.Available = new(marksJSON(q.Available))
	}
	if band := a.preset.Band(q); band != "" {
		told.Band = &band
	}
	return told
}

// itemsDetail says why there is no analysis yet.
func itemsDetail(e *engine.ItemsError) string {
	if e.Err != nil {
		return "The answers could not be read from the log, so there is no item analysis; the operator finds the cause with `markr vault verify`."
	}
	return "Item analysis is being made of the log: it has come to position " + strconv.FormatUint(uint64(e.Position), 10) +
		" of " + strconv.FormatUint(uint64(e.Last), 10) + "."
}
