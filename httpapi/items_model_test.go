package httpapi_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The model computes what item analysis tells from the sheets that count, by definition,
// in float64 and the slow way. It shares nothing with the program but the names of the
// members.

// itemAnswer is an answer; an awarded mark below 0 is missing.
type itemAnswer struct {
	question, response string
	awarded, available float64
}

// itemSheet is a scan.
type itemSheet struct {
	student  string
	obtained float64
	answers  []itemAnswer
}

// xml is the scan as a scanner writes it.
func (s *itemSheet) xml(test string, available float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<mcq-test-result><student-number>%s</student-number><test-id>%s</test-id>", s.student, test)
	for _, a := range s.answers {
		awarded := ""
		if a.awarded >= 0 {
			awarded = fmt.Sprintf(` marks-awarded="%v"`, a.awarded)
		}
		fmt.Fprintf(&b, `<answer question="%s" marks-available="%v"%s>%s</answer>`, a.question, a.available, awarded, a.response)
	}
	fmt.Fprintf(&b, `<summary-marks available="%v" obtained="%v"/></mcq-test-result>`, available, s.obtained)
	return b.String()
}

// kept are the scans that count: of each student the first of those with the most marks.
func kept(scans []itemSheet) (list []itemSheet) {
	at := make(map[string]int)
	for _, s := range scans {
		i, known := at[s.student]
		switch {
		case !known:
			at[s.student] = len(list)
			list = append(list, s)
		case s.obtained > list[i].obtained:
			list[i] = s
		}
	}
	return list
}

// itemModel is a test. Marks are by question and sheet.
type itemModel struct {
	students, leftOut, differing int

	questions []string
	available []float64
	responses [][]string
	marks     [][]float64
	has       [][]bool
	total     []float64
}

// naturally is an order in which 2 comes before 10.
func naturally(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) }

func newItemModel(counting []itemSheet) *itemModel {
	m := &itemModel{students: len(counting)}
	var sheets []itemSheet
	for _, s := range counting {
		switch {
		case len(s.answers) == 0:
		case slices.ContainsFunc(s.answers, func(a itemAnswer) bool { return a.awarded < 0 }):
			m.leftOut++
		default:
			sheets = append(sheets, s)
		}
	}
	most := make(map[string]float64)
	for _, s := range sheets {
		for _, a := range s.answers {
			most[a.question] = max(most[a.question], a.available)
		}
	}
	for question := range most {
		m.questions = append(m.questions, question)
	}
	slices.SortFunc(m.questions, naturally)
	m.total = make([]float64, len(sheets))
	for _, question := range m.questions {
		m.available = append(m.available, most[question])
		marks, responses, has := make([]float64, len(sheets)), make([]string, len(sheets)), make([]bool, len(sheets))
		for s, sheet := range sheets {
			if at := slices.IndexFunc(sheet.answers, func(a itemAnswer) bool { return a.question == question }); at >= 0 {
				marks[s], responses[s], has[s] = sheet.answers[at].awarded, sheet.answers[at].response, true
			}
			m.total[s] += marks[s]
		}
		m.marks, m.responses, m.has = append(m.marks, marks), append(m.responses, responses), append(m.has, has)
	}
	for s, sheet := range sheets {
		if math.Abs(sheet.obtained-m.total[s]) > tiny {
			m.differing++
		}
	}
	return m
}

// tiny is less than any difference of marks, and more than what float64 loses.
const tiny = 1e-9

