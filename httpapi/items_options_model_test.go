package httpapi_test

import (
	"math"
	"slices"
)

// choosers are 1 for sheets with a response to a question.
func (m *itemModel) choosers(q int, response string) []float64 {
	x := make([]float64, len(m.total))
	for s := range x {
		if m.responses[q][s] == response {
			x[s] = 1
		}
	}
	return x
}

// options are the responses that there are, that of sheets without one last.
func (m *itemModel) options(q int) []string {
	list := slices.Clone(m.responses[q])
	slices.SortFunc(list, func(a, b string) int {
		if (a == "") != (b == "") {
			return len(b) - len(a)
		}
		return naturally(a, b)
	})
	return slices.Compact(list)
}

// credited says whether a response earned marks on some sheet, and none on some.
func (m *itemModel) credited(q int, response string) (credited, not bool) {
	for s, r := range m.responses[q] {
		if r == response {
			credited, not = credited || m.marks[q][s] > 0, not || m.marks[q][s] == 0
		}
	}
	return credited, not
}

// idle says whether a distractor is non-functioning (Tarrant et al., 2009).
func (m *itemModel) idle(q int, response string) bool {
	credited, _ := m.credited(q, response)
	chosen := m.choosers(q, response)
	r, _ := pearsonOf(chosen, m.rest(q)).(float64)
	return response != "" && !credited && (meanOf(chosen) < 0.05-tiny || r > tiny)
}

// judge is the key, and the flags under Ebel's preset.
func (m *itemModel) judge(q int) (key, flags []any) {
	key, flags = []any{}, []any{}
	var conflict, idle bool
	best, bestRight := math.Inf(-1), math.Inf(-1) // option-rest correlations of wrong and right ones
	for _, response := range m.options(q) {
		if response == "" {
			continue
		}
		credited, not := m.credited(q, response)
		r, defined := pearsonOf(m.choosers(q, response), m.rest(q)).(float64)
		conflict, idle = conflict || credited && not, idle || m.idle(q, response)
		switch {
		case credited:
			key = append(key, response)
			if defined {
				bestRight = max(bestRight, r)
			}
		case defined:
			best = max(best, r)
		}
	}
	rest, _ := pearsonOf(m.marks[q], m.rest(q)).(float64)
	facility := 100 * meanOf(m.marks[q]) / m.available[q]
	sortedX, sortedRest := slices.Sorted(slices.Values(m.marks[q])), slices.Sorted(slices.Values(m.rest(q)))
	efficiency, efficient := over(100*covarianceOf(m.marks[q], m.rest(q)), covarianceOf(sortedX, sortedRest)).(float64)
	for _, f := range []struct {
		holds bool
		flag  string
	}{
		{rest < -tiny && best > tiny && best > bestRight+tiny, "suspect_key"},
		{rest < -tiny, "negative_discrimination"},
		{conflict, "key_conflict"},
		{idle, "non_functioning_distractor"},
		{facility > 80+tiny, "too_easy"},
		{facility < 30-tiny, "too_hard"},
		{efficient && efficiency < 15-tiny, "low_efficiency"},
		{covarianceOf(m.marks[q], m.marks[q]) < tiny, "no_variance"},
	} {
		if f.holds {
			flags = append(flags, f.flag)
		}
	}
	return key, flags
}

// detail is the answer to /items/{question}, without the position.
func (m *itemModel) detail(test string, q int) map[string]any {
	told := m.question(q)
	n := float64(len(m.total))
	fifths := []float64{0, 1, 2, 3, 4}
	groups, options := []any{}, []any{}
	for _, g := range fifths {
		in := m.ranked(g*n/5, (g+1)*n/5)
		from, to := math.Inf(1), math.Inf(-1)
		for s, share := range in {
			if share > tiny {
				from, to = min(from, m.total[s]), max(to, m.total[s])
			}
		}
		groups = append(groups, map[string]any{"from": from, "to": to, "sheets": n / 5, "mean": dot(in, m.marks[q]) * 5 / n})
	}
	for _, response := range m.options(q) {
		chosen := m.choosers(q, response)
		credited, _ := m.credited(q, response)
		byGroup := []any{}
		for _, g := range fifths {
			byGroup = append(byGroup, 500*dot(m.ranked(g*n/5, (g+1)*n/5), chosen)/n)
		}
		var ofAnswered any
		if response != "" {
			ofAnswered = 100 * meanOf(chosen) / (1 - meanOf(m.choosers(q, "")))
		}
		options = append(options, map[string]any{
			"response": response, "count": dot(chosen, chosen), "share": 100 * meanOf(chosen), "share_answered": ofAnswered, "credited": credited,
			"mean": dot(chosen, m.marks[q]) / dot(chosen, chosen), "option_total": pearsonOf(chosen, m.total), "option_rest": pearsonOf(chosen, m.rest(q)),
			"discrimination_27": m.d27(chosen), "share_by_group": byGroup, "non_functioning": m.idle(q, response),
		})
	}
	told["test_id"], told["preset"], told["limit"], told["groups"], told["options"] = test, "ebel", nil, groups, options
	return told
}

