package main_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"markr/wal/entry"
)

var killRounds = flag.Int("kill.rounds", 0, "rounds of TestKill and TestKillAmidCheckpoints each; 0: 3, with -long 20")

// lifeRounds is how often a data directory is brought down before the next one
// begins. Each round looks at everything there is, so the work grows with its square.
const lifeRounds = 25

// TestKill kills the real program with SIGKILL, at random instants, while eight
// clients post documents of 1 to 300 records with overlapping students, among
// them documents that must be refused and documents that were posted before; then
// starts it again on the same directory, and so on. After every start:
//
//  1. every acknowledged document is there, whole, with its bytes and its outcome;
//  2. every document that was not acknowledged is there whole or not at all, and
//     stays what it is from then on;
//  3. every statistic of every test is what a naive model computes from the
//     documents that are there, and there is no other test;
//  4. nothing but `markr serve` was needed, and one more import works.
//
// Some starts are killed too, before they are ready.
func TestKill(t *testing.T) {
	t.Parallel()
	killInLives(t, theProgram)
}

// TestKillAmidCheckpoints is TestKill with a program that is nearly always writing a
// checkpoint.
func TestKillAmidCheckpoints(t *testing.T) {
	t.Parallel()
	if from := killInLives(t, checkpointing); from == 0 {
		t.Error("no start took up a checkpoint: the test has tested nothing")
	}
}

// killInLives kills a program in so many rounds, in lives of lifeRounds, and returns
// how many starts took up a checkpoint.
func killInLives(t *testing.T, program string) (fromCheckpoint int) {
	t.Helper()
	seed, rounds := drawSeed(t), *killRounds
	if rounds == 0 {
		rounds = 3
		if *long {
			rounds = 20
		}
	}
	var all tally
	for life := uint64(0); rounds > 0; life++ {
		h := newKilling(t, seed+life, t.TempDir())
		h.program = program
		h.live(min(rounds, lifeRounds))
		all.add(&h.tally)
		rounds -= lifeRounds
	}
	t.Log(&all)
	return all.fromCheckpoint
}

const killClients = 8

// killing is the state of a TestKill.
type killing struct {
	t       judge
	seed    uint64
	random  *rand.Rand
	dir     string
	program string
	crash   func(*process) // brings a program under load down; default SIGKILL
	paper   func(seed uint64, number int) *paper
	http    *http.Client

	mu   sync.Mutex // guards next and fate while clients run
	next int
	fate map[int]*fate // by document number
	tally
}

// tally counts what a killing has seen.
type tally struct {
	kills, startsKilled, fromCheckpoint int
	answers, duplicates                 int
	accepted, refused, absent           int // counted at the end of a life
}

func (t *tally) add(other *tally) {
	t.kills += other.kills
	t.startsKilled += other.startsKilled
	t.fromCheckpoint += other.fromCheckpoint
	t.answers += other.answers
	t.duplicates += other.duplicates
	t.accepted += other.accepted
	t.refused += other.refused
	t.absent += other.absent
}

// String is for people who wonder how much a test has seen.
func (t *tally) String() string {
	return fmt.Sprintf("brought down %d times under load and %d times while starting, %d starts took up a checkpoint; "+
		"%d answers, %d documents accepted and %d refused are there, %d were lost before they were acknowledged; %d posted again",
		t.kills, t.startsKilled, t.fromCheckpoint, t.answers, t.accepted, t.refused, t.absent, t.duplicates)
}

func newKilling(t judge, seed uint64, dir string) *killing {
	t.Helper()
	return &killing{
		t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 0)), dir: dir,
		program: theProgram, crash: (*process).kill, paper: newPaper,
		http: newHTTPClient(t), fate: make(map[int]*fate),
	}
}

// live is the life of a data directory: up and down in so many rounds, and a gentle
// end.
func (h *killing) live(rounds int) {
	h.t.Helper()
	for range rounds {
		h.killWhileStarting()
		p := h.serve()
		h.verify(p.url, false)
		h.oneMore(p.url)
		h.killUnderLoad(p)
	}
	p := h.serve()
	h.verify(p.url, true)
	h.oneMore(p.url)
	if code := p.stop(h.t); code != 0 {
		h.t.Errorf("the last server exits with %d", code)
	}
	h.sum()
}

// serve starts the program and waits until it is ready.
func (h *killing) serve() *process {
	h.t.Helper()
	p := launchProgram(h.t, nil, h.program, serveArguments("--data-dir", h.dir)...)
	p.awaitReady(h.t)
	if at := p.attribute("checkpoint"); at != "" && at != "0" {
		h.fromCheckpoint++
	}
	return p
}

// verdict is what is known about a document.
type verdict int

const (
	unknown  verdict = iota // no answer came
	accepted                // acknowledged, or found there after a crash
	refused                 // told so, or found there after a crash
	absent                  // not there after a crash
)

// fate is what became of a document.
type fate struct {
	paper   *paper
	verdict verdict
	id      string // import id, when one was told or found
	digest  string // once it has been asked for
	checked bool   // its bytes were compared
}

