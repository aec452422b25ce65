package markscsv_test

import (
	"strings"
	"testing"

	"markr/engine/intake/markscsv"
)

// A profile that is spelled out is the same profile.
func TestProfileSpelled(t *testing.T) {
	t.Parallel()
	for _, p := range profiles(t) {
		again, err := markscsv.ParseProfile(p.Name(), []byte(p.Spelled()))
		if err != nil || again.Spelled() != p.Spelled() || again.Name() != p.Name() {
			t.Errorf("%s: %v, %+v", p.Spelled(), err, again)
		}
		if strings.ContainsAny(p.Spelled(), "\n") {
			t.Errorf("more than a line: %s", p.Spelled())
		}
	}
}

// What cannot be is told to whoever wrote the profile.
func TestProfileRefused(t *testing.T) {
	t.Parallel()
	const columns = `"test-id":{"column":"T"},"student-number":{"column":"S"}`
	const totals = columns + `,"available":{"column":"A"},"obtained":{"column":"O"}`
	for content, want := range map[string]string{
		``:                                             "EOF",
		`[]`:                                           "cannot unmarshal",
		`{` + totals + `} {}`:                          "something follows its end",
		`{` + totals + `,"separater":","}`:             "unknown field",
		`{` + totals + `,"separator":"|"}`:             "separator",
		`{` + totals + `,"separator":",;"}`:            "separator",
		`{` + totals + `,"header":"none"}`:             "header",
		`{` + totals + `,"header":"absent"}`:           "without a header line",
		`{` + totals + `,"key-row":{"line":1}}`:        "there are none",
		`{` + columns + `}`:                            "available and obtained, or questions",
		`{` + columns + `,"available":{"column":"A"}}`: "both or none",
		`{"test-id":{},"student-number":{"column":"S"},"questions":{}}`:                                      "test-id",
		`{"test-id":{"text":" 9"},"student-number":{"column":"S"},"questions":{}}`:                           "is not an id",
		`{"test-id":{"text":"9","number":1},"student-number":{"column":"S"},"questions":{}}`:                 "both a text and a column",
		`{"test-id":{"text":"9"},"student-number":{"text":"S"},"questions":{}}`:                              "student-number",
		`{"test-id":{"text":"9"},"student-number":{"number":5000},"questions":{}}`:                           "number 5000",
		`{"test-id":{"text":"9"},"student-number":{"number":-1},"questions":{}}`:                             "number -1",
		`{` + columns + `,"questions":{}}`:                                                                   "awarded, or response and a key",
		`{` + columns + `,"questions":{"response":{"names":"Q#"}}}`:                                          "awarded, or response and a key",
		`{` + columns + `,"questions":{"key":{"names":"Q#"}}}`:                                               "awarded, or response and a key",
		`{` + columns + `,"questions":{"awarded":{"names":"Q#"}}}`:                                           "awarded needs the marks available",
		`{` + columns + `,"questions":{"awarded":{"names":"Q"},"marks":"1"}}`:                                "one #",
		`{` + columns + `,"questions":{"awarded":{"names":"##"},"marks":"1"}}`:                               "one #",
		`{` + columns + `,"questions":{"awarded":{"names":"#","from":1},"marks":"1"}}`:                       "names or from",
		`{` + columns + `,"questions":{"awarded":{},"marks":"1"}}`:                                           "names or from",
		`{` + columns + `,"questions":{"awarded":{"from":5,"to":4},"marks":"1"}}`:                            "from 5 to 4",
		`{` + columns + `,"questions":{"awarded":{"from":5,"step":-1},"marks":"1"}}`:                         "by -1",
		`{` + columns + `,"questions":{"awarded":{"from":5},"marks":"0"}}`:                                   "above 0",
		`{` + columns + `,"questions":{"awarded":{"from":5},"marks":"1,5"}}`:                                 "above 0",
		`{` + columns + `,"questions":{"awarded":{"from":5},"marks":"1"},"points-row":{"line":1}}`:           "one of them",
		`{` + columns + `,"questions":{"response":{"from":5}},"key-row":{}}`:                                 "must have a student-number or a line",
		`{` + columns + `,"questions":{"response":{"from":5}},"key-row":{"line":1,"student-number":"K"}}`:    "must have a student-number or a line",
		`{` + columns + `,"questions":{"response":{"from":5}},"key-row":{"line":1},"points-row":{"line":1}}`: "the same line",
		`{` + totals + `,"first-name":{"column":"` + strings.Repeat("x", markscsv.ProfileBytesMax) + `"}}`:   "at most 2048",
	} {
		if p, err := markscsv.ParseProfile("p", []byte(content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.200s: %v, %v; want %q", content, p, err, want)
		}
	}
	for _, name := range []string{"", "a b", "../a", "é", ".a", strings.Repeat("x", 65)} {
		if _, err := markscsv.ParseProfile(name, []byte(`{`+totals+`}`)); err == nil {
			t.Errorf("the name %q was taken", name)
		}
	}
	if _, err := markscsv.ParseProfile("Omr-3.1_b", []byte(`{`+totals+`}`)); err != nil {
		t.Error(err)
	}
}
