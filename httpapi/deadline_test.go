package httpapi_test

import (
	"net"
	"testing"
	"time"

	"markr/httpapi"
)

// The timer is moved when what is asked for is before it, or so far behind it that it
// would be late, or more than that ahead of it; not otherwise.
func TestDeadline(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	const slack = time.Second
	moves := 0
	d := httpapi.NewDeadline(slack)
	f := func(asked time.Duration, moved bool) {
		t.Helper()
		want := start.Add(asked)
		armed, move := d.Ask(want)
		if move != moved {
			t.Errorf("asked for %v: moved %v", asked, move)
		}
		if armed.Before(want) || armed.After(want.Add(slack)) {
			t.Errorf("asked for %v: armed for %v", asked, armed.Sub(start))
		}
		if move {
			moves++
		}
	}
	f(10*time.Second, true)
	f(10*time.Second, false)
	f(10500*time.Millisecond, false)
	f(11*time.Second, false)
	f(11001*time.Millisecond, true) // it would be cut off too early
	f(12*time.Second, false)
	f(60*time.Second, true)
	f(12*time.Second, true) // it would be cut off much too late
	f(11500*time.Millisecond, true)
	if _, move := d.Ask(time.Time{}); !move {
		t.Error("no deadline: the old one stays")
	}
	if _, move := d.Ask(time.Time{}); move {
		t.Error("no deadline, again: moved")
	}
	f(time.Second, true)
	// A busy connection: a request every millisecond for a minute.
	moves = 0
	for at := time.Duration(0); at < time.Minute; at += time.Millisecond {
		d.Ask(start.Add(10*time.Second + at))
	}
	moves = 0
	for at := time.Minute; at < 2*time.Minute; at += time.Millisecond {
		if _, move := d.Ask(start.Add(10*time.Second + at)); move {
			moves++
		}
	}
	if moves > 61 {
		t.Errorf("moved %d times in a minute", moves)
	}
}

// A deadline that is set ends a read that would wait for ever, after it and not much
// later; one that is taken away does not.
func TestDeadlineOfConnection(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	c := httpapi.NewConn(near, 40*time.Millisecond)
	began := time.Now()
	if err := c.SetReadDeadline(began.Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil || time.Since(began) < 100*time.Millisecond {
		t.Errorf("read ended after %v: %v", time.Since(began), err)
	}
	if err := c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("nobody reads this")); err == nil {
		t.Error("write did not end")
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = far.Write([]byte("x")) }()
	if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("after the deadlines were taken away: %d, %v", n, err)
	}
}
