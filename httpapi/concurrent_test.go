package httpapi_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
)

// classes is the naive model: the highest obtained of each student of each test,
// and the highest available of each test.
type classes struct {
	mu struct {
		sync.Mutex
		obtained  map[string]map[string]int
		available map[string]int
	}
}

func (c *classes) add(test, student string, obtained, available int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.obtained[test] == nil {
		c.mu.obtained[test] = make(map[string]int)
	}
	c.mu.obtained[test][student] = max(c.mu.obtained[test][student], obtained)
	c.mu.available[test] = max(c.mu.available[test], available)
}

// figures is what of an aggregate the model can tell without rounding.
type figures struct {
	Min, Max float64
	Count    int
}

func (c *classes) figures(test string) figures {
	c.mu.Lock()
	defer c.mu.Unlock()
	lowest, highest := -1, 0
	for _, obtained := range c.mu.obtained[test] {
		if lowest < 0 || obtained < lowest {
			lowest = obtained
		}
		highest = max(highest, obtained)
	}
	percent := func(obtained int) float64 { return float64(100*obtained) / float64(c.mu.available[test]) }
	return figures{percent(lowest), percent(highest), len(c.mu.obtained[test])}
}

// TestWritersAndReaders: eight writers whose students overlap and eight readers.
// The result is that of a naive model; no reader ever sees a count go down; a
// writer sees its own document on any connection as soon as it is acknowledged.
func TestWritersAndReaders(t *testing.T) {
	t.Parallel()
	const writers, readers, documents, tests, students = 8, 8, 40, 3, 60
	b := newBorder(t, nil)
	seeds := newRandom(t)
	model := &classes{}
	model.mu.obtained, model.mu.available = make(map[string]map[string]int), make(map[string]int)

	stop := make(chan struct{})
	var reading, writing sync.WaitGroup
	for range readers {
		reading.Go(func() { readUntil(t, b, stop, tests) })
	}
	for writer := range writers {
		random := rand.New(rand.NewPCG(seeds.Uint64(), 0))
		writing.Go(func() {
			for n := range documents {
				var sheets []string
				marker := fmt.Sprintf("own-%d-%d", writer, n)
				for i := range 1 + random.IntN(30) {
					test, student := strconv.Itoa(random.IntN(tests)), strconv.Itoa(random.IntN(students))
					available := 16 + random.IntN(5)
					obtained := random.IntN(available + 1)
					if i == 0 {
						test = marker
					}
					sheets = append(sheets, sheet(test, student, obtained, available))
					model.add(test, student, obtained, available)
				}
				if got := b.post(t, document(sheets...)); got.StatusCode != http.StatusOK {
					t.Errorf("import: %s %s", got.Status, got.body)
				}
				if got := b.get(t, "/results/"+marker+"/aggregate"); got.StatusCode != http.StatusOK {
					t.Errorf("%s is acknowledged and not there: %s", marker, got.Status)
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	for test := range tests {
		name := strconv.Itoa(test)
		var got figures
		body := b.get(t, "/results/"+name+"/aggregate").want(t, 200).body
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if want := model.figures(name); got != want {
			t.Errorf("test %s: %+v, want %+v", name, got, want)
		}
	}
}

// readUntil reads aggregates until stop is closed, and checks that they only
// ever grow.
func readUntil(t *testing.T, b *border, stop chan struct{}, tests int) {
	t.Helper()
	counts := make([]int, tests)
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		test := i % tests
		got := b.get(t, fmt.Sprintf("/results/%d/aggregate", test))
		if got.StatusCode == http.StatusNotFound && counts[test] == 0 {
			continue
		}
		var now figures
		if err := json.Unmarshal([]byte(got.body), &now); err != nil || got.StatusCode != http.StatusOK {
			t.Errorf("%s %s: %v", got.Status, got.body, err)
			return
		}
		if now.Count < counts[test] {
			t.Errorf("test %d: the count went from %d to %d", test, counts[test], now.Count)
		}
		counts[test] = now.Count
	}
}