func meanOf(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func covarianceOf(x, y []float64) float64 {
	mx, my, sum := meanOf(x), meanOf(y), 0.0
	for i := range x {
		sum += (x[i] - mx) * (y[i] - my)
	}
	return sum / float64(len(x))
}

// over is null where the divisor is 0.
func over(a, b float64) any {
	if math.Abs(b) < tiny*tiny {
		return nil
	}
	return a / b
}

func pearsonOf(x, y []float64) any {
	return over(covarianceOf(x, y), math.Sqrt(covarianceOf(x, x)*covarianceOf(y, y)))
}

// alphaOf is Cronbach's.
func alphaOf(items [][]float64) any {
	k := float64(len(items))
	if k < 2 {
		return nil
	}
	total, variances := make([]float64, len(items[0])), 0.0
	for _, item := range items {
		variances += covarianceOf(item, item)
		for s := range item {
			total[s] += item[s]
		}
	}
	share, defined := over(variances, covarianceOf(total, total)).(float64)
	if !defined {
		return nil
	}
	return k / (k - 1) * (1 - share)
}

// reliable are alpha and its kin.
func reliable(items [][]float64, total []float64) (alpha, sem, errorRatio any) {
	alpha = alphaOf(items)
	if a, defined := alpha.(float64); defined {
		return a, math.Sqrt(covarianceOf(total, total) * (1 - a)), 100 * math.Sqrt(1-a)
	}
	return alpha, nil, nil
}

// ranked are how much of each sheet is in the ranks from low to high: sheets with the same
// total are in all places that they would have in some order.
func (m *itemModel) ranked(low, high float64) []float64 {
	shares := make([]float64, len(m.total))
	for s, x := range m.total {
		below, same := 0.0, 0.0
		for _, y := range m.total {
			switch {
			case y < x-tiny:
				below++
			case y <= x+tiny:
				same++
			}
		}
		shares[s] = max(0, min(high, below+same)-max(low, below)) / same
	}
	return shares
}

func dot(x, y []float64) (sum float64) {
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum
}

// d27 is the difference of the means of the upper and the lower 27 %.
func (m *itemModel) d27(x []float64) float64 {
	n := float64(len(m.total))
	g := max(1, math.Floor((27*n+50)/100))
	return (dot(m.ranked(n-g, n), x) - dot(m.ranked(0, g), x)) / g
}

func (m *itemModel) rest(q int) []float64 {
	rest := slices.Clone(m.total)
	for s := range rest {
		rest[s] -= m.marks[q][s]
	}
	return rest
}

// binary says whether every question is right or wrong, and whether all are worth the same.
func (m *itemModel) binary() (binary, alike bool) {
	binary, alike = true, true
	for q, marks := range m.marks {
		alike = alike && m.available[q] == m.available[0]
		for _, x := range marks {
			binary = binary && (x == 0 || x == m.available[q])
		}
	}
	return binary, binary && alike
}

// shape is skewness and kurtosis, by their definitions with g1 and g2.
func (m *itemModel) shape() (skewness, kurtosis any) {
	n, mean := float64(len(m.total)), meanOf(m.total)
	moment := func(power float64) float64 {
		sum := 0.0
		for _, x := range m.total {
			sum += math.Pow(x-mean, power)
		}
		return sum / n
	}
	g1, g2 := moment(3)/math.Pow(moment(2), 1.5), moment(4)/math.Pow(moment(2), 2)-3
	return g1 * math.Sqrt(n*(n-1)) / (n - 2), (n - 1) / ((n - 2) * (n - 3)) * ((n+1)*g2 + 6)
}

// list is the answer to /items, without the position.
func (m *itemModel) list(test string) map[string]any {
	n, k := float64(len(m.total)), float64(len(m.questions))
	variance := covarianceOf(m.total, m.total)
	alpha, sem, errorRatio := reliable(m.marks, m.total)
	skewness, kurtosis := m.shape()
	var kr20, kr21 any
	conditional := []any{}
	binary, alike := m.binary()
	if binary {
		kr20 = alpha
	}
	if alike {
		w := m.available[0]
		right := meanOf(m.total) / w
		kr21 = k / (k - 1) * (1 - right*(k-right)/(k*variance/w/w))
		scores := slices.Clone(m.total)
		slices.Sort(scores)
		for _, x := range slices.Compact(scores) {
			conditional = append(conditional, map[string]any{"marks": x, "sem": w * math.Sqrt(x/w*(k-x/w)/(k-1))})
		}
	}
	flags := []any{}
	if a, defined := alpha.(float64); defined && a < 0 {
		flags = append(flags, "negative_alpha")
	} else if defined && a < 0.6 {
		flags = append(flags, "low_alpha")
	}
	if n < 50 {
		flags = append(flags, "unsettled")
	}
	questions := []any{}
	for q := range m.questions {
		questions = append(questions, m.question(q))
	}
	return map[string]any{
		"test_id": test, "preset": "ebel", "students": m.students, "sheets": len(m.total), "left_out": m.leftOut, "sum_mismatch": m.differing,
		"limit": nil, "available": dot(m.available, ones(len(m.available))), "mean": meanOf(m.total),
		"stddev": math.Sqrt(variance), "stddev_sample": math.Sqrt(variance * n / (n - 1)), "skewness": skewness, "kurtosis": kurtosis,
		"alpha": alpha, "kr20": kr20, "kr21": kr21, "sem": sem, "error_ratio": errorRatio, "conditional_sem": conditional,
		"flags": flags, "questions": questions,
	}
}

func ones(n int) []float64 { return slices.Repeat([]float64{1}, n) }

// question is a question, as it is told of in the list.
func (m *itemModel) question(q int) map[string]any {
	x, rest, n := m.marks[q], m.rest(q), float64(len(m.total))
	variance := covarianceOf(x, x)
	sortedX, sortedRest := slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(rest))
	roots, root := 0.0, any(nil)
	for i := range m.marks {
		if c := covarianceOf(m.marks[i], m.total); c > -tiny {
			roots += math.Sqrt(max(c, 0))
		}
	}
	if c := covarianceOf(x, m.total); c > -tiny {
		root = over(100*math.Sqrt(max(c, 0)), roots)
	}
	sheets, omitted := 0, 0
	for s, has := range m.has[q] {
		if has {
			sheets++
		}
		if m.responses[q][s] == "" {
			omitted++
		}
	}
	d := m.d27(x) / m.available[q]
	key, flags := m.judge(q)
	return map[string]any{
		"question": m.questions[q], "available": m.available[q], "sheets": sheets, "omitted": omitted,
		"facility": 100 * meanOf(x) / m.available[q], "mean": meanOf(x),
		"stddev": math.Sqrt(variance), "stddev_sample": math.Sqrt(variance * n / (n - 1)),
		"item_total": pearsonOf(x, m.total), "item_rest": pearsonOf(x, rest),
		"reliability_index": over(covarianceOf(x, m.total), math.Sqrt(covarianceOf(m.total, m.total))),
		"discrimination_27": d, "efficiency": over(100*covarianceOf(x, rest), covarianceOf(sortedX, sortedRest)),
		"intended_weight": 100 * m.available[q] / dot(m.available, ones(len(m.available))), "effective_weight": root,
		"alpha_if_deleted": alphaOf(slices.Delete(slices.Clone(m.marks), q, q+1)),
		"key":              key, "free": false, "band": band(d), "flags": flags,
	}
}

// band is Ebel's word.
func band(d float64) string {
	switch {
	case d > 0.40-tiny:
		return "very_good"
	case d > 0.30-tiny:
		return "good"
	case d > 0.20-tiny:
		return "marginal"
	}
	return "poor"
}
