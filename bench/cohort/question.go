package cohort

import "slices"

// question is how a question of a test behaves: a normal-ogive model with two
// parameters and a guessing floor. (The logistic 2PL with D = 1.7 is the usual
// approximation of the normal ogive; the original needs no exponential.)
type question struct {
	difficulty     int // where on the scale of ability half the students know it, in thousandths of a deviation
	discrimination int // in thousandths
	best           int // what those choose who know
	key            int // what is credited: best, unless the question is miskeyed
	// pull is how much each option attracts those who do not know, summed up.
	pull [ChoicesMax]uint32
}

// miskeyedOneIn says how rare a wrong key is: about one in two tests of 20
// questions has one, so that an item analysis has something to find.
const miskeyedOneIn = 40

// questionsOf returns the questions of a test.
func (c *Cohort) questionsOf(test int) []question {
	questions := make([]question, c.opts.Questions)
	// A test as a whole is easier or harder: with the floor, means lie between
	// about 50 and 75 %.
	shift := int(c.draw(topicTest, test, 0)%501) - 300
	for i := range questions {
		questions[i] = c.newQuestion(i, c.draw(topicQuestion, test, i), shift)
	}
	return questions
}

func (c *Cohort) newQuestion(i int, draw uint64, shift int) question {
	choices := uint64(c.opts.Choices)
	traits := mix(draw)
	q := question{
		difficulty:     shift + normal(draw)*7/10,
		discrimination: 500 + int(traits%800),
		best:           int((traits >> 16) % choices),
	}
	q.key = q.best
	miskeyed := (traits>>32)%miskeyedOneIn == 0
	if c.opts.Miskeyed != nil {
		miskeyed = slices.Contains(c.opts.Miskeyed, i)
	}
	if miskeyed {
		q.key = (q.best + 1 + int((traits>>48)%(choices-1))) % int(choices)
	}
	var total uint32
	pulls := mix(traits)
	for option := range c.opts.Choices {
		// Some distractors attract nearly nobody, as happens to authors.
		pull := 4 + uint32(pulls>>(8*option)&0xff)
		if option == q.best {
			// The floor stays near one in so many choices.
			pull = 4 + 0xff/2
		}
		total += pull
		q.pull[option] = total
	}
	return q
}

// guess is the option that somebody chooses who does not know.
func (q *question) guess(bits uint32, choices int) int {
	at := uint32(uint64(bits) * uint64(q.pull[choices-1]) >> 32)
	for option, sum := range q.pull[:choices] {
		if at < sum {
			return option
		}
	}
	return choices - 1 // not reached: at is below the last sum
}
