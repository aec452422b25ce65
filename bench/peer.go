package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"markr/bench/load"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

// A peer is what a user would pick instead: a store with a schema and a query. It gets
// the same documents, taken apart by Markr's own decoder in this process, so that
// what is compared is the store alone, and no XML and no HTTP of anybody's.
type peer interface {
	// name is the peer's name and version.
	name() string
	// clear empties it.
	clear(ctx context.Context) error
	// connect opens a connection of its own for one worker.
	connect(ctx context.Context) (peerConnection, error)
	// stop ends it.
	stop() error
}

// peerConnection is for one goroutine.
type peerConnection interface {
	// keep keeps a document and its marks, durably, in one step. No student is twice
	// in marks.
	keep(ctx context.Context, raw []byte, test string, marks []peerMark) error
	// aggregate asks for a test's figures, as far as it has them.
	aggregate(ctx context.Context, test string) (count int, err error)
	close(ctx context.Context) error
}

type peerMark struct {
	student             string
	obtained, available int
}

// peerStarts starts the peers that there are, by name.
func peerStarts() map[string]func(ctx context.Context, b *bencher) (peer, error) {
	return map[string]func(ctx context.Context, b *bencher) (peer, error){
		"postgres": startPostgres,
		"redis":    startRedis,
	}
}

// errNoPeer: it is not installed.
var errNoPeer = errors.New("not installed")

// peers starts those that were asked for. What cannot run is said, and left out.
func (b *bencher) peers(ctx context.Context) (running []peer, stop func() error) {
	for _, name := range b.against {
		p, err := peerStarts()[name](ctx, b)
		if err != nil {
			say(b.progress, "%s cannot be measured: %v", name, err)
			continue
		}
		running = append(running, p)
	}
	return running, func() error {
		errs := make([]error, 0, len(running))
		for _, p := range running {
			errs = append(errs, p.stop())
		}
		return errors.Join(errs...)
	}
}

// peerWorkers are the numbers of connections tried; the best is used.
func peerWorkers() []int { return []int{1, 8, 32} }

// peerContender imports into a peer with the number of connections that is best for
// it.
func (b *bencher) peerContender(ctx context.Context, p peer, shape importShape) (contender, error) {
	best, bestRate := 0, 0.0
	for _, workers := range peerWorkers() {
		m, err := b.peerImport(ctx, p, shape, workers, b.duration/3, -workers)
		if err != nil {
			return contender{}, fmt.Errorf("%s: %w", p.name(), err)
		}
		if rate := m.figures[0].value; rate > bestRate {
			best, bestRate = workers, rate
		}
	}
	say(b.progress, "%s is best with %d connections", p.name(), best)
	return contender{fmt.Sprintf("%s, %d connections", p.name(), best), func(ctx context.Context, run int) (measurement, error) {
		return b.peerImport(ctx, p, shape, best, b.duration, run)
	}}, nil
}

// peerImport puts documents into a peer for a while.
func (b *bencher) peerImport(ctx context.Context, p peer, shape importShape, workers int, d time.Duration, run int) (m measurement, err error) {
	if err := p.clear(ctx); err != nil {
		return m, err
	}
	shape.connections = workers
	imports, err := newImports(load.Target{Host: "peer"}, shape, 1000+run)
	if err != nil {
		return m, err
	}
	connections := make([]peerConnection, workers)
	for i := range connections {
		if connections[i], err = p.connect(ctx); err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, connections[i].close(ctx)) }()
	}
	started := time.Now()
	counted, ended := started.Add(b.warmUp), started.Add(b.warmUp+d)
	var documents atomic.Int64
	latency := hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
	var mu sync.Mutex
	failed := make(chan error, workers)
	var working sync.WaitGroup
	for i, connection := range connections {
		working.Go(func() {
			feed := newPeerFeed(imports.Feed(i))
			for time.Now().Before(ended) {
				raw, test, marks, err := feed.next()
				if err != nil {
					failed <- err
					return
				}
				from := time.Now()
				if err := connection.keep(ctx, raw, test, marks); err != nil {
					failed <- err
					return
				}
				if from.Before(counted) {
					continue
				}
				documents.Add(1)
				mu.Lock()
				_ = latency.RecordValue(time.Since(from).Microseconds()) // The only error is one that lasts a minute.
				mu.Unlock()
			}
		})
	}
	working.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return m, err
	}
	m.figures = []figure{
		{perSecond, float64(documents.Load()) / time.Since(counted).Seconds()},
		{latencyP50, float64(latency.ValueAtQuantile(50)) / 1e3},
		{latencyP99, float64(latency.ValueAtQuantile(99)) / 1e3},
	}
	return m, nil
}