// whatIf is the answer to /what-if, without the position: questions withdrawn, and for
// others a new key of one response each.
func (m *itemModel) whatIf(test string, withdraw []string, keys map[string]string, grades []string, cuts []float64) map[string]any {
	after := &itemModel{total: make([]float64, len(m.total))}
	newKeys := []any{}
	for q, question := range m.questions {
		if slices.Contains(withdraw, question) {
			continue
		}
		marks := slices.Clone(m.marks[q])
		if key, changed := keys[question]; changed {
			newKeys = append(newKeys, map[string]any{"question": question, "responses": []any{key}})
			for s, response := range m.responses[q] {
				marks[s] = 0
				if response == key {
					marks[s] = m.available[q]
				}
			}
		}
		for s := range marks {
			after.total[s] += marks[s]
		}
		after.marks, after.available = append(after.marks, marks), append(after.available, m.available[q])
	}
	before, now := m.percent(), after.percent()
	moved := map[bool]int{}
	unchanged := 0
	counts := make([][2]int, len(cuts)+1)
	moves := make(map[[2]int]int)
	for s := range before {
		if math.Abs(before[s]-now[s]) < tiny {
			unchanged++
		} else {
			moved[now[s] > before[s]]++
		}
		grade := func(percent float64) int {
			at := slices.IndexFunc(cuts, func(cut float64) bool { return percent > cut-tiny })
			if at < 0 {
				return len(cuts)
			}
			return at
		}
		from, to := grade(before[s]), grade(now[s])
		counts[from][0]++
		counts[to][1]++
		if from != to {
			moves[[2]int{from, to}]++
		}
	}
	name := func(grade int) any {
		if grade == len(grades) {
			return nil
		}
		return grades[grade]
	}
	toldGrades, toldMoves := []any{}, []any{}
	for from := range counts {
		var cut any
		if from < len(cuts) {
			cut = cuts[from]
		}
		toldGrades = append(toldGrades, map[string]any{"grade": name(from), "boundary": cut, "before": counts[from][0], "after": counts[from][1]})
		for to := range counts {
			if n := moves[[2]int{from, to}]; n > 0 {
				toldMoves = append(toldMoves, map[string]any{"from": name(from), "to": name(to), "count": n})
			}
		}
	}
	withdrawn := []any{}
	for _, question := range withdraw {
		withdrawn = append(withdrawn, question)
	}
	return map[string]any{
		"test_id": test, "sheets": len(m.total), "left_out": m.leftOut, "withdraw": withdrawn, "key": newKeys,
		"before": m.side(), "after": after.side(), "raised": moved[true], "lowered": moved[false], "unchanged": unchanged,
		"grades": toldGrades, "moves": toldMoves,
	}
}

// percent are the sheets' percentages.
func (m *itemModel) percent() []float64 {
	list := slices.Clone(m.total)
	for s := range list {
		list[s] *= 100 / dot(m.available, ones(len(m.available)))
	}
	return list
}

// side are the figures on one side of a change.
func (m *itemModel) side() map[string]any {
	percent := slices.Sorted(slices.Values(m.percent()))
	at := func(p float64) float64 {
		rank := p * float64(len(percent)-1)
		low := int(rank)
		high := min(low+1, len(percent)-1)
		return percent[low] + (rank-float64(low))*(percent[high]-percent[low])
	}
	alpha, sem, errorRatio := reliable(m.marks, m.total)
	return map[string]any{
		"questions": len(m.marks), "available": dot(m.available, ones(len(m.available))), "mean": meanOf(percent),
		"stddev": math.Sqrt(covarianceOf(percent, percent)), "min": percent[0], "max": percent[len(percent)-1],
		"p25": at(0.25), "p50": at(0.5), "p75": at(0.75), "alpha": alpha, "sem": sem, "error_ratio": errorRatio,
	}
}
