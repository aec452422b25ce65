package examday

import (
	"strconv"

	"markr/bench/cohort"
)

// question is one of a test.
type question struct {
	index int
	best  byte // the option of those who know
}

// name is what the papers call it.
func (q question) name() string { return strconv.Itoa(q.index) }

// bestQuestion is the question of a test that tells best who is able, so that a wrong
// key for it credits those who are not. It is found by looking at papers with right
// keys.
func bestQuestion(p *paper, seed uint64) (question, error) {
	c, err := cohort.New(cohort.Options{
		Seed: seed*1000 + p.seed, Students: 400, Questions: p.questions, Choices: p.choices,
		RecordsPerDocument: 400, TestIDs: []string{p.id}, Miskeyed: []int{},
	})
	if err != nil {
		return question{}, err
	}
	marks, products := make([]int, p.questions), make([]int, p.questions)
	rests := make([]int, p.questions)
	best := make([]byte, p.questions)
	n := 0
	for sheet := range c.Sheets(0) {
		n++
		for _, answer := range sheet.Answers {
			marks[answer.Question] += answer.Awarded
			products[answer.Question] += answer.Awarded * (sheet.Obtained - answer.Awarded)
			rests[answer.Question] += sheet.Obtained - answer.Awarded
			if answer.Awarded > 0 {
				best[answer.Question] = answer.Choice
			}
		}
	}
	found := 0
	covariance := func(i int) int { return n*products[i] - marks[i]*rests[i] }
	for i := range marks {
		// Of an easy one few choose anything else.
		if 2*marks[i] < n || 5*marks[i] > 4*n {
			continue
		}
		if covariance(i) > covariance(found) {
			found = i
		}
	}
	return question{found, best[found]}, nil
}
