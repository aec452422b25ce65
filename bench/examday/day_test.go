package examday_test

import (
	"cmp"
	"encoding/xml"
	"testing"
	"time"

	"markr/bench/examday"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

func mustNew(t *testing.T, seed uint64) *examday.Day {
	t.Helper()
	day, err := examday.New(seed, time.Date(2026, time.June, 15, 9, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return day
}

// TestDay looks at what a day promises, with the program's own decoder.
func TestDay(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3} {
		day := mustNew(t, seed)
		decoder := mcqxml.New(intake.Limits{})
		var decoded intake.Document
		sheets, wrong, corrections := 0, 0, 0
		tests, schools := make(map[string]int), make(map[string]bool)
		seen := make(map[string]bool)
		repeated := 0
		last := time.Duration(0)
		for i, document := range day.All() {
			if document.At < last {
				t.Fatalf("seed %d: document %d at %v comes after one at %v", seed, i, document.At, last)
			}
			last = document.At
			if seen[string(document.Body)] {
				repeated++
			}
			seen[string(document.Body)] = true
			decoded.Reset()
			err := decoder.Decode(&decoded, document.Body, "")
			if (err != nil) != document.Wrong {
				t.Fatalf("seed %d: document %d: error %v, wrong %t", seed, i, err, document.Wrong)
			}
			if document.Wrong {
				wrong++
				continue
			}
			if document.Corrects >= 0 {
				corrections++
				if document.Corrects >= i || !day.Documents[document.Corrects].Wrong {
					t.Errorf("seed %d: document %d corrects %d", seed, i, document.Corrects)
				}
			}
			if len(decoded.Records) != document.Sheets {
				t.Errorf("seed %d: document %d has %d records and says %d", seed, i, len(decoded.Records), document.Sheets)
			}
			sheets += document.Sheets
			tests[document.Test]++
			schools[document.School] = true
		}
		t.Logf("seed %d: %d documents, %d sheets, %d wrong, %d corrections, %d repeated, %v; question %s of %s", seed, len(day.Documents), sheets, wrong, corrections, repeated, last, day.Question, day.Test)
		if sheets < 2000 || len(tests) != 7 || len(schools) != 6 || wrong < 3 || corrections < 2 || repeated == 0 || last < time.Hour || last > 2*time.Hour {
			t.Errorf("seed %d: %d sheets, tests %v, %d schools, %d wrong, %d corrections, %d repeated, %v", seed, sheets, tests, len(schools), wrong, corrections, repeated, last)
		}
	}
}

func TestSameSeedSameDay(t *testing.T) {
	t.Parallel()
	a, b, c := mustNew(t, 5), mustNew(t, 5), mustNew(t, 6)
	differ := 0
	for i := range a.Documents {
		if string(a.Documents[i].Body) != string(b.Documents[i].Body) || a.Documents[i].At != b.Documents[i].At {
			t.Fatalf("document %d differs", i)
		}
		if i < len(c.Documents) && string(a.Documents[i].Body) != string(c.Documents[i].Body) {
			differ++
		}
	}
	if differ == 0 {
		t.Error("another seed is the same day")
	}
}

// The one question of the day whose key is wrong is credited to the weak, when two in
// five of its papers are in; every other question of the day to the able, in the end.
func TestOneWrongKey(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2} {
		day := mustNew(t, seed)
		papers := 0
		for _, document := range day.All() {
			if document.Test == day.Test {
				papers++
			}
		}
		for _, tt := range []struct {
			name string
			test string // empty: all
			most int    // documents of it
		}{{"early", day.Test, papers * 2 / 5}, {"in the end", "", len(day.Documents)}} {
			backwards := make(map[string]bool)
			for test, correlations := range itemRest(t, day, tt.test, tt.most) {
				for question, r := range correlations {
					if r < 0 {
						backwards[test+" "+question] = true
					}
				}
			}
			wrong := day.Test + " " + day.Question
			if !backwards[wrong] {
				t.Errorf("seed %d, %s: question %s does not run backwards", seed, tt.name, wrong)
			}
			if tt.test == "" && len(backwards) != 1 {
				t.Errorf("seed %d, %s: %v run backwards, want %s alone", seed, tt.name, backwards, wrong)
			}
		}
	}
}

// sheet is a record as encoding/xml sees it.
type sheet struct {
	Student string `xml:"student-number"`
	Test    string `xml:"test-id"`
	Answers []struct {
		Question string `xml:"question,attr"`
		Awarded  int    `xml:"marks-awarded,attr"`
	} `xml:"answer"`
	Summary struct {
		Obtained int `xml:"obtained,attr"`
	} `xml:"summary-marks"`
}

// itemRest is the sign of each question's correlation with the rest, by test, by
// definition, over the best sheet of each student in so many documents.
func itemRest(t *testing.T, day *examday.Day, test string, most int) map[string]map[string]int {
	t.Helper()
	best := make(map[string]sheet)
	questions := make(map[string]map[string]int)
	read := 0
	for _, document := range day.All() {
		if document.Wrong || test != "" && document.Test != test || read == most {
			continue
		}
		read++
		var parsed struct {
			Results []sheet `xml:"mcq-test-result"`
		}
		if err := xml.Unmarshal(document.Body, &parsed); err != nil {
			t.Fatal(err)
		}
		for _, s := range parsed.Results {
			key := s.Test + " " + s.Student
			if kept, known := best[key]; !known || s.Summary.Obtained > kept.Summary.Obtained {
				best[key] = s
			}
			if questions[s.Test] == nil {
				questions[s.Test] = make(map[string]int)
			}
			for _, a := range s.Answers {
				questions[s.Test][a.Question] = 0
			}
		}
	}
	for test, signs := range questions {
		for question := range signs {
			n, x, rest, product := 0, 0, 0, 0
			for _, s := range best {
				if s.Test != test {
					continue
				}
				mark, total := 0, 0
				for _, a := range s.Answers {
					total += a.Awarded
					if a.Question == question {
						mark = a.Awarded
					}
				}
				n, x, rest, product = n+1, x+mark, rest+total-mark, product+mark*(total-mark)
			}
			signs[question] = cmp.Compare(n*product, x*rest)
		}
	}
	return questions
}
