package httpapi_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"markr/engine"
	"markr/engine/scoring"
)

// sameJSON holds a part of an answer against what it should be.
func sameJSON(t testing.TB, what string, got json.RawMessage, want any) {
	t.Helper()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != string(got) {
		t.Fatalf("%s:\n%s\nwant\n%s", what, got, text)
	}
}

// members are those of an answer.
func (o office) members(t testing.TB, target string) map[string]json.RawMessage {
	t.Helper()
	got := o.get(t, target)
	if got.status != 200 {
		t.Fatalf("%s: %d %s", target, got.status, got.body)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(got.plain(t)), &members); err != nil {
		t.Fatal(err)
	}
	return members
}

// Everything that is answered about the scores of random cohorts is what counting students
// one by one says, under both denominators.
func TestDistribution(t *testing.T) {
	t.Parallel()
	for _, denominator := range []scoring.Denominator{scoring.OfTest, scoring.OfSheet} {
		t.Run(denominator.String(), func(t *testing.T) {
			t.Parallel()
			r := newRandom(t)
			o := office{newBorderUnder(t, scoring.Rule{Denominator: denominator})}
			for round := range 8 {
				test := fmt.Sprint("t", round)
				o.sit(t, r, test)
				s := o.sittingOf(t, test)
				if s.sheets != (denominator == scoring.OfSheet) {
					t.Fatal("another denominator is in force")
				}
				o.wantHistogram(t, r, test, s)
				o.wantScores(t, r, test, s)
				o.wantCuts(t, r, test, s)
				o.wantGrades(t, test, s)
			}
			o.wantComparison(t, []string{"t0", "t1", "t2", "t3"})
		})
	}
}

// What is asked wrongly is refused, and the parameter is named.
func TestDistributionAsked(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.accept(t, scanned(scan{"m", "1", "7", "20"}, scan{"m", "2", "9", "20"}, scan{"a,b%", "1", "1", "2"}))
	var page struct {
		NextCursor string `json:"next_cursor"`
	}
	if err := json.Unmarshal([]byte(o.get(t, "/results/m/scores?limit=1").body), &page); err != nil {
		t.Fatal(err)
	}
	many := strings.Repeat("1,", 100) + "1"
	for _, ask := range []struct {
		target string
		status int
		names  string // in the detail, or the code
	}{
		{"/results/m/histogram", 200, ""},
		{"/results/m/histogram?bins=0", 400, `"bins" must be a whole number from 1 to 1000`},
		{"/results/m/histogram?bins=1001", 400, `"bins"`},
		{"/results/m/histogram?bins=1e2", 400, `"bins"`},
		{"/results/m/histogram?bin=5", 400, `"bin" is not a parameter of this path`},
		{"/results/m/histogram?at=1", 200, ""},
		{"/results/m/histogram?at=2", 404, "unknown_position"},
		{"/results/m/histogram?as-of=yesterday", 400, `"as-of"`},
		{"/results/x/histogram", 404, "unknown_test"},
		{"/results/m/percentiles", 200, ""},
		{"/results/m/percentiles?p=", 400, `"p" holds ""`},
		{"/results/m/percentiles?p=5,101", 400, `"p" holds "101"`},
		{"/results/m/percentiles?p=" + many, 400, `"p" names more than 100 percentiles`},
		{"/results/m/scores?limit=0", 400, `"limit"`},
		{"/results/m/scores?cursor=x", 400, "invalid_cursor"},
		{"/results/m/scores?cursor=" + page.NextCursor, 200, ""},
		{"/results/m/passes?cursor=" + page.NextCursor, 200, ""},
		{"/results/m/scores/20", 200, ""},
		{"/results/m/scores/20.001", 400, "are more than the 20 that are available"},
		{"/results/m/scores/-1", 400, "must be digits"},
		{"/results/m/scores/1.0001", 400, "more than three digits"},
		{"/results/x/scores/1", 404, "unknown_test"},
		{"/results/m/passes?cut=50,,60", 400, `"cut" holds ""`},
		{"/results/m/passes?cut=" + many, 400, `"cut" names more than 100 cuts`},
		{"/results/m/passes?cut=50&limit=1", 400, `"limit" is not a parameter`},
		{"/results/m/grades", 400, `"boundaries" must be given`},
		{"/results/m/grades?boundaries=A", 400, `"boundaries" holds "A"`},
		{"/results/m/grades?boundaries=:80", 400, `"boundaries" holds ":80"`},
		{"/results/m/grades?boundaries=A:80,B:80", 400, "not below the boundary before it"},
		{"/results/m/grades?boundaries=A:80,A:70", 400, "there already"},
		{"/results/m/grades?boundaries=A:80%25", 400, "whose percentage must be a decimal"},
		{"/results/m/grades?boundaries=" + strings.Repeat("A", 33) + ":1", 400, "at most 32 characters"},
		{"/results/m/grades?boundaries=" + strings.Repeat("A:1,", 50) + "A:1", 400, "more than 50 grades"},
		{"/comparison", 400, `"tests" must name 2 to 10 tests`},
		{"/comparison?tests=m", 400, `"tests" must name 2 to 10 tests`},
		{"/comparison?tests=m,m", 400, `"tests" names "m" more than once`},
		{"/comparison?tests=m,x", 404, "unknown_test"},
		{"/comparison?tests=m,a%252Cb%2525", 200, ""},
		{"/comparison?tests=m,%25", 400, `"tests" holds "%"`},
		{"/comparison?tests=1,2,3,4,5,6,7,8,9,10,11", 400, "2 to 10"},
		{"/comparison?tests=m,a%252Cb%2525&bins=0", 400, `"bins"`},
	} {
		got := o.get(t, ask.target)
		var problem struct{ Detail, Code string }
		if got.status != 200 {
			if err := json.Unmarshal([]byte(got.plain(t)), &problem); err != nil {
				t.Fatal(err)
			}
		}
		if got.status != ask.status || !strings.Contains(problem.Detail+problem.Code, ask.names) {
			t.Errorf("%s: %d %+v, want %d and %s", ask.target, got.status, problem, ask.status, ask.names)
		}
	}
}

