package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestKillReprocess kills the real program with SIGKILL at random instants of a
// reprocess, while documents are imported, and starts it again on the same directory.
// After every start the rule in force is the one before or the one that was being
// committed, that one if the commit was acknowledged, and every figure is what this
// rule makes of the documents that are there: never a mix.
func TestKillReprocess(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(drawSeed(t), 0))
	rounds := 4
	if *long {
		rounds = 20
	}
	k := &reprocessKilling{t: t, random: random, dir: t.TempDir(), client: newHTTPClient(t), rule: "highest"}
	for range rounds {
		k.round()
	}
	t.Logf("%d starts under the rule before, %d under the new one, %d commits were acknowledged", k.before, k.after, k.acknowledged)
	if k.before+k.after == 0 {
		t.Error("no reprocess was killed")
	}
}

type reprocessKilling struct {
	t      *testing.T
	random *rand.Rand
	dir    string
	client *http.Client
	rule   string // in force

	students                    int // whose first scan was acknowledged
	before, after, acknowledged int
}

// round is one life of a program.
func (k *reprocessKilling) round() {
	t := k.t
	t.Helper()
	p := serve(t, k.dir)
	k.verify(p.url, k.rule)
	var importing sync.WaitGroup
	importing.Go(func() { k.importUntilKilled(p) })
	next := map[string]string{"highest": "first", "first": "highest"}[k.rule]
	committed := make(chan bool, 1)
	go func() { committed <- k.reprocess(p, next) }()
	// From before it has read anything to after it was committed.
	after := time.Duration(k.random.IntN(1+k.random.IntN(300))) * time.Millisecond
	timer := time.NewTimer(after)
	defer timer.Stop()
	<-timer.C
	p.kill()
	importing.Wait()
	acknowledged := <-committed

	p = serve(t, k.dir)
	var state struct {
		InForce struct{ Scoring string } `json:"in_force"`
	}
	getJSON(t, k.client, p.url+"/admin/reprocess", &state)
	switch got := state.InForce.Scoring; {
	case got == next:
		k.after++
	case got != k.rule || acknowledged:
		t.Fatalf("killed after %v: in force is %s, before it was %s, the commit of %s was acknowledged: %v", after, got, k.rule, next, acknowledged)
	default:
		k.before++
	}
	if acknowledged {
		k.acknowledged++
	}
	k.rule = state.InForce.Scoring
	k.verify(p.url, k.rule)
	if code := p.stop(t); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// importUntilKilled imports two scans of one student after the other, a bad one and a
// good one, in two tests at once.
func (k *reprocessKilling) importUntilKilled(p *process) {
	for {
		for _, obtained := range []int{5, 15} {
			record := func(test string) string {
				return fmt.Sprintf(`<mcq-test-result><student-number>%d</student-number><test-id>%s</test-id><summary-marks available="20" obtained="%d"/></mcq-test-result>`,
					k.students, test, obtained)
			}
			document := "<mcq-test-results>" + record("left") + record("right") + "</mcq-test-results>"
			if status, _, err := post(k.client, p.url, []byte(document)); err != nil || status != http.StatusOK {
				return
			}
		}
		k.students++
	}
}

// reprocess goes through a reprocess, as long as the program is there, and says whether
// the commit was acknowledged.
func (k *reprocessKilling) reprocess(p *process, rule string) (acknowledged bool) {
	send := func(path, words string) (int, error) {
		response, err := k.client.Post(p.url+"/admin/reprocess"+path, "application/json", bytes.NewReader([]byte(words)))
		status, _, err := read(response, err)
		return status, err
	}
	if status, err := send("", fmt.Sprintf(`{"scoring":%q}`, rule)); err != nil || status != http.StatusOK {
		return false
	}
	for {
		status, err := send("/commit", "")
		switch {
		case err != nil:
			return false
		case status == http.StatusOK:
			return true
		case status != http.StatusConflict: // It is still reading.
			k.t.Errorf("commit: status %d", status)
			return false
		}
	}
}

// verify checks both tests against what the rule makes of the documents.
func (k *reprocessKilling) verify(url, rule string) {
	k.t.Helper()
	if k.students == 0 {
		return
	}
	var left, right struct {
		Count int
		Mean  float64
	}
	getJSON(k.t, k.client, url+"/results/left/aggregate", &left)
	getJSON(k.t, k.client, url+"/results/right/aggregate", &right)
	// The last student may have one scan, two or none that was not acknowledged.
	n := left.Count
	bad, good := 25.0, 75.0
	wanted := []float64{bad}
	if rule == "highest" {
		wanted = []float64{good, (good*float64(n-1) + bad) / float64(n)}
	}
	matches := false
	for _, want := range wanted {
		matches = matches || math.Abs(left.Mean-want) < 1e-9
	}
	if left != right || !matches || n < k.students || n > k.students+1 {
		told, _ := json.Marshal([]any{left, right}) // Numbers always encode.
		k.t.Fatalf("under %s: %s, want %d students with a mean of one of %v", rule, told, k.students, wanted)
	}
}