// imported is an import as the server lists it.
type imported struct {
	ID          string  `json:"id"`
	Position    int     `json:"position"`
	Outcome     string  `json:"outcome"`
	Digest      string  `json:"digest"`
	Records     int     `json:"records"`
	DuplicateOf *string `json:"duplicate_of"`
}

// killWhileStarting kills the program before it is ready, now and then.
func (h *killing) killWhileStarting() {
	h.t.Helper()
	for h.random.IntN(3) == 0 {
		p := launchProgram(h.t, nil, h.program, serveArguments("--data-dir", h.dir)...)
		select {
		case <-p.ready:
		case <-time.After(time.Duration(h.random.IntN(60)) * time.Millisecond):
		}
		h.crash(p)
		h.startsKilled++
	}
}

// killUnderLoad lets the clients post until the program is killed.
func (h *killing) killUnderLoad(p *process) {
	h.t.Helper()
	var clients sync.WaitGroup
	for i := range killClients {
		random := rand.New(rand.NewPCG(h.random.Uint64(), uint64(i)))
		clients.Go(func() { h.client(p.url, random) })
	}
	// The instant is what the test is about; whatever it is, it must be survived.
	time.Sleep(time.Duration(5+h.random.IntN(400)) * time.Millisecond)
	h.crash(p)
	h.kills++
	clients.Wait()
}

// client posts until nobody answers, or until it is told that the server stops.
func (h *killing) client(server string, random *rand.Rand) {
	for {
		f, again := h.pick(random)
		status, body, err := post(h.http, server, f.paper.raw)
		if err != nil || status == http.StatusServiceUnavailable {
			return // What was under way stays unknown.
		}
		h.learn(f, status, body, again)
	}
}

// awaitAnswers waits until the clients have had some answers.
func (h *killing) awaitAnswers(some int) {
	h.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		h.mu.Lock()
		enough := h.answers >= some
		h.mu.Unlock()
		if enough {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("fewer than %d answers in %v", some, patience)
		}
	}
}

// pick returns a new document, or, now and then, one whose fate is known. One that
// was lost is unknown again from here on, and so nobody else gets it meanwhile.
func (h *killing) pick(random *rand.Rand) (f *fate, again bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.next > 0 && random.IntN(8) == 0 {
		if f := h.fate[random.IntN(h.next)]; f != nil && f.verdict != unknown {
			if f.verdict == absent {
				f.verdict = unknown
			}
			return f, f.verdict == accepted
		}
	}
	f = &fate{paper: h.paper(h.seed, h.next)}
	h.fate[h.next] = f
	h.next++
	return f, false
}

// learn notes an answer, and checks that it is one that may be given.
func (h *killing) learn(f *fate, status int, body []byte, again bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers++
	var told struct {
		ImportID    string  `json:"import_id"`
		Records     int     `json:"records"`
		DuplicateOf *string `json:"duplicate_of"`
	}
	if err := json.Unmarshal(body, &told); err != nil || told.ImportID == "" {
		h.t.Errorf("document %d: status %d without an import id: %s", f.paper.number, status, body)
		return
	}
	switch {
	case status == http.StatusOK && !f.paper.bad:
		if told.Records != len(f.paper.records) {
			h.t.Errorf("document %d has %d records, the receipt says %d", f.paper.number, len(f.paper.records), told.Records)
		}
		if again && (told.DuplicateOf == nil || *told.DuplicateOf != f.id) {
			h.t.Errorf("document %d again: duplicate_of is %v, want %s", f.paper.number, told.DuplicateOf, f.id)
		}
		if again {
			h.duplicates++
			return // The first import is the one that counts.
		}
		if told.DuplicateOf != nil {
			h.t.Errorf("document %d was never acknowledged and is a duplicate of %s", f.paper.number, *told.DuplicateOf)
		}
		f.verdict, f.id = accepted, told.ImportID
	case status == http.StatusUnprocessableEntity && f.paper.bad:
		f.verdict, f.id = refused, told.ImportID
	default:
		h.t.Errorf("document %d (bad: %v): status %d: %s", f.paper.number, f.paper.bad, status, body)
	}
}

// verify compares everything a server says with what is known.
func (h *killing) verify(server string, thorough bool) {
	h.t.Helper()
	imports := h.listImports(server)
	byDigest := make(map[string]imported) // the first of each
	byID := make(map[string]imported)
	for _, i := range imports {
		byID[i.ID] = i
		if first, seen := byDigest[i.Digest]; !seen || first.Position > i.Position {
			byDigest[i.Digest] = i
		}
	}
	naive := newModel()
	for _, number := range slices.Sorted(maps.Keys(h.fate)) {
		f := h.fate[number]
		if f.digest == "" {
			digest := digestOf(h.t, f.paper.raw)
			f.digest = hex.EncodeToString(digest[:])
		}
		found, there := byDigest[f.digest]
		if h.decide(f, found, there); f.verdict == absent {
			continue
		}
		if told, ok := byID[f.id]; !ok || told.Digest != found.Digest {
			h.t.Errorf("document %d: import %s is not listed, or is about other bytes", number, f.id)
		}
		if !f.checked || thorough {
			h.checkDocument(server, f)
		}
		if f.verdict == accepted {
			naive.add(f.paper)
		}
	}
	h.compare(server, naive)
	if h.t.Failed() {
		h.t.FailNow() // What follows would only repeat it.
	}
}

