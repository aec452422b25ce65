package main_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// chronicle records histories of one data directory.
type chronicle struct {
	t    *testing.T
	seed uint64
	dir  string
	http *http.Client

	kills, pauses, unanswered, effective int

	mu struct {
		sync.Mutex

		server   *process
		replaced chan struct{} // closed when there is another server
		begun    int           // operations, of the history under way
		done     []noted
	}
}

// noted is an operation with what is needed to find out about its effect.
type noted struct {
	porcupine.Operation

	document []byte // of an import
}

func newChronicle(t *testing.T, seed uint64) *chronicle {
	t.Helper()
	c := &chronicle{t: t, seed: seed, dir: t.TempDir(), http: newHTTPClient(t)}
	c.replace()
	return c
}

// replace starts a server, in place of the one before if there was one.
func (c *chronicle) replace() {
	p := serve(c.t, c.dir)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.replaced != nil {
		close(c.mu.replaced)
	}
	c.mu.server, c.mu.replaced = p, make(chan struct{})
}

// record records a history of about so many operations, through so many kills and
// pauses at instants of chance.
func (c *chronicle) record(number, operations, kills, pauses int) []porcupine.Operation {
	c.t.Helper()
	random := rand.New(rand.NewPCG(c.seed, uint64(number)))
	before := c.last()
	c.mu.begun, c.mu.done = 0, nil
	start := time.Now()
	var clients sync.WaitGroup
	for id := range historyClients {
		w := &witness{
			c: c, id: id, number: number, operations: operations, start: start,
			random: rand.New(rand.NewPCG(c.seed, uint64(number*historyClients+id+1))),
		}
		clients.Go(w.run)
	}
	faults := kills + pauses
	for i, fault := range random.Perm(faults) {
		// One in each part of the history, somewhere.
		c.awaitBegun((i*operations + random.IntN(operations)) / (faults + 1))
		if fault < kills {
			c.mu.server.kill()
			c.replace()
			c.kills++
			continue
		}
		c.pause(time.Duration(random.IntN(20)) * time.Millisecond)
	}
	clients.Wait()
	return c.settle(before)
}

// awaitBegun waits until so many operations have begun.
func (c *chronicle) awaitBegun(operations int) {
	for {
		c.mu.Lock()
		enough := c.mu.begun >= operations
		c.mu.Unlock()
		if enough {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// pause stops the server's threads for a while.
func (c *chronicle) pause(d time.Duration) {
	c.t.Helper()
	server := c.mu.server.cmd.Process
	if err := server.Signal(syscall.SIGSTOP); err != nil {
		c.t.Fatal(err)
	}
	time.Sleep(d)
	if err := server.Signal(syscall.SIGCONT); err != nil {
		c.t.Fatal(err)
	}
	c.pauses++
}

// settle drops what has had no effect and was not answered. Nothing of it was seen,
// or the rest of the history does not explain itself.
func (c *chronicle) settle(before int) (history []porcupine.Operation) {
	c.t.Helper()
	there := c.since(before)
	for _, o := range c.mu.done {
		if o.document != nil && !o.Output.(effects).known {
			c.unanswered++
			if !there[digestText(c.t, o.document)] {
				continue
			}
			c.effective++
		}
		history = append(history, o.Operation)
	}
	return history
}

// last is the newest position.
func (c *chronicle) last() int {
	c.t.Helper()
	var page struct{ Imports []imported }
	getJSON(c.t, c.http, c.mu.server.url+"/imports?limit=1", &page)
	if len(page.Imports) == 0 {
		return 0
	}
	return page.Imports[0].Position
}

// since lists the digests of the imports after a position.
func (c *chronicle) since(position int) map[string]bool {
	c.t.Helper()
	there := make(map[string]bool)
	for cursor := ""; ; {
		var page struct {
			Imports []imported
			Next    *string `json:"next_cursor"`
		}
		getJSON(c.t, c.http, c.mu.server.url+"/imports?limit=1000"+cursor, &page)
		for _, one := range page.Imports {
			if one.Position <= position {
				return there
			}
			there[one.Digest] = true
		}
		if page.Next == nil {
			return there
		}
		cursor = "&cursor=" + url.QueryEscape(*page.Next)
	}
}

// witness is a client that notes what it did, when, and what it was told.
type witness struct {
	c                      *chronicle
	id, number, operations int
	start                  time.Time
	random                 *rand.Rand
	sent                   []noted // what it has imported and was told of
}

func (w *witness) run() {
	for {
		w.c.mu.Lock()
		n, server, replaced := w.c.mu.begun, w.c.mu.server, w.c.mu.replaced
		w.c.mu.begun++
		w.c.mu.Unlock()
		if n >= w.operations {
			return
		}
		o := w.choose(n)
		o.ClientId, o.Call = w.id, time.Since(w.start).Nanoseconds()
		answered := w.do(server, &o)
		if !answered {
			select {
			case <-replaced: // Whatever of it took effect has done so by now.
			case <-time.After(patience):
				w.c.t.Errorf("no answer from a server that nobody has killed")
				return
			}
		}
		o.Return = time.Since(w.start).Nanoseconds()
		if o.document == nil && !answered {
			continue // A read that has seen nothing.
		}
		if o.document != nil && answered { // Of the others the digest must tell whether they took effect.
			w.sent = append(w.sent, o)
		}
		w.c.mu.Lock()
		w.c.mu.done = append(w.c.mu.done, o)
		w.c.mu.Unlock()
	}
}

// choose is the next operation: an import, one of its own again, or a read. Marks rise
// as the history goes on, so that there is always something to be seen.
func (w *witness) choose(n int) (o noted) {
	test := fmt.Sprintf("history-%d-%d", w.number, w.random.IntN(historyTests))
	switch w.random.IntN(20) {
	case 0:
		if len(w.sent) > 0 {
			return w.sent[w.random.IntN(len(w.sent))]
		}
	case 1, 2, 3, 4, 5, 6, 7, 8, 9:
		o.Input = look{test}
		return o
	}
	in := scans{test: test}
	for range 1 + w.random.IntN(3) {
		in.of[w.random.IntN(historyStudents)] = uint8(1 + w.random.IntN(1+100*n/w.operations))
	}
	o.Input, o.document = in, in.document(n)
	return o
}

// do does it, and notes the answer.
func (w *witness) do(server *process, o *noted) (answered bool) {
	if o.document == nil {
		status, body, err := get(w.c.http, server.url+"/results/"+testOf(o.Input)+"/aggregate")
		o.Output = w.seen(status, body, err)
		return err == nil
	}
	status, body, err := post(w.c.http, server.url, o.document)
	var receipt struct {
		Added     int `json:"students_added"`
		Raised    int `json:"marks_raised"`
		Unchanged int `json:"unchanged"`
	}
	if err != nil {
		o.Output = effects{}
		return false
	}
	if err := json.Unmarshal(body, &receipt); err != nil || status != http.StatusOK {
		w.c.t.Errorf("import: status %d, %v: %s", status, err, body)
	}
	o.Output = effects{known: true, added: receipt.Added, raised: receipt.Raised, unchanged: receipt.Unchanged}
	return true
}

func (w *witness) seen(status int, body []byte, err error) seen {
	var f figures
	switch {
	case err != nil, status == http.StatusNotFound:
		return seen{}
	case status == http.StatusOK:
		err = json.Unmarshal(body, &f)
	}
	if err != nil || status != http.StatusOK {
		w.c.t.Errorf("read: status %d, %v: %s", status, err, body)
	}
	return seen{count: f.Count, mean: f.Mean, least: f.Min, most: f.Max, half: f.P50}
}
