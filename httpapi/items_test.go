package httpapi_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/wal"
)

// answered is a sheet of a test with a name that has to be escaped, right where the letters
// are those of the key.
func answered(student, responses, key string) string {
	var inside strings.Builder
	obtained := 0
	for i := range responses {
		right := 0
		if responses[i] == key[i] {
			right = 1
		}
		obtained += right
		fmt.Fprintf(&inside, `<answer question="%d" marks-available="1" marks-awarded="%d">%c</answer>`, i+1, right, responses[i])
	}
	return oddSheet(student, inside.String(), obtained, len(key))
}

// differs says where two JSON values are not the same: numbers may differ by what float64
// loses.
func differs(where string, got, want any) (list []string) {
	if whole, is := want.(int); is {
		want = float64(whole)
	}
	switch want := want.(type) {
	case map[string]any:
		members, is := got.(map[string]any)
		if !is {
			return []string{fmt.Sprintf("%s is %v, want an object", where, got)}
		}
		for name := range members {
			if _, wanted := want[name]; !wanted {
				list = append(list, fmt.Sprintf("%s has %s", where, name))
			}
		}
		for name, value := range want {
			if _, there := members[name]; !there {
				list = append(list, fmt.Sprintf("%s lacks %s", where, name))
				continue
			}
			list = append(list, differs(where+"."+name, members[name], value)...)
		}
		return list
	case []any:
		values, is := got.([]any)
		if !is || len(values) != len(want) {
			return []string{fmt.Sprintf("%s is %v, want %v", where, got, want)}
		}
		for i := range want {
			list = append(list, differs(fmt.Sprintf("%s[%d]", where, i), values[i], want[i])...)
		}
		return list
	case float64:
		if number, is := got.(float64); is && math.Abs(number-want) <= tiny*max(1, math.Abs(want)) {
			return nil
		}
	default:
		if got == want {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s is %v, want %v", where, got, want)}
}

// same fails the test unless an answer is what is wanted, at a position.
func (a answer) same(t testing.TB, position int, want map[string]any) {
	t.Helper()
	var got map[string]any
	a.into(t, &got)
	want["position"] = position
	for _, difference := range differs("", got, want) {
		t.Error(difference)
	}
}

// analyses fails the test unless every route of item analysis tells of a test what the
// model does.
func (o office) analyses(t testing.TB, test string, position int, m *itemModel) {
	t.Helper()
	path := "/results/" + url.PathEscape(test)
	o.get(t, path+"/items").same(t, position, m.list(test))
	for q, question := range m.questions {
		o.get(t, path+"/items/"+question).same(t, position, m.detail(test, q))
	}
	last := len(m.questions) - 1
	grades, cuts := []string{"A", "B", "C"}, []float64{70, 50, 35.5}
	for _, change := range []struct {
		withdraw []string
		keys     map[string]string
	}{
		{},
		{withdraw: m.questions[:1]},
		{keys: map[string]string{m.questions[last]: m.options(last)[0]}},
		{withdraw: []string{m.questions[1], m.questions[0]}},
		{withdraw: m.questions[1:2], keys: map[string]string{m.questions[0]: "B", m.questions[last]: "A"}},
	} {
		asked := url.Values{"boundaries": {"A:70,B:50,C:35.5"}, "withdraw": change.withdraw}
		for _, question := range m.questions { // They are told in the order in which they are asked.
			if key, changed := change.keys[question]; changed {
				asked.Add("key", question+":"+key)
			}
		}
		o.get(t, path+"/what-if?"+asked.Encode()).same(t, position, m.whatIf(test, change.withdraw, change.keys, grades, cuts))
	}
}

// The routes of item analysis answer what the sheets that count say, within the contract.
func TestItems(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.accept(t, oddDocument(
		answered("1", "AAA", "AAA"), answered("2", "AAB", "AAA"), answered("3", "ABB", "AAA"), answered("4", "BBB", "AAA"),
		answered("4", "BBA", "AAA"), // a better scan
	))
	// Four papers can be analysed by hand. Marks are 3, 2, 1, 1.
	list := o.get(t, "/results/a%2Fb/items").plain(t)
	const head = `{"test_id":"a/b","position":1,"preset":"ebel","students":4,"sheets":4,"left_out":0,"sum_mismatch":0,"limit":null,` +
		`"available":3,"mean":1.75,"stddev":0.82915619758885,"stddev_sample":0.9574271077563381,`
	if !strings.HasPrefix(list, head) {
		t.Errorf("the list begins with\n%.300s", list)
	}
	var sheets []itemSheet
	for student, responses := range []string{"AAA", "AAB", "ABB", "BBA"} {
		s := itemSheet{student: fmt.Sprint(student + 1)}
		for q, response := range responses {
			a := itemAnswer{question: fmt.Sprint(q + 1), response: string(response), available: 1}
			if response == 'A' {
				a.awarded = 1
			}
			s.answers, s.obtained = append(s.answers, a), s.obtained+a.awarded
		}
		sheets = append(sheets, s)
	}
	o.analyses(t, "a/b", 1, newItemModel(sheets))
	// Another preset has other words for the same figures: item-rest is negative, item-total 0.3015.
	for _, preset := range []struct{ name, band string }{{"moodle", "invalid"}, {"blackboard", "good"}} {
		var question struct {
			Preset string   `json:"preset"`
			Band   string   `json:"band"`
			Flags  []string `json:"flags"`
		}
		body := o.get(t, "/results/a%2Fb/items/3?preset="+preset.name).plain(t)
		if err := json.Unmarshal([]byte(body), &question); err != nil {
			t.Fatal(err)
		}
		if question.Preset != preset.name || question.Band != preset.band || !slices.Equal(question.Flags[:2], []string{"suspect_key", "negative_discrimination"}) {
			t.Errorf("%+v", question)
		}
	}
	// The log goes on, the test does not: whoever has an answer has it still.
	for _, target := range []string{"items", "items/1", "what-if?withdraw=1"} {
		first := o.get(t, "/results/a%2Fb/"+target)
		o.accept(t, scanned(scan{"other", target, "1", "2"}))
		if again := o.get(t, "/results/a%2Fb/"+target, "If-None-Match: "+first.header.Get("ETag")); again.status != http.StatusNotModified {
			t.Errorf("%s: %d with its tag", target, again.status)
		}
	}
}

// generateScans makes up scans of a test: abler students are right more often; some leave
// questions out, some are scanned again, some have no answers at all.
func generateScans(r *rand.Rand, students, questions int) (scans []itemSheet) {
	for i := range students * 3 / 2 {
		s := itemSheet{student: fmt.Sprint("s", i%students)}
		able := r.Float64()
		for q := range questions {
			a := itemAnswer{question: fmt.Sprint(q + 1), available: []float64{1, 2, 2.5}[q%3]}
			right := string('A' + rune(q%4))
			switch {
			case r.IntN(12) == 0 && q > 0:
				continue // The question is not there.
			case r.IntN(12) == 0: // It has no response.
			case r.Float64() < able:
				a.response, a.awarded = right, a.available
			default:
				a.response = string('A' + rune(r.IntN(4)))
				if a.response == right {
					a.awarded = a.available / 2 // The key has been another one, or it was a half of the answer.
				}
			}
			s.answers, s.obtained = append(s.answers, a), s.obtained+a.awarded
		}
		switch r.IntN(25) {
		case 0:
			s.answers = nil
		case 1:
			s.answers[0].awarded = -1
		case 2:
			s.obtained += 0.5
		}
		scans = append(scans, s)
	}
	return scans
}

// What is told over HTTP is what the definitions give, while scans come in that replace
// others, in documents of any size.
func TestItemsByDefinition(t *testing.T) {
	t.Parallel()
	r := newRandom(t)
	for _, c := range []struct{ students, questions int }{{90, 12}, {20, 4}} {
		o := openOffice(t)
		scans := generateScans(r, c.students, c.questions)
		// A question that only a scan has which does not count is none.
		scans = append(scans, itemSheet{student: "s0", answers: []itemAnswer{{question: "lost", response: "A", awarded: 0, available: 1}}})
		position := 0
		for done := 0; done < len(scans); {
			next := min(len(scans), done+max(10, r.IntN(60)))
			var document strings.Builder
			for _, s := range scans[done:next] {
				document.WriteString(s.xml("cohort", 100))
			}
			o.accept(t, oddDocument(document.String()))
			done, position = next, position+1
			o.analyses(t, "cohort", position, newItemModel(kept(scans[:done])))
		}
		if got := o.get(t, "/results/cohort/items/lost"); got.status != http.StatusNotFound || got.code(t) != "unknown_question" {
			t.Errorf("a question that does not count: %d %s", got.status, got.body)
		}
	}
}

// sampleScans are the scans of the sample, read by a reader of its own.
func sampleScans(t *testing.T, document []byte) (scans []itemSheet) {
	t.Helper()
	var results struct {
		Records []struct {
			Student string `xml:"student-number"`
			Answers []struct {
				Question  string  `xml:"question,attr"`
				Available float64 `xml:"marks-available,attr"`
				Awarded   float64 `xml:"marks-awarded,attr"`
				Response  string  `xml:",chardata"`
			} `xml:"answer"`
			Summary struct {
				Obtained float64 `xml:"obtained,attr"`
			} `xml:"summary-marks"`
		} `xml:"mcq-test-result"`
	}
	if err := xml.Unmarshal(document, &results); err != nil {
		t.Fatal(err)
	}
	for _, r := range results.Records {
		s := itemSheet{student: r.Student, obtained: r.Summary.Obtained}
		for _, a := range r.Answers {
			s.answers = append(s.answers, itemAnswer{a.Question, a.Response, a.Awarded, a.Available})
		}
		scans = append(scans, s)
	}
	return scans
}

// The sample's figures over HTTP are those that other programs have computed of it.
func TestItemsOfTheSample(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../shared/sample_results.xml")
	if err != nil {
		t.Skip("the sample is not there:", err)
	}
	o := openOffice(t)
	o.accept(t, string(document))
	o.analyses(t, "9863", 1, newItemModel(kept(sampleScans(t, document))))
	var test struct {
		Alpha, KR20, KR21, SEM, Skewness, Kurtosis json.Number
	}
	if err := json.Unmarshal([]byte(o.get(t, "/results/9863/items").plain(t)), &test); err != nil {
		t.Fatal(err)
	}
	alpha, _ := big.NewRat(-17050, 61351).Float64()
	if want := json.Number(strconv.FormatFloat(alpha, 'f', -1, 64)); test.Alpha != want || test.KR20 != want {
		t.Errorf("alpha is %s, KR-20 %s; want the float64 nearest to -17050/61351, %s", test.Alpha, test.KR20, want)
	}
	for _, f := range []struct {
		name      string
		got       json.Number
		published string
	}{
		{"SEM", test.SEM, "2.2430759307"},
		{"skewness", test.Skewness, "0.20790612"},
		{"kurtosis", test.Kurtosis, "-0.42243376"},
		{"KR-21", test.KR21, "-0.2837993676"},
	} {
		decimals := len(f.published) - strings.IndexByte(f.published, '.') - 1
		value, err := f.got.Float64()
		if err != nil || strconv.FormatFloat(value, 'f', decimals, 64) != f.published {
			t.Errorf("%s is %s, want %s", f.name, f.got, f.published)
		}
	}
}

// What is asked wrongly is refused, and the parameter is named.
func TestItemsAsked(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.accept(t, oddDocument(answered("1", "AA", "AB"), answered("2", "BB", "AB")))
	o.accept(t, scanned(scan{"bare", "1", "1", "2"}))
	for _, ask := range []struct {
		target string
		status int
		names  string
	}{
		{"a%2Fb/items?preset=Ebel", 400, `"preset" must be one of ebel, blackboard, moodle`},
		{"a%2Fb/items?at=1", 400, `"at" is not a parameter`},
		{"a%2Fb/items?preset=ebel&preset=ebel", 400, "more than once"},
		{"x/items", 404, "unknown_test"},
		{"x/items/1", 404, "unknown_test"},
		{"x/what-if", 404, "unknown_test"},
		{"bare/items", 200, `"sheets":0`},
		{"bare/items/1", 404, "unknown_question"},
		{"bare/what-if", 400, "no marks are available"},
		{"a%2Fb/items/3", 404, "unknown_question"},
		{"a%2Fb/what-if", 200, `"unchanged":2`},
		{"a%2Fb/what-if?key=1", 400, `"key" holds "1"`},
		{"a%2Fb/what-if?key=1:", 400, `"key" holds "1:"`},
		{"a%2Fb/what-if?key=9:A", 404, "unknown_question"},
		{"a%2Fb/what-if?withdraw=9", 404, "unknown_question"},
		{"a%2Fb/what-if?withdraw=1&withdraw=1", 400, "named twice"},
		{"a%2Fb/what-if?withdraw=1&key=1:A", 400, "named twice"},
		{"a%2Fb/what-if?withdraw=1&withdraw=2", 400, "no marks are available"},
		{"a%2Fb/what-if?boundaries=A", 400, `"boundaries" holds "A"`},
	} {
		got := o.get(t, "/results/"+ask.target)
		if text := got.plain(t); got.status != ask.status || !strings.Contains(strings.ReplaceAll(text, `\"`, `"`), ask.names) {
			t.Errorf("%s: %d %s; want %d with %s", ask.target, got.status, text, ask.status, ask.names)
		}
	}
}

// Without item analysis its routes say so, whatever is asked, and everything else is there.
func TestItemsOff(t *testing.T) {
	t.Parallel()
	opened, err := wal.Open(wal.Options{Dir: "data", FS: vfs.NewMem(), FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	o := office{newBorderOf(t, engine.Options{Log: opened}, opened, nil, mcqxml.New(intake.Limits{}))}
	if err := o.engine.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.accept(t, oddDocument(answered("1", "AA", "AB"), answered("2", "BB", "AB")))
	for _, target := range []string{
		"a%2Fb/items", "a%2Fb/items?preset=moodle", "a%2Fb/items/1", "a%2Fb/items/9", "a%2Fb/what-if?withdraw=1", "a%2Fb/what-if?key=1:B", "x/items",
	} {
		got := o.get(t, "/results/"+target)
		if got.status != http.StatusNotFound || got.code(t) != "item_analysis_off" || !strings.Contains(got.body, "--item-analysis=off") {
			t.Errorf("%s: %d %s", target, got.status, got.body)
		}
	}
	// What is wrong in itself is told first.
	if got := o.get(t, "/results/a%2Fb/items?preset=x"); got.status != http.StatusBadRequest {
		t.Errorf("an unknown preset: %d %s", got.status, got.body)
	}
	for _, target := range []string{"aggregate", "scores", "quality", "histogram"} {
		if got := o.get(t, "/results/a%2Fb/"+target); got.status != http.StatusOK {
			t.Errorf("%s: %d %s", target, got.status, got.body)
		}
	}
	o.page(t, "/?test=a%2Fb", http.StatusOK)
}
