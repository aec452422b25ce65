package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
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

// The routes of item analysis answer what the sheets that count say, within the contract.
func TestItems(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.accept(t, oddDocument(
		answered("1", "AAA", "AAA"), answered("2", "AAB", "AAA"), answered("3", "ABB", "AAA"), answered("4", "BBB", "AAA"),
		answered("4", "BBA", "AAA"), // a better scan
	))
	const path = "/results/a%2Fb/"
	list := o.get(t, path+"items")
	for _, want := range []string{
		`"test_id":"a/b","position":1,"preset":"ebel","students":4,"sheets":4,"left_out":0,"sum_mismatch":0,"limit":null,"available":3,"mean":1.75,`,
		`"flags":["low_alpha","unsettled"]`, `{"question":"1","available":1,"sheets":4,"omitted":0,"facility":75.0,`,
		`"key":["A"],"free":false,`,
	} {
		if !strings.Contains(list.plain(t), want) {
			t.Errorf("the list lacks %s:\n%s", want, list.plain(t))
		}
	}
	detail := o.get(t, path+"items/3?preset=moodle").plain(t)
	for _, want := range []string{
		`"preset":"moodle"`, `"question":"3"`, `"band":"invalid"`, `"flags":["suspect_key","negative_discrimination"`,
		`"options":[{"response":"A","count":2,"share":50.0,"share_answered":50.0,"credited":true,"mean":1.0,`, `{"response":"B","count":2,`,
	} {
		if !strings.Contains(detail, want) {
			t.Errorf("question 3 lacks %s:\n%s", want, detail)
		}
	}
	// With B as the key of question 3 nobody is where they were; without the question the
	// best has all.
	changed := o.get(t, path+"what-if?key=3:B&boundaries=P:60").plain(t)
	for _, want := range []string{
		`"withdraw":[],"key":[{"question":"3","responses":["B"]}]`, `"raised":2,"lowered":2,"unchanged":0`,
		`"grades":[{"grade":"P","boundary":60.0,"before":2,"after":3},{"grade":null,"boundary":null,"before":2,"after":1}]`,
		`"moves":[{"from":null,"to":"P","count":1}]`,
	} {
		if !strings.Contains(changed, want) {
			t.Errorf("another key lacks %s:\n%s", want, changed)
		}
	}
	withdrawn := o.get(t, path+"what-if?withdraw=3&withdraw=2").plain(t)
	if want := `"withdraw":["3","2"],"key":[],`; !strings.Contains(withdrawn, want) || !strings.Contains(withdrawn, `"after":{"questions":1,"available":1,"mean":75.0,`) {
		t.Errorf("without two questions:\n%s", withdrawn)
	}
	for _, target := range []string{"items", "items/1", "what-if?withdraw=1"} {
		first := o.get(t, path+target)
		o.accept(t, scanned(scan{"other", target, "1", "2"})) // The log goes on, the test does not.
		if again := o.get(t, path+target, "If-None-Match: "+first.header.Get("ETag")); again.status != 304 {
			t.Errorf("%s: %d with its tag", target, again.status)
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
