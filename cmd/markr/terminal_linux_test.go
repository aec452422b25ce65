package main_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A person at a terminal is greeted with the address and the next command; a log
// file is not.
func TestBanner(t *testing.T) {
	t.Parallel()
	server := exec.Command("markr", "serve", "--listen", "127.0.0.1:0", "--free-disk-min", "0", "--data-dir", t.TempDir())
	screen := onTerminal(t, server, "markr gen | markr import --server http://127.0.0.1:")
	<-screen.seen
	if banner := screen.String(); !strings.Contains(banner, " is ready.") {
		t.Errorf("no banner:\n%s", banner)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("serve: %v", err)
	}
	if log := serve(t, t.TempDir()).logged(); strings.Contains(log, "is ready.") {
		t.Errorf("a banner in a log:\n%s", log)
	}
}

// A bar is drawn on standard error when that is a terminal, and never gets into
// what is printed.
func TestProgressBar(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var files []string
	for i := range 3 {
		files = append(files, filepath.Join(dir, fmt.Sprintf("%d.xml", i)))
		if err := os.WriteFile(files[i], []byte("<scan/>"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// The server answers when the bar has been seen, however long that takes.
	screen := make(chan *waitingBuffer, 1)
	url, _ := faulty(t, 1, func(w http.ResponseWriter, _ *http.Request) {
		<-(<-screen).seen
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	send := exec.Command("markr", append([]string{"import", "--server", url, "--jobs", "1"}, files...)...)
	var stdout strings.Builder
	send.Stdout = &stdout
	screen <- onTerminal(t, send, "0 / 3 documents")
	if err := send.Wait(); err != nil {
		t.Errorf("import: %v", err)
	}
	if lines := strings.Count(stdout.String(), "xml: accepted, "); lines != 3 || strings.ContainsAny(stdout.String(), "\r\x1b") {
		t.Errorf("%d lines for 3 files, or a bar among them:\n%q", lines, stdout.String())
	}
}

// onTerminal starts a program whose standard error is a terminal, and keeps what
// it writes there.
func onTerminal(t *testing.T, command *exec.Cmd, awaited string) *waitingBuffer {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	command.Env, command.Stderr = append(cleanEnvironment(), "TERM=xterm"), slave
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var screen waitingBuffer
	screen.init(awaited)
	drained := make(chan struct{})
	go func() { // Ends when nobody has the terminal open any more.
		defer close(drained)
		_, _ = io.Copy(&screen, master) // The end of a terminal is an error.
	}()
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // It may be gone already.
		<-drained
		_ = master.Close()
	})
	return &screen
}