// The position goes on with everybody's imports, the tag with the test's alone; and a past
// answer stays what it was.
func TestDistributionTags(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.accept(t, scanned(scan{"m", "1", "7", "20"}, scan{"n", "2", "9", "20"}))
	targets := []string{
		"/results/m/histogram", "/results/m/percentiles", "/results/m/scores", "/results/m/scores/7", "/results/m/passes",
		"/results/m/passes?cut=50", "/results/m/grades?boundaries=A:50", "/comparison?tests=m,n",
	}
	var tags, bodies []string
	for _, target := range targets {
		got := o.get(t, target)
		tags, bodies = append(tags, got.header.Get("ETag")), append(bodies, got.plain(t))
	}
	o.accept(t, scanned(scan{"other", "1", "7", "20"}))
	for i, target := range targets {
		if got := o.get(t, target, "If-None-Match: "+tags[i]); got.status != 304 {
			t.Errorf("%s: %d after somebody else's import", target, got.status)
		}
		if got := o.get(t, target).plain(t); strings.Replace(got, `"position":2`, `"position":1`, 1) != bodies[i] {
			t.Errorf("%s: %s, was %s", target, got, bodies[i])
		}
	}
	o.accept(t, scanned(scan{"m", "1", "11", "20"}))
	for i, target := range targets {
		if got := o.get(t, target, "If-None-Match: "+tags[i]); got.status != 200 {
			t.Errorf("%s: %d after an import", target, got.status)
		}
		if strings.HasPrefix(target, "/comparison") {
			continue
		}
		past := target + map[bool]string{true: "&", false: "?"}[strings.Contains(target, "?")] + "at=1"
		if got := o.get(t, past).plain(t); got != bodies[i] {
			t.Errorf("%s: %s, was %s", past, got, bodies[i])
		}
	}
}

