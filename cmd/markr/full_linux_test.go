package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	markr "markr/cmd/markr"
)

// fullDisk is the size of a disk that is to be filled, in megabytes: a log of Pebble
// takes some tens, and a floor must be far above what is written in a second.
const fullDisk = 1024

// Below the floor of free space imports are answered 503 read_only and reads go on,
// under load; given space again the server takes imports by itself; and what was
// acknowledged before, during and after is there.
func TestDiskFloor(t *testing.T) {
	t.Parallel()
	needDisks(t)
	seed := drawSeed(t)
	d := newDisk(t, fullDisk)
	h := newKilling(t, seed, d.data())
	serveWithFloor := func() *process {
		return serve(t, d.data(), "--free-disk-min", "512MiB")
	}
	p := serveWithFloor()
	wait := h.load(p.url)
	h.awaitAnswers(100)
	ballast := d.fill(t, 256<<20)
	wait() // Each client ends when it is told 503.
	response, err := h.http.Post(p.url+"/import", markr.MediaType, strings.NewReader("<mcq-test-results/>"))
	status, body, err := read(response, err)
	var problem struct{ Code string }
	if err := errors.Join(err, json.Unmarshal(body, &problem)); err != nil || status != http.StatusServiceUnavailable ||
		problem.Code != "read_only" || response.Header.Get("Retry-After") == "" {
		t.Fatalf("import below the floor: status %d, %v: %s", status, err, body)
	}
	awaitMetric(t, h.http, p.url, "markr_read_only", 1)
	awaitStatus(t, h.http, p.url+"/readyz", http.StatusOK)
	h.verify(p.url, false) // Reads go on.

	d.free(t, ballast)
	awaitMetric(t, h.http, p.url, "markr_read_only", 0)
	h.oneMore(p.url)
	p.kill()
	h.verify(serveWithFloor().url, true)
}

// On a disk that somebody else has filled to the last byte, with no floor to hold
// imports back, the server either ends with 1 and the reason or goes on answering
// reads; started on the full disk it does not come up with less than there was; and
// with space again it has everything that it acknowledged.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	needDisks(t)
	seed := drawSeed(t)
	d := newDisk(t, fullDisk)
	h := newKilling(t, seed, d.data())
	h.paper = bulkyPaper
	p := h.serve()
	wait := h.load(p.url)
	h.awaitAnswers(100)
	ballast := d.fill(t, 0)
	if ended := h.awaitStandstill(p); ended {
		if code := p.wait(t); code != 1 || !strings.Contains(p.logged(), "no space left on device") ||
			!strings.Contains(p.logged(), "\nhint: look at the disk") {
			t.Errorf("exit %d, want 1 with its reason\n%s", code, p.logged())
		}
		t.Log("the server ended")
	} else {
		awaitStatus(t, h.http, p.url+"/readyz", http.StatusServiceUnavailable)
		awaitStatus(t, h.http, p.url+"/results", http.StatusOK)
		t.Log("the server went on answering reads")
		p.kill()
	}
	wait()

	full := launchProgram(t, nil, h.program, serveArguments("--data-dir", h.dir)...)
	select {
	case <-full.ready:
		h.verify(full.url, false)
		t.Log("a server started on the full disk answers reads")
		full.kill()
	case <-full.exited:
		if code := full.wait(t); code != 1 || !strings.Contains(full.logged(), "no space left on device") {
			t.Errorf("started on a full disk: exit %d, want 1 with its reason\n%s", code, full.logged())
		}
		t.Log("no server starts on the full disk")
	case <-time.After(patience):
		_ = full.cmd.Process.Signal(syscall.SIGQUIT) // Its goroutines go to its log.
		<-full.exited
		t.Fatalf("a server on a full disk neither starts nor ends in %v", patience)
	}
	d.free(t, ballast)
	next := h.serve()
	h.verify(next.url, true)
	h.oneMore(next.url)
}

// Told to stop on a full disk, with documents that have not reached a table yet, the
// server ends, and says why if it could not do so properly.
func TestDiskFullStop(t *testing.T) {
	t.Parallel()
	needDisks(t)
	seed := drawSeed(t)
	d := newDisk(t, fullDisk)
	h := newKilling(t, seed, d.data())
	h.paper = bulkyPaper
	p := h.serve()
	for range 30 {
		h.oneMore(p.url)
	}
	ballast := d.fill(t, 0)
	if code := p.stop(t); code != 1 || !strings.Contains(p.logged(), "no space left on device") {
		t.Errorf("exit %d, want 1 with its reason", code)
	}
	d.free(t, ballast)
	next := h.serve()
	h.verify(next.url, true)
	h.oneMore(next.url)
}

// load has clients post until they are turned away; wait waits for that.
func (h *killing) load(server string) (wait func()) {
	var clients sync.WaitGroup
	for i := range killClients {
		random := rand.New(rand.NewPCG(h.random.Uint64(), uint64(i)))
		clients.Go(func() { h.client(server, random) })
	}
	return clients.Wait
}

// awaitStandstill waits until a server has ended, or does not take imports any more.
func (h *killing) awaitStandstill(p *process) (ended bool) {
	h.t.Helper()
	err := eventually(func() error {
		select {
		case <-p.exited:
			ended = true
			return nil
		default:
		}
		stalled, err := metric(h.http, p.url, "markr_import_stalled")
		if err == nil && stalled == 0 {
			err = errors.New("imports are still taken")
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return ended
}

// bulkyPaper is newPaper with a part that nothing makes smaller.
func bulkyPaper(seed uint64, number int) *paper {
	const bytes = 64 << 10
	p, random := newPaper(seed, number), rand.New(rand.NewPCG(seed, uint64(number)))
	var b strings.Builder
	for b.Len() < bytes {
		fmt.Fprintf(&b, "%016x", random.Uint64())
	}
	end := strings.LastIndex(string(p.raw), "</mcq-test-results>")
	p.raw = []byte(string(p.raw[:end]) + "<!-- " + b.String() + " -->\n</mcq-test-results>\n")
	return p
}

// fill leaves so many bytes free, and names the file that has the rest.
func (d *disk) fill(t *testing.T, leave int64) string {
	t.Helper()
	path := filepath.Join(d.dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// The server takes some meanwhile, so it takes a few attempts.
	for at := int64(0); ; {
		var s unix.Statfs_t
		if err := unix.Fstatfs(int(f.Fd()), &s); err != nil {
			t.Fatal(err)
		}
		more := min(int64(s.Bavail)*s.Bsize-leave, 16<<20)
		if more <= 0 {
			return path
		}
		err := unix.Fallocate(int(f.Fd()), 0, at, more)
		switch {
		case errors.Is(err, syscall.ENOSPC): // Others have it; look again.
		case err != nil:
			t.Fatal(err)
		default:
			at += more
		}
	}
}

// free gives back what fill took.
func (d *disk) free(t *testing.T, ballast string) {
	t.Helper()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
}
