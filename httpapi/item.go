package httpapi

import (
	"strconv"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/itemstats"
	"markr/wal/entry"
)

// itemJSON is the answer to GET /results/{test}/items/{question}.
type itemJSON struct {
	TestID   exam.TestID      `json:"test_id"`
	Position entry.Position   `json:"position"`
	Preset   string           `json:"preset"`
	Limit    *itemstats.Limit `json:"limit"`
	questionJSON

	Groups  []groupJSON  `json:"groups"`
	Options []optionJSON `json:"options"`
}

// groupJSON is a fifth of the sheets, by their marks.
type groupJSON struct {
	From   marksJSON  `json:"from"`
	To     marksJSON  `json:"to"`
	Sheets percentage `json:"sheets"`
	Mean   figureJSON `json:"mean"`
}

// optionJSON is one response. That of sheets without one is "", and the last.
type optionJSON struct {
	Response         string       `json:"response"`
	Count            int          `json:"count"`
	Share            figureJSON   `json:"share"`
	ShareAnswered    figureJSON   `json:"share_answered"`
	Credited         bool         `json:"credited"`
	Mean             figureJSON   `json:"mean"`
	OptionTotal      figureJSON   `json:"option_total"`
	OptionRest       figureJSON   `json:"option_rest"`
	Discrimination27 figureJSON   `json:"discrimination_27"`
	ByGroup          []figureJSON `json:"share_by_group"`
	NonFunctioning   bool         `json:"non_functioning"`
}

// item answers GET /results/{test}/items/{question}.
func (s *Server) item(r *request) error {
	if err := r.checkParameters("preset"); err != nil {
		return err
	}
	a, err := s.itemsAsked(r)
	if err != nil {
		return err
	}
	name := r.param("question")
	detail := a.Detail(name)
	if detail == nil {
		return refuse(codeUnknownQuestion, "No sheet that counts in this test has the question %s.", strconv.Quote(intake.CutValue([]byte(name))))
	}
	answer := itemJSON{
		TestID: a.test, Position: a.position, Preset: a.preset.Name, Limit: a.limit(), questionJSON: a.question(detail.Question),
		Groups: make([]groupJSON, 0, len(detail.Groups)), Options: make([]optionJSON, 0, len(detail.Options)),
	}
	for _, g := range detail.Groups {
		answer.Groups = append(answer.Groups, groupJSON{marksJSON(g.From), marksJSON(g.To), percentage(g.Sheets), figureJSON(g.Mean)})
	}
	for i := range detail.Options {
		answer.Options = append(answer.Options, newOptionJSON(&detail.Options[i]))
	}
	return r.resourceAt(answer)
}

func newOptionJSON(o *itemstats.Option) optionJSON {
	told := optionJSON{
		Count: o.Sheets, Share: figureJSON(o.Share), ShareAnswered: figureJSON(o.ShareAnswered), Credited: o.Credited, Mean: figureJSON(o.Mean),
		OptionTotal: figureJSON(o.OptionTotal), OptionRest: figureJSON(o.OptionRest), Discrimination27: figureJSON(o.Discrimination27),
		ByGroup: make([]figureJSON, 0, len(o.ByGroup)), NonFunctioning: o.NonFunctioning,
	}
	if !o.Omitted {
		told.Response = o.Response
	}
	for _, share := range o.ByGroup {
		told.ByGroup = append(told.ByGroup, figureJSON(share))
	}
	return told
}
