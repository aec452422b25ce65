package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"markr/wal"
)

// The server listens on a Unix socket in its data directory, for verbs that work on the
// directory while it has it: whoever may write there may ask, and needs neither address
// nor token. DESIGN.md has the protocol.

// socketPathBytesMax is the longest path that a Unix socket can be bound to or reached
// by on every system we know of; Linux allows four bytes more.
const socketPathBytesMax = 103

// socketPath is a path of the control socket that is short enough, and what to call when
// it is not needed any more. A longer one is gone around: Linux has a name for every
// directory that is open.
func socketPath(dataDir string) (path string, done func(), err error) {
	path = filepath.Join(dataDir, wal.ControlSocketName)
	if len(path) <= socketPathBytesMax {
		return path, func() {}, nil
	}
	if runtime.GOOS != "linux" {
		return "", nil, fmt.Errorf("the path %s is longer than the %d bytes that a socket may have", path, socketPathBytesMax)
	}
	dir, err := os.Open(dataDir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), wal.ControlSocketName), func() { _ = dir.Close() }, nil
}

// removeControl removes the socket, which closing leaves: a disk that does not answer
// would not let go of who closes it.
func removeControl(dataDir string) error {
	err := os.Remove(filepath.Join(dataDir, wal.ControlSocketName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// listenControl binds the control socket of a data directory. The caller holds the
// directory, so a socket that is there was left by a process that was killed.
func listenControl(dataDir string) (net.Listener, error) {
	file := filepath.Join(dataDir, wal.ControlSocketName)
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s is there and is no socket", file)
	default:
		if err := os.Remove(file); err != nil {
			return nil, err
		}
	}
	path, done, err := socketPath(dataDir)
	if err != nil {
		return nil, err
	}
	defer done()
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	if unix, ok := listener.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false) // The path may be gone by then, or lead elsewhere.
	}
	// The umask has seen to it already; see keepFilesPrivate.
	if err := os.Chmod(file, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close(), os.Remove(file))
	}
	return listener, nil
}

// dialControl connects to the server that holds a data directory. An error that wraps
// fs.ErrNotExist or errNobody says that there is none.
func dialControl(ctx context.Context, dataDir string) (net.Conn, error) {
	path, done, err := socketPath(dataDir)
	if err != nil {
		return nil, err
	}
	defer done()
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", path)
}

// newControlClient makes a client of the server that holds a data directory.
func newControlClient(dataDir string) *client {
	return &client{
		base: &url.URL{Scheme: "http", Host: "control"}, flag: "data-dir", agent: "markr/" + readBuild().Version,
		name: "the server that has " + strconv.Quote(dataDir),
		http: &http.Client{Transport: &http.Transport{
			ResponseHeaderTimeout: answerWait,
			DialContext:           func(ctx context.Context, _, _ string) (net.Conn, error) { return dialControl(ctx, dataDir) },
		}},
	}
}
