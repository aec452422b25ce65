package httpapi_test

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"markr/httpapi"
)

// TestPace: what was not told of in a beat is told at once, and what was is when the
// next one begins, whenever in the beat that was. With many streams beats are longer.
func TestPace(t *testing.T) {
	t.Parallel()
	type step struct {
		ms   int
		told bool
		next int
	}
	began := time.Unix(1_000, 30_000_000)
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	for streams, steps := range map[int][]step{
		1: {
			{95, true, 100},
			{96, false, 100},
			{99, false, 100},
			{100, true, 200},
			{150, false, 200},
			{200, true, 300},
			{1234, true, 1300},
			{1299, false, 1300},
			{1301, true, 1400},
		},
		500:     {{95, true, 100}},
		501:     {{95, true, 200}, {199, false, 200}, {200, true, 400}},
		1000:    {{250, true, 400}},
		2000:    {{95, true, 400}, {399, false, 400}, {950, true, 1200}},
		100_000: {{95, true, 1000}, {2500, true, 3000}},
	} {
		p := httpapi.NewPace(began, streams)
		if told, _ := p.Due(began); told {
			t.Error("told with nothing to tell")
		}
		for _, step := range steps {
			p.Mark()
			if told, next := p.Due(at(step.ms)); told != step.told || !next.Equal(at(step.next)) {
				t.Errorf("%d streams, after %d ms: told %v, next after %v; want %v, %d ms",
					streams, step.ms, told, next.Sub(began), step.told, step.next)
			}
		}
	}
}

// countingListener counts what is written on its connections.
type countingListener struct {
	net.Listener

	writes atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &countedConn{c, l}, err
}

type countedConn struct {
	net.Conn

	listener *countingListener
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.listener.writes.Add(1)
	return c.Conn.Write(p)
}

// TestEventsTogether: what is told of several tests at a time wakes a subscriber once,
// by one write of more than the core's four kilobytes.
func TestEventsTogether(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := &countingListener{Listener: inner}
	b.serving.Go(func() {
		if err := b.Serve(listener); err != nil {
			t.Error(err)
		}
	})
	tests := []string{"a", "b", "c", "d"}
	s := b.followAt(t, inner.Addr().String(), "?test=a&test=b&test=c&test=d")
	s.await("scores", `"test_id":"d"`)
	before := listener.writes.Load()
	const rounds, scores = 5, 200
	for round := range rounds {
		var sheets []string
		for _, test := range tests {
			for i := range scores {
				sheets = append(sheets, sheet(test, fmt.Sprint(round, "-", i), i, 1000))
			}
		}
		b.post(t, document(sheets...)).want(t, 200)
		missing := map[string]bool{"totals": true, "imports": true, "a": true, "b": true, "c": true, "d": true}
		bytes := 0
		for len(missing) > 0 {
			e, more := s.next()
			if !more {
				t.Fatal("the stream ends")
			}
			bytes += len(e.data)
			if e.name == "totals" || e.name == "imports" {
				delete(missing, e.name)
			}
			for _, test := range tests {
				if e.name == "scores" && strings.HasPrefix(e.data, `{"test_id":"`+test) {
					delete(missing, test)
				}
			}
		}
		if bytes < 6<<10 {
			t.Errorf("%d bytes of events", bytes)
		}
		if got := listener.writes.Load() - before; got != int64(round+1) {
			t.Fatalf("%d writes after %d documents", got, round+1)
		}
	}
}
