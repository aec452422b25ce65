package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"markr/bench/cohort"
	"markr/bench/load"
)

// A prober imports documents of one record about tests of its own, one after the other,
// and listens to what is told of them. Documents are acknowledged with their position
// and a test's events say through which position they go, so every document has its
// event: the first one of its test that goes as far.
type prober struct {
	target load.Target
	every  time.Duration // from one document to the next
	gap    time.Duration // at least, after a document about the same test; 0: none
	cohort *cohort.Cohort
	client *http.Client
	stream *load.Stream
	listen sync.WaitGroup
	tests  map[string]int
	acked  [][]moment // by test: its documents
	mu     struct {
		sync.Mutex

		told [][]moment // by test: its events
		err  error      // why no more are told
	}
}

// moment is when a position was acknowledged or told.
type moment struct {
	position uint64
	at       time.Time
}

// newProber subscribes to so many tests.
func newProber(ctx context.Context, target load.Target, name string, tests int, every, gap time.Duration) (*prober, error) {
	p := &prober{
		target: target, every: every, gap: gap,
		client: &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}},
		tests:  make(map[string]int),
		acked:  make([][]moment, tests),
	}
	p.mu.told = make([][]moment, tests)
	options := cohort.Options{Tests: tests, Students: 1_000_000, RecordsPerDocument: 1}
	for i := range tests {
		options.TestIDs = append(options.TestIDs, name+"-"+strconv.Itoa(i))
		p.tests[options.TestIDs[i]] = i
	}
	var err error
	if p.cohort, err = cohort.New(options); err != nil {
		return nil, err
	}
	if p.stream, err = load.Subscribe(ctx, target, options.TestIDs); err != nil {
		return nil, err
	}
	p.listen.Go(p.hear)
	return p, nil
}

// hear notes when a test's events come, until the stream ends.
func (p *prober) hear() {
	for {
		event, err := p.stream.Next()
		at := time.Now()
		var about struct {
			TestID   string `json:"test_id"`
			Position uint64
		}
		if err == nil && event.Name == "aggregate" {
			err = json.Unmarshal(event.Data, &about)
		}
		p.mu.Lock()
		if i, ours := p.tests[about.TestID]; ours && err == nil {
			p.mu.told[i] = append(p.mu.told[i], moment{about.Position, at})
		}
		p.mu.err = err
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// probe imports documents until ctx is done.
func (p *prober) probe(ctx context.Context) error {
	began := time.Now()
	var document []byte
	for i := range p.cohort.Documents() {
		test := i % len(p.acked)
		due := began.Add(time.Duration(i) * p.every)
		if n := len(p.acked[test]); n > 0 && p.gap > 0 {
			if quiet := p.acked[test][n-1].at.Add(p.gap); quiet.After(due) {
				due = quiet
			}
		}
		if !sleptUntil(ctx, due) {
			return nil
		}
		document = p.cohort.AppendDocument(document[:0], i)
		// What was sent is answered, so that what was counted is known.
		acked, err := p.importOne(context.WithoutCancel(ctx), document)
		if err != nil {
			return fmt.Errorf("probe: %w", err)
		}
		p.acked[test] = append(p.acked[test], acked)
	}
	return errors.New("probe: no documents left")
}

// sleptUntil says whether the moment came before ctx was done.
func sleptUntil(ctx context.Context, moment time.Time) bool {
	select {
	case <-time.After(time.Until(moment)):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// importOne imports a document. It is acknowledged when the head of the 200 is there.
func (p *prober) importOne(ctx context.Context, document []byte) (acked moment, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.target.Host+"/import", bytes.NewReader(document))
	if err != nil {
		return acked, err
	}
	request.Header.Set("Content-Type", "text/xml+markr")
	response, err := p.client.Do(request)
	if err != nil {
		return acked, err
	}
	acked.at = time.Now()
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return acked, err
	}
	var receipt struct{ Position uint64 }
	if err := json.Unmarshal(body, &receipt); err != nil || response.StatusCode != http.StatusOK {
		return acked, fmt.Errorf("import: status %d, %s", response.StatusCode, body)
	}
	acked.position = receipt.Position
	return acked, nil
}

// sent is how many documents were acknowledged, each with a student of its own.
func (p *prober) sent() (n int64) {
	for _, documents := range p.acked {
		n += int64(len(documents))
	}
	return n
}

// toldWait is how long the last events may take to come.
const toldWait = 5 * time.Second

// latencies are those of all documents, from the acknowledgement to the event; below 0
// if the event came first. The error says what was not told.
func (p *prober) latencies(ctx context.Context) ([]time.Duration, error) {
	var all []time.Duration
	err := waitFor(ctx, toldWait, func(context.Context) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		all = all[:0]
		for test, acked := range p.acked {
			found := latencies(acked, p.mu.told[test])
			all = append(all, found...)
			if len(found) < len(acked) {
				return errors.Join(fmt.Errorf("%d of %d documents of a test are not told", len(acked)-len(found), len(acked)), p.mu.err)
			}
		}
		return nil
	})
	return all, err
}

// latencies finds for each document of a test the first event that goes as far. Both
// are in order of position; documents after the last event have none.
func latencies(acked, told []moment) []time.Duration {
	found := make([]time.Duration, 0, len(acked))
	for _, document := range acked {
		at := slices.IndexFunc(told, func(event moment) bool { return event.position >= document.position })
		if at < 0 {
			break
		}
		told = told[at:]
		found = append(found, told[0].at.Sub(document.at))
	}
	return found
}

// close hangs up.
func (p *prober) close() {
	_ = p.stream.Close() // All that was wanted of it has been read.
	p.listen.Wait()
	p.client.CloseIdleConnections()
}