var newCodec = sync.OnceValues(entry.NewCodec) // It is safe for concurrent use.

// digestOf is the digest that the server names a document by.
func digestOf(t tester, raw []byte) entry.Digest {
	t.Helper()
	codec, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	return codec.Seal(entry.Header{}, raw).Digest
}

// decide holds what is there against what is known, and makes known what was not.
func (h *killing) decide(f *fate, found imported, there bool) {
	h.t.Helper()
	want := "accepted"
	if f.paper.bad {
		want = "refused"
	}
	if there && found.Outcome != want {
		h.t.Errorf("document %d is there as %s, want %s", f.paper.number, found.Outcome, want)
	}
	switch f.verdict {
	case accepted, refused:
		if !there {
			h.t.Errorf("document %d was answered as import %s and is gone", f.paper.number, f.id)
		}
	case absent:
		if there {
			h.t.Errorf("document %d was not there after a crash and is there now", f.paper.number)
		}
	case unknown:
		f.verdict = absent
		if there {
			f.verdict, f.id = accepted, found.ID
			if f.paper.bad {
				f.verdict = refused
			}
		}
	}
}

// checkDocument compares the bytes that the server kept.
func (h *killing) checkDocument(server string, f *fate) {
	h.t.Helper()
	status, body, err := get(h.http, server+"/imports/"+f.id+"/document")
	if err != nil || status != http.StatusOK || !bytes.Equal(body, f.paper.raw) {
		h.t.Errorf("document %d, import %s: status %d, %v, and %d bytes that are not the %d posted",
			f.paper.number, f.id, status, err, len(body), len(f.paper.raw))
	}
	f.checked = true
}

// compare holds every test the server knows against the model.
func (h *killing) compare(server string, naive *model) {
	h.t.Helper()
	var listed []string
	for cursor := ""; ; {
		var page struct {
			Tests []struct {
				ID    string
				Count int
				Mean  float64
			}
			Next *string `json:"next_cursor"`
		}
		getJSON(h.t, h.http, server+"/results?limit=1000"+cursor, &page)
		for _, test := range page.Tests {
			listed = append(listed, test.ID)
			if naive.obtained[test.ID] == nil {
				h.t.Errorf("test %q is there, and no document about it", test.ID)
				continue
			}
			// For a document's own test these two say whether it is whole.
			if want := naive.aggregate(test.ID); test.Count != want.Count || test.Mean != want.Mean {
				h.t.Errorf("test %q has %d students with mean %v, want %d with %v", test.ID, test.Count, test.Mean, want.Count, want.Mean)
			}
		}
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(*page.Next)
	}
	want := slices.Sorted(maps.Keys(naive.obtained))
	if slices.Sort(listed); !slices.Equal(listed, want) {
		h.t.Errorf("%d tests are listed, want %d", len(listed), len(want))
	}
	for i := range sharedTests {
		test := fmt.Sprintf("shared-%d", i)
		if naive.obtained[test] == nil {
			continue
		}
		var got figures
		getJSON(h.t, h.http, server+"/results/"+test+"/aggregate", &got)
		if want := naive.aggregate(test); got != want {
			h.t.Errorf("test %q: %+v, want %+v", test, got, want)
		}
	}
}

// listImports returns every import, newest first, and checks that no position is
// missing.
func (h *killing) listImports(server string) []imported {
	h.t.Helper()
	var all []imported
	for cursor := ""; ; {
		var page struct {
			Imports []imported
			Next    *string `json:"next_cursor"`
		}
		getJSON(h.t, h.http, server+"/imports?limit=1000"+cursor, &page)
		all = append(all, page.Imports...)
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(*page.Next)
	}
	for i, one := range all {
		if want := len(all) - i; one.Position != want {
			h.t.Fatalf("position %d is followed by %d", want, one.Position)
		}
	}
	return all
}

// oneMore posts a document to a server that has just recovered: it is not
// recovered before it accepts again.
func (h *killing) oneMore(server string) {
	h.t.Helper()
	for {
		f, _ := h.pick(rand.New(rand.NewPCG(h.random.Uint64(), 0)))
		if f.verdict != unknown {
			continue
		}
		status, body, err := post(h.http, server, f.paper.raw)
		if err != nil {
			h.t.Fatalf("one more import: %v", err)
		}
		if h.learn(f, status, body, false); !f.paper.bad {
			return
		}
	}
}

// sum counts what became of the documents.
func (h *killing) sum() {
	h.t.Helper()
	count := make(map[verdict]int)
	for _, f := range h.fate {
		count[f.verdict]++
	}
	h.accepted, h.refused, h.absent = count[accepted], count[refused], count[absent]
	if h.accepted == 0 || h.refused == 0 {
		h.t.Error("nothing was accepted, or nothing refused: the test has tested nothing")
	}
}
