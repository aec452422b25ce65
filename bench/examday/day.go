package examday

import (
	"cmp"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"markr/bench/cohort"
)

// Day is a day of exams. It is immutable and safe for concurrent use.
type Day struct {
	// Documents are in order of At.
	Documents []Document
	// Test and Question are where the wrong key is; Question is what the papers call
	// it. Best is the option that those choose who know.
	Test, Question string
	Best           byte
}

// Document is what a scanner posts.
type Document struct {
	At     time.Duration // since the first document of the day
	School string        // whose scanner it comes from
	Test   string
	Sheets int
	Body   []byte // text/xml+markr

	// Wrong documents are to be refused.
	Wrong bool
	// Corrects is the place in Documents of the wrong one that this one stands for,
	// -1 if there is none.
	Corrects int
}

// sheetsPerDocument is what a scanner takes in one go: a class is three documents.
const sheetsPerDocument = 8

// oddities, as one in so many documents or rescans.
const (
	wrongOneIn   = 37
	repeatOneIn  = 61
	renameOneIn  = 9  // of the rescans
	misaddOneIn  = 71 // of the documents: on one sheet the sum is not that of the answers
	correctAfter = 150 * time.Second
)

// New makes up the day of a seed, which begins at start.
func New(seed uint64, start time.Time) (*Day, error) {
	day := &Day{Test: physics}
	var questions []question
	for i := range papers {
		p := &papers[i]
		miskeyed := []int{}
		if p.id == physics {
			q, err := bestQuestion(p, seed)
			if err != nil {
				return nil, err
			}
			questions, miskeyed = append(questions, q), []int{q.index}
		}
		first := 0
		for at := range schools {
			s := &schools[at]
			c, err := cohort.New(cohort.Options{
				Seed: seed*1000 + p.seed, Students: max(1, s.students*p.sat/100), Questions: p.questions, Choices: p.choices,
				RecordsPerDocument: sheetsPerDocument, RescanShare: 0.09, FoldShare: 0.05, BlankShare: 0.06,
				FirstStudent: first, Ability: p.ability + s.ability, TestIDs: []string{p.id}, Miskeyed: miskeyed,
				Start: start.Add(p.begins + s.late),
			})
			if err != nil {
				return nil, err
			}
			first += s.students
			day.scan(c, p, s, at, start)
		}
	}
	day.Question, day.Best = questions[0].name(), questions[0].best
	slices.SortStableFunc(day.Documents, func(a, b Document) int { return cmp.Compare(a.At, b.At) })
	day.spoil(seed)
	return day, nil
}

// scan adds the documents of one school about one test.
func (d *Day) scan(c *cohort.Cohort, p *paper, s *school, at int, start time.Time) {
	odd := rand.New(rand.NewPCG(c.Options().Seed, uint64(at)))
	for i := range c.Documents() {
		document := Document{School: s.name, Test: p.id, Corrects: -1}
		misadded := -1
		if odd.IntN(misaddOneIn) == 0 {
			misadded = odd.IntN(sheetsPerDocument)
		}
		document.Body = c.AppendSheets(nil, func(yield func(*cohort.Sheet) bool) {
			for sheet := range c.Sheets(i) {
				if sheet.Rescan && odd.IntN(renameOneIn) == 0 {
					// Somebody else filled in the number, or it was misread.
					sheet.FirstName, sheet.LastName = "Robin", "Ashworth"
				}
				if document.Sheets == misadded && sheet.Obtained > 0 {
					sheet.Obtained--
				}
				document.Sheets++
				document.At = sheet.ScannedOn.Sub(start)
				if !yield(sheet) {
					return
				}
			}
		})
		d.Documents = append(d.Documents, document)
	}
}

// All yields the documents in order of time, with the moment of each.
func (d *Day) All() iter.Seq2[int, *Document] {
	return func(yield func(int, *Document) bool) {
		for i := range d.Documents {
			if !yield(i, &d.Documents[i]) {
				return
			}
		}
	}
}
