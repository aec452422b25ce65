package main_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

var historyCount = flag.Int("history.count", 0, "histories of TestHistories; 0: 3 of 300 operations, with -long 20 of 1000; else so many of 1000")

// TestHistories has eight clients import and read through kills and pauses of the
// server, and asks porcupine whether what they were told could have happened one
// after the other on one machine that never fails: every import took effect in one
// instant between its request and its answer, and every read saw all of them up to
// an instant of its own. Whether an import without an answer took effect is known
// afterwards; one that did not must never have been seen.
func TestHistories(t *testing.T) {
	t.Parallel()
	seed, count, operations := drawSeed(t), *historyCount, 1000
	switch {
	case count > 0:
	case *long:
		count = 20
	default:
		count, operations = 3, 300
	}
	c := newChronicle(t, seed)
	total := 0
	for number := range count {
		history := c.record(number, operations, 2, 2)
		total += len(history)
		if result := checkHistory(history); result != porcupine.Ok {
			t.Fatalf("history %d of %d operations: %s\n%s", number, len(history), result, told(history))
		}
	}
	t.Logf("%d histories, %d operations with an outcome, %d kills, %d pauses; %d imports without an answer, of which %d took effect",
		count, total, c.kills, c.pauses, c.unanswered, c.effective)
	if c.kills == 0 || c.pauses == 0 {
		t.Error("nobody was killed, or nobody paused: the test has tested nothing")
	}
}

// The negative control: a proxy that now and then repeats an older answer to a read
// is caught.
func TestHistoriesSeeStaleReads(t *testing.T) {
	t.Parallel()
	c := newChronicle(t, drawSeed(t))
	c.http.Transport = &stale{RoundTripper: c.http.Transport, last: make(map[string][]byte), random: rand.New(rand.NewPCG(c.seed, 0))}
	if result := checkHistory(c.record(0, 1000, 0, 0)); result != porcupine.Illegal {
		t.Errorf("stale reads: %s, want %s", result, porcupine.Illegal)
	}
}

// stale is a cache that is not told when what it has is old.
type stale struct {
	http.RoundTripper

	mu     sync.Mutex
	last   map[string][]byte // by path
	random *rand.Rand
}

// RoundTrip is http.RoundTripper's.
func (s *stale) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := s.RoundTripper.RoundTrip(request)
	if err != nil || request.Method != http.MethodGet || response.StatusCode != http.StatusOK {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.last[request.URL.Path]; old != nil && s.random.IntN(20) == 0 {
		body = old
	}
	s.last[request.URL.Path] = body
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return response, nil
}

const (
	historyClients  = 8
	historyTests    = 3
	historyStudents = 8
)

// standing is what a test's students have: the highest obtained of 100, and one more,
// so that 0 says that there is no scan.
type standing [historyStudents]uint8

// scans are an import about one test: what each student has obtained in it.
type scans struct {
	test string
	of   standing // 0: not in the document
}

// effects are what the answer to an import says that it has done.
type effects struct {
	known                    bool // false: there was no answer
	added, raised, unchanged int
}

// look is a read of a test.
type look struct{ test string }

// seen is what a read has seen, all zero for a test that is not there.
type seen struct {
	count                   int
	mean, least, most, half float64
}

// exams is the model of one test.
var exams = porcupine.Model{
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		index := make(map[string]int)
		for _, operation := range history {
			test := testOf(operation.Input)
			at, known := index[test]
			if !known {
				at = len(parts)
				index[test] = at
				parts = append(parts, nil)
			}
			parts[at] = append(parts[at], operation)
		}
		return parts
	},
	Init: func() any { return standing{} },
	Step: func(state, input, output any) (bool, any) {
		now := state.(standing)
		if _, read := input.(look); read {
			return output.(seen) == now.look(), now
		}
		next, did := now.take(input.(scans).of)
		told := output.(effects)
		return !told.known || told == did, next
	},
}

func testOf(input any) string {
	if read, ok := input.(look); ok {
		return read.test
	}
	return input.(scans).test
}

// take is an import.
func (s standing) take(document standing) (standing, effects) {
	did := effects{known: true}
	for student, obtained := range document {
		switch had := s[student]; {
		case obtained == 0:
			continue
		case had == 0:
			did.added++
		case obtained > had:
			did.raised++
		default:
			did.unchanged++
		}
		s[student] = max(s[student], obtained)
	}
	return s, did
}

// look is a read.
func (s standing) look() seen {
	var marks []int
	sum := 0
	for obtained := 1; obtained <= 101; obtained++ { // In order.
		for _, o := range s {
			if int(o) == obtained {
				marks = append(marks, obtained-1)
				sum += obtained - 1
			}
		}
	}
	n := len(marks)
	if n == 0 {
		return seen{}
	}
	// Of 100 marks a percentage is the mark; sums are whole, halves exact.
	return seen{
		count: n, mean: float64(sum) / float64(n), least: float64(marks[0]), most: float64(marks[n-1]),
		half: float64(marks[(n-1)/2]+marks[n/2]) / 2,
	}
}

// document is the import as it is sent.
func (s scans) document(number int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- %d -->\n<mcq-test-results>\n", number) // No two are the same bytes.
	for student, obtained := range s.of {
		if obtained > 0 {
			fmt.Fprintf(&b, "<mcq-test-result><student-number>%d</student-number><test-id>%s</test-id>"+
				"<summary-marks available=\"100\" obtained=\"%d\"/></mcq-test-result>\n", student, s.test, obtained-1)
		}
	}
	b.WriteString("</mcq-test-results>\n")
	return []byte(b.String())
}

// checkHistory asks porcupine.
func checkHistory(history []porcupine.Operation) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(exams, history, patience)
}

// told lists what of a history does not explain itself: the end of the longest order
// that does, and what was under way or came next.
func told(history []porcupine.Operation) string {
	var b strings.Builder
	for _, part := range exams.Partition(history) {
		result, info := porcupine.CheckOperationsVerbose(exams, part, patience)
		if result == porcupine.Ok {
			continue
		}
		var longest []porcupine.Operation
		for _, partial := range info.PartialLinearizationsOperations()[0] {
			if len(partial) > len(longest) {
				longest = partial
			}
		}
		const context = 12
		fmt.Fprintf(&b, "%d of %d operations on %s explain themselves, at last:\n", len(longest), len(part), testOf(part[0].Input))
		explained, until := make(map[int64]bool), int64(0)
		for i, o := range longest {
			explained[o.Call] = true // Instants of nanoseconds: no two are the same.
			until = max(until, o.Call)
			if i >= len(longest)-context {
				describe(&b, o)
			}
		}
		b.WriteString("and not:\n")
		left := 0
		for _, o := range part {
			if !explained[o.Call] && (o.Call < until || left < context) {
				describe(&b, o)
				left++
			}
		}
	}
	return b.String()
}

func describe(b *strings.Builder, o porcupine.Operation) {
	fmt.Fprintf(b, "%v to %v, client %d: %+v: %+v\n", time.Duration(o.Call), time.Duration(o.Return), o.ClientId, o.Input, o.Output)
}

// digestText is how the server names a document.
func digestText(t tester, raw []byte) string {
	t.Helper()
	digest := digestOf(t, raw)
	return hex.EncodeToString(digest[:])
}
