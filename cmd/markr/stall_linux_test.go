package main_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A disk that does not answer, as long as it does not: no import is answered before
// it is synced, /readyz is 503 and says why, the metrics tell, reads go on, and
// imports that come later are sent away instead of waiting. When it answers again,
// so do the imports that have waited, and nobody has to do anything.
func TestDiskStall(t *testing.T) {
	t.Parallel()
	needDisks(t)
	if _, err := exec.LookPath("fsfreeze"); err != nil {
		t.Skip(err)
	}
	const told = 5 * time.Second // The engine's default.
	more := time.Second
	if *long {
		more = 25 * time.Second
	}
	d, client := newDisk(t, powercutDisk), newHTTPClient(t)
	p := serve(t, d.data())
	before, during := paperFrom(6, 0), paperFrom(6, 100)
	if status, body, err := post(client, p.url, before.raw); err != nil || status != http.StatusOK {
		t.Fatalf("import: status %d, %v: %s", status, err, body)
	}
	d.freezeFor(t)
	begun := time.Now()
	waiting := make(chan string, 1)
	go func() { // Ends with the answer, or with the server.
		status, body, err := post(client, p.url, during.raw)
		waiting <- fmt.Sprintf("%d %v %s", status, err, body)
	}()
	awaitMetric(t, client, p.url, "markr_import_in_flight", 1)
	awaitStatus(t, client, p.url+"/readyz", http.StatusServiceUnavailable)
	if took := time.Since(begun); took < told-time.Second {
		t.Errorf("a stall is told after %v", took)
	}
	awaitMetric(t, client, p.url, "markr_import_stalled", 1)
	awaitMetric(t, client, p.url, "markr_ready", 0)
	for end := time.Now().Add(more); time.Now().Before(end); {
		select {
		case answer := <-waiting:
			t.Fatalf("an import is answered while the disk is not there: %s", answer)
		case <-time.After(100 * time.Millisecond):
		}
		for path, want := range map[string]int{
			"/livez": http.StatusOK, "/readyz": http.StatusServiceUnavailable,
			"/results/" + before.ownTest() + "/aggregate": http.StatusOK,
			"/results/" + during.ownTest() + "/aggregate": http.StatusNotFound,
		} {
			if status, body, err := get(client, p.url+path); err != nil || status != want {
				t.Fatalf("GET %s during the stall: status %d, %v, want %d: %s", path, status, err, want, body)
			}
		}
		if status, body, err := post(client, p.url, before.raw); err != nil || status != http.StatusServiceUnavailable {
			t.Fatalf("another import during the stall: status %d, %v: %s", status, err, body)
		}
	}
	d.thaw(t)
	if answer := <-waiting; answer[:4] != "200 " {
		t.Errorf("the import that has waited: %s", answer)
	}
	awaitStatus(t, client, p.url+"/readyz", http.StatusOK)
	awaitMetric(t, client, p.url, "markr_import_stalled", 0)
	if status, body, err := post(client, p.url, paperFrom(6, 200).raw); err != nil || status != http.StatusOK {
		t.Errorf("import after the stall: status %d, %v: %s", status, err, body)
	}
	awaitAtLeast(t, client, p.url, "markr_pebble_disk_slow_total", 1)
	if code := p.stop(t); code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
}

// A server that is told to stop while the disk does not answer says so and ends,
// instead of waiting for the disk; nothing that was acknowledged is lost.
func TestDiskStallStop(t *testing.T) {
	t.Parallel()
	needDisks(t)
	if _, err := exec.LookPath("fsfreeze"); err != nil {
		t.Skip(err)
	}
	d, client := newDisk(t, powercutDisk), newHTTPClient(t)
	p := serve(t, d.data(), "--drain-timeout", "10ms")
	before := paperFrom(9, 0)
	if status, body, err := post(client, p.url, before.raw); err != nil || status != http.StatusOK {
		t.Fatalf("import: status %d, %v: %s", status, err, body)
	}
	d.freezeFor(t)
	waiting, during := make(chan int, 1), paperFrom(9, 100)
	go func() { // Ends with the server.
		status, _, _ := post(client, p.url, during.raw)
		waiting <- status
	}()
	// It is in its write. One that was still on its way there would be sent away by the
	// stop, and nobody would wait for the disk but the vault.
	awaitMetric(t, client, p.url, "markr_import_stalled", 1)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.awaitLog(t, "markr: the vault cannot be closed: ")
	select {
	case status := <-waiting: // Cut off.
		if status == http.StatusOK {
			t.Error("an import was acknowledged without a sync")
		}
		waiting <- status
	default:
	}
	d.thaw(t) // The kernel does not let a process go that is in a write.
	if code := p.wait(t); code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	again := serve(t, d.data())
	awaitStatus(t, client, again.url+"/results/"+before.ownTest()+"/aggregate", http.StatusOK)
	if status := <-waiting; status == http.StatusOK {
		// The disk came back before the process had gone.
		awaitStatus(t, client, again.url+"/results/"+during.ownTest()+"/aggregate", http.StatusOK)
	}
}

// freezeFor stalls the disk until it thaws, at the latest when the test ends.
func (d *disk) freezeFor(t *testing.T) {
	t.Helper()
	if output, err := exec.Command("fsfreeze", "--freeze", d.dir).CombinedOutput(); err != nil {
		t.Skipf("no file system can be frozen here: %v: %s", err, output)
	}
	d.frozen = true
	t.Cleanup(func() { d.thaw(t) })
}

func (d *disk) thaw(t *testing.T) {
	t.Helper()
	if !d.frozen {
		return
	}
	if output, err := exec.Command("fsfreeze", "--unfreeze", d.dir).CombinedOutput(); err != nil {
		t.Errorf("thaw %s: %v: %s", d.dir, err, output)
	}
	d.frozen = false
}
