package main_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
)

// The slow and obvious way to know what a server must answer: every record kept,
// every figure by definition, every fraction exact.

// record is a scanned sheet. Marks are whole, because fractions of marks are other
// tests' concern.
type record struct {
	test, student       string
	obtained, available int
}

// paper is a document that a client posts.
type paper struct {
	number  int
	records []record
	raw     []byte
	bad     bool // one record has an impossible mark: it must be refused
}

// ownTest is a test that no other document is about: whether it is there, and how
// many students it has, says whether the document is there and whether it is whole.
func (p *paper) ownTest() string { return fmt.Sprintf("doc-%d", p.number) }

// own is how many records are about the document's own test.
func (p *paper) own() int {
	n := 0
	for _, r := range p.records {
		if r.test == p.ownTest() {
			n++
		}
	}
	return n
}

// sharedTests are the tests that all documents are about, with overlapping
// students.
const sharedTests = 3

// newPaper makes document number of a seed: 1 to 300 records, mostly few; the
// first and about half of the others about its own test.
func newPaper(seed uint64, number int) *paper {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	p := &paper{number: number, bad: random.IntN(10) == 0}
	count := 1 + random.IntN(20)
	if random.IntN(4) == 0 {
		count = 1 + random.IntN(300)
	}
	badAt := random.IntN(count)
	var b strings.Builder
	b.WriteString("<mcq-test-results>\n")
	for i := range count {
		r := record{test: p.ownTest(), student: fmt.Sprintf("s%d", i), available: 20}
		if i > 0 && random.IntN(2) == 0 {
			r.test = fmt.Sprintf("shared-%d", random.IntN(sharedTests))
			r.student = fmt.Sprintf("%06d", random.IntN(500))
			r.available -= random.IntN(3) // A folded sheet.
		}
		r.obtained = random.IntN(r.available + 1)
		p.records = append(p.records, r)
		obtained := fmt.Sprint(r.obtained)
		if p.bad && i == badAt {
			obtained = "-1"
		}
		fmt.Fprintf(&b, "<mcq-test-result scanned-on=\"2017-12-04T12:12:10+11:00\">"+
			"<first-name>Jane</first-name><last-name>Austen</last-name>"+
			"<student-number>%s</student-number><test-id>%s</test-id>"+
			"<summary-marks available=\"%d\" obtained=\"%s\" /></mcq-test-result>\n", r.student, r.test, r.available, obtained)
	}
	b.WriteString("</mcq-test-results>\n")
	p.raw = []byte(b.String())
	return p
}

// figures are what GET /results/{test}/aggregate answers.
type figures struct {
	Mean, StdDev, Min, Max, P25, P50, P75 float64
	Count                                 int
}

// model is a server that keeps everything.
type model struct {
	available map[string]int            // by test
	obtained  map[string]map[string]int // by test and student
}

func newModel() *model {
	return &model{available: make(map[string]int), obtained: make(map[string]map[string]int)}
}

// add counts a document under the rule "highest". Adding one twice changes
// nothing.
func (m *model) add(p *paper) {
	for _, r := range p.records {
		if m.obtained[r.test] == nil {
			m.obtained[r.test] = make(map[string]int)
		}
		best, known := m.obtained[r.test][r.student]
		if !known || r.obtained > best {
			m.obtained[r.test][r.student] = r.obtained
		}
		m.available[r.test] = max(m.available[r.test], r.available)
	}
}

// aggregate computes a test's figures.
func (m *model) aggregate(test string) figures {
	var marks []int64
	var sum, squares int64
	for _, obtained := range m.obtained[test] {
		o := int64(obtained)
		marks = append(marks, o)
		sum += o
		squares += o * o
	}
	slices.Sort(marks)
	n := int64(len(marks))
	percent := func(x *big.Rat) float64 {
		f, _ := new(big.Rat).Mul(x, big.NewRat(100, int64(m.available[test]))).Float64()
		return f
	}
	quantile := func(numerator, denominator int64) float64 {
		rank := (n - 1) * numerator
		low, rest := rank/denominator, rank%denominator
		value := big.NewRat(marks[low], 1)
		if rest > 0 {
			step := big.NewRat((marks[low+1]-marks[low])*rest, denominator)
			value.Add(value, step)
		}
		return percent(value)
	}
	// n²·variance is whole; 400 bits leave the root's rounding far below the
	// last bit of a float64.
	scaled := new(big.Float).SetPrec(400).SetInt64(n*squares - sum*sum)
	scaled.Sqrt(scaled)
	scaled.Mul(scaled, big.NewFloat(100))
	scaled.Quo(scaled, new(big.Float).SetInt64(n*int64(m.available[test])))
	deviation, _ := scaled.Float64()
	return figures{
		Mean: percent(big.NewRat(sum, n)), StdDev: deviation,
		Min: percent(big.NewRat(marks[0], 1)), Max: percent(big.NewRat(marks[n-1], 1)),
		P25: quantile(1, 4), P50: quantile(1, 2), P75: quantile(3, 4), Count: int(n),
	}
}