// The sample's distribution; the file was computed by another program, in fractions.
func TestSampleDistribution(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	raw, err := os.ReadFile("../../shared/sample_results.xml")
	if err != nil {
		t.Skipf("no sample: %v", err)
	}
	o.accept(t, string(raw))
	golden(t, "distribution.golden", []byte(strings.Join([]string{
		o.get(t, "/results/9863/histogram?bins=10").plain(t),
		o.get(t, "/results/9863/percentiles").plain(t),
		o.get(t, "/results/9863/scores").plain(t),
		o.get(t, "/results/9863/passes?cut=50,60").plain(t),
		o.get(t, "/results/9863/grades?boundaries=A:70,B:60,C:50,D:40").plain(t),
	}, "\n")+"\n"))
}

// newBorderUnder starts a server under a rule.
func newBorderUnder(t *testing.T, rule scoring.Rule) *border {
	t.Helper()
	b := newBorder(t, nil)
	if rule != (scoring.Rule{}) {
		under, err := b.engine.StartReprocess(rule)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "it has read all", func() bool { return under.Status().Phase == engine.PhaseReady })
		if _, err := under.Commit(t.Context(), engine.CommitOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// sit brings the scans of a random cohort: small or not, with many scores or few.
func (o office) sit(t testing.TB, r *rand.Rand, test string) {
	t.Helper()
	available, step := []int{1, 20, 30, 100, 1_000_000}[r.IntN(5)], []int{1000, 500, 1}[r.IntN(3)]
	scans := make([]scan, 1+r.IntN(120))
	for i := range scans {
		of := available
		if r.IntN(3) == 0 {
			of = 1 + r.IntN(available)
		}
		thousandths := r.IntN(of*1000/step+1) * step
		if r.IntN(8) == 0 {
			thousandths = of * 1000 / 2 // on a bound
		}
		scans[i] = scan{test, fmt.Sprint(r.IntN(150)), fmt.Sprintf("%d.%03d", thousandths/1000, thousandths%1000), fmt.Sprint(of)}
	}
	o.accept(t, scanned(scans...))
}

func (o office) wantHistogram(t testing.TB, r *rand.Rand, test string, s *sitting) {
	t.Helper()
	type bin struct {
		From  json.Number `json:"from"`
		To    json.Number `json:"to"`
		Count int         `json:"count"`
	}
	count := []int{1, 3, 20, 1000}[r.IntN(4)]
	var want []bin
	for i := range count {
		from, to := big.NewRat(int64(i), int64(count)), big.NewRat(int64(i+1), int64(count))
		inside := s.below(to) - s.below(from)
		if i == count-1 {
			inside = len(s.scores) - s.below(from)
		}
		want = append(want, bin{shown(from), shown(to), inside})
	}
	got := o.members(t, fmt.Sprintf("/results/%s/histogram?bins=%d", test, count))
	sameJSON(t, "bins", got["bins"], want)
	sameJSON(t, "count", got["count"], len(s.scores))
	sameJSON(t, "denominator", got["denominator"], map[bool]string{false: "test", true: "sheet"}[s.sheets])
	// Percentiles are the aggregate's, whose oracle is elsewhere.
	const list = "0,12.5,50,99.999999,100"
	sameJSON(t, "percentiles", o.members(t, "/results/"+test+"/percentiles?p="+list)["percentiles"],
		o.members(t, "/results/"+test+"/aggregate?percentiles="+list)["percentiles"])
}

func (o office) wantScores(t testing.TB, r *rand.Rand, test string, s *sitting) {
	t.Helper()
	distinct := s.distinct()
	limit := 1 + r.IntN(40)
	cursor := ""
	for from := 0; from < len(distinct); from += limit {
		page := distinct[from:min(from+limit, len(distinct))]
		got := o.members(t, fmt.Sprintf("/results/%s/scores?limit=%d%s", test, limit, cursor))
		var want []scoreShown
		for _, x := range page {
			want = append(want, s.score(x, s.marks(x)))
		}
		sameJSON(t, "scores", got["scores"], want)
		sameJSON(t, "distinct", got["distinct"], len(distinct))
		var next *string
		if err := json.Unmarshal(got["next_cursor"], &next); err != nil || (next == nil) != (from+limit >= len(distinct)) {
			t.Fatalf("cursor %s after %d of %d, %v", got["next_cursor"], from+limit, len(distinct), err)
		}
		if next != nil {
			cursor = "&cursor=" + *next
		}
	}
	available, _ := s.available.Float64()
	thousandths := int64(r.Float64() * available * 1000)
	x := big.NewRat(thousandths, 1000)
	want := s.score(new(big.Rat).Quo(x, s.available), new(json.Number(strconv.FormatFloat(float64(thousandths)/1000, 'f', -1, 64))))
	got := o.get(t, fmt.Sprintf("/results/%s/scores/%d.%03d", test, thousandths/1000, thousandths%1000)).plain(t)
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(got, fmt.Sprintf(`"students":%d,%s`, len(s.scores), text[1:])) {
		t.Fatalf("%s\nwant %s", got, text)
	}
}

func (o office) wantCuts(t testing.TB, r *rand.Rand, test string, s *sitting) {
	t.Helper()
	cuts := []string{"0", "50", "100", "33.333333", fmt.Sprintf("%d.%06d", r.IntN(100), r.IntN(1_000_000))}
	var want []cutShown
	for _, cut := range cuts {
		want = append(want, s.cut(percent(cut), new(s.lowest(percent(cut)))))
	}
	sameJSON(t, "cuts", o.members(t, "/results/"+test+"/passes?cut="+strings.Join(cuts, ","))["cuts"], want)
	want = nil
	for _, x := range s.distinct() {
		want = append(want, s.cut(x, s.marks(x)))
	}
	sameJSON(t, "cuts at all scores", o.members(t, "/results/"+test+"/passes?limit=1000")["cuts"], want)
}

func (o office) wantGrades(t testing.TB, test string, s *sitting) {
	t.Helper()
	type grade struct {
		Grade           *string      `json:"grade"`
		Boundary        *json.Number `json:"boundary"`
		Marks           *json.Number `json:"marks"`
		Count           int          `json:"count"`
		Share           json.Number  `json:"share"`
		CumulativeCount int          `json:"cumulative_count"`
		CumulativeShare json.Number  `json:"cumulative_share"`
		Below           *int         `json:"one_mark_below"`
		Above           *int         `json:"one_mark_above"`
	}
	var want []grade
	var asked []string
	better := 0
	for _, b := range [][2]string{{"A*", "90.5"}, {"B ü", "50"}, {"C", "49.999999"}, {"D", "0.000001"}} {
		x := percent(b[1])
		cut := s.cut(x, new(s.lowest(x)))
		want = append(want, grade{
			&b[0], &cut.Cut, cut.Marks, cut.Passed - better, s.share(cut.Passed - better), cut.Passed, s.share(cut.Passed), &cut.Below, &cut.Above,
		})
		better = cut.Passed
		asked = append(asked, b[0]+":"+b[1])
	}
	rest := len(s.scores) - better
	want = append(want, grade{Count: rest, Share: s.share(rest), CumulativeCount: len(s.scores), CumulativeShare: "100.0"})
	sameJSON(t, "grades", o.members(t, "/results/"+test+"/grades?boundaries="+url.QueryEscape(strings.Join(asked, ",")))["grades"], want)
}

func (o office) wantComparison(t testing.TB, tests []string) {
	t.Helper()
	var compared []map[string]json.RawMessage
	if err := json.Unmarshal(o.members(t, "/comparison?bins=7&tests="+strings.Join(tests, ","))["tests"], &compared); err != nil {
		t.Fatal(err)
	}
	first := o.sittingOf(t, tests[0])
	for i, test := range tests {
		got := compared[i]
		if aggregate := o.get(t, "/results/"+test+"/aggregate").body; string(got["aggregate"]) != aggregate {
			t.Errorf("%s: %s, want %s", test, got["aggregate"], aggregate)
		}
		sameJSON(t, "histogram", got["histogram"], o.members(t, "/results/"+test+"/histogram?bins=7")["bins"])
		var difference, effect any
		if i > 0 {
			difference, effect = first.effect(o.sittingOf(t, test))
		}
		sameJSON(t, "difference of means", got["mean_difference"], difference)
		sameJSON(t, "effect size", got["effect_size"], effect)
	}
}