// peerFeed takes documents apart.
type peerFeed struct {
	feed    load.Feed
	decoder *mcqxml.Decoder
	doc     intake.Document
	seen    map[string]int
	marks   []peerMark
}

func newPeerFeed(feed load.Feed) *peerFeed {
	return &peerFeed{feed: feed, decoder: mcqxml.New(intake.Limits{}), seen: make(map[string]int)}
}

// next is a document and the marks in it, each student once with its best.
func (f *peerFeed) next() (raw []byte, test string, marks []peerMark, err error) {
	_, raw, found := bytes.Cut(f.feed(), []byte("\r\n\r\n"))
	if !found {
		return nil, "", nil, errors.New("no more documents")
	}
	f.doc.Reset()
	if err := f.decoder.Decode(&f.doc, raw, ""); err != nil {
		return nil, "", nil, err
	}
	clear(f.seen)
	f.marks = f.marks[:0]
	for i := range f.doc.Records {
		r := &f.doc.Records[i]
		at, known := f.seen[string(r.Student)]
		if !known {
			at = len(f.marks)
			f.marks = append(f.marks, peerMark{student: string(r.Student)})
			f.seen[f.marks[at].student] = at
		}
		m := &f.marks[at]
		m.obtained = max(m.obtained, int(r.Obtained/exam.MarksPerUnit))
		m.available = max(m.available, int(r.Available/exam.MarksPerUnit))
	}
	return raw, string(f.doc.Records[0].Test), f.marks, nil
}

// peerReading prepares aggregates of a test with so many students in the peers, beside
// Markr over HTTP.
func peerReading(students int) preparation {
	return func(ctx context.Context, b *bencher) ([]contender, func() error, error) {
		contenders, end, err := reading(students)(ctx, b)
		if err != nil {
			return nil, nil, err
		}
		running, stop := b.peers(ctx)
		endAll := func() error { return errors.Join(end(), stop()) }
		contenders = contenders[:1]
		for _, p := range running {
			if err := fillPeer(ctx, p, students); err != nil {
				return nil, nil, errors.Join(err, endAll())
			}
			contenders = append(contenders, contender{p.name() + ", 8 connections", func(ctx context.Context, _ int) (measurement, error) {
				return b.peerReads(ctx, p, students)
			}})
		}
		return contenders, endAll, nil
	}
}

const peerTest = "one"

func fillPeer(ctx context.Context, p peer, students int) error {
	if err := p.clear(ctx); err != nil {
		return err
	}
	connection, err := p.connect(ctx)
	if err != nil {
		return err
	}
	const step = 1000
	for first := 0; first < students && err == nil; first += step {
		marks := make([]peerMark, 0, step)
		for i := first; i < min(first+step, students); i++ {
			marks = append(marks, peerMark{fmt.Sprintf("%08d", i), i % 21, 20})
		}
		err = connection.keep(ctx, []byte("<filled/>"), peerTest, marks)
	}
	return errors.Join(err, connection.close(ctx))
}

func (b *bencher) peerReads(ctx context.Context, p peer, students int) (m measurement, err error) {
	const workers = 8
	var reads atomic.Int64
	failed := make(chan error, workers)
	var working sync.WaitGroup
	started := time.Now()
	for range workers {
		connection, err := p.connect(ctx)
		if err != nil {
			return m, err
		}
		working.Go(func() {
			defer func() { _ = connection.close(ctx) }() // All that was wanted of it has been read.
			for time.Since(started) < b.duration {
				count, err := connection.aggregate(ctx, peerTest)
				if err == nil && count != students {
					err = fmt.Errorf("%s counts %d students, not %d", p.name(), count, students)
				}
				if err != nil {
					failed <- err
					return
				}
				reads.Add(1)
			}
		})
	}
	working.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return m, err
	}
	m.figures = []figure{{readsPerSec, float64(reads.Load()) / time.Since(started).Seconds()}}
	return m, nil
}
