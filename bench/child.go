package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"markr/bench/load"
)

// child is a server that runs as a process of its own.
type child struct {
	command *exec.Cmd
	stderr  *bytes.Buffer
	target  load.Target
	dataDir string // empty: it has none
}

// Patience with a child.
const (
	startWait = 30 * time.Second
	stopWait  = 60 * time.Second
)

// buildServer builds the server once, from the module this program is of.
func buildServer(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "markr")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "markr/cmd/markr")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, output)
	}
	return binary, nil
}

// startMarkr starts the server on an empty data directory and waits until it is
// ready.
func (b *bencher) startMarkr(ctx context.Context) (*child, error) {
	dataDir, err := os.MkdirTemp(b.work, "data-")
	if err != nil {
		return nil, err
	}
	return b.startMarkrOn(ctx, dataDir)
}

// startMarkrOn starts the server on a data directory and waits until it is ready.
func (b *bencher) startMarkrOn(ctx context.Context, dataDir string) (*child, error) {
	binary, err := b.markr()
	if err != nil {
		return nil, err
	}
	c, err := startChild(ctx, binary, func(address string) []string {
		return []string{"serve", "--listen", address, "--data-dir", dataDir, "--log-level", "warn"}
	}, "/readyz")
	if err != nil {
		return nil, err
	}
	c.dataDir = dataDir
	return c, nil
}

// startBaseline starts the server that does nothing.
func (b *bencher) startBaseline(ctx context.Context) (*child, error) {
	return startChild(ctx, b.self, func(address string) []string { return []string{baselineArgument, address} }, "/")
}

// startChild starts a program on a free port and waits until it answers 200 at
// path.
func startChild(ctx context.Context, binary string, args func(address string) []string, path string) (*child, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	target, err := load.ParseTarget(ctx, address)
	if err != nil {
		return nil, err
	}
	// The child is asked to stop by stop, also when ctx is done: a server that
	// is killed leaves nothing to measure.
	command := exec.Command(binary, args(address)...) //nolint:noctx // See above.
	command.Env = withoutMarkr(os.Environ())
	c := &child{command: command, stderr: new(bytes.Buffer), target: target}
	command.Stderr = c.stderr
	if err := command.Start(); err != nil {
		return nil, err
	}
	if err := c.awaitAnswer(ctx, path); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// freeAddress is an address on loopback that nobody listens on at the moment.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// withoutMarkr takes out of the environment what would configure the server.
func withoutMarkr(environment []string) []string {
	kept := make([]string, 0, len(environment))
	for _, variable := range environment {
		if !strings.HasPrefix(variable, "MARKR_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

func (c *child) awaitAnswer(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	const pause = 10 * time.Millisecond
	for {
		status, _, err := c.get(ctx, path)
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("server is not ready after %v: %w\n%s", startWait, errors.Join(err, ctx.Err()), c.stderr)
		case <-time.After(pause):
		}
	}
}

// get asks the child, over a connection of its own.
func (c *child) get(ctx context.Context, path string) (status int, body []byte, err error) {
	return c.ask(ctx, http.MethodGet, path, "")
}

// ask asks the child, with a body of JSON if it is not empty, over a connection of its own.
func (c *child) ask(ctx context.Context, method, path, asked string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.target.Host+path, strings.NewReader(asked))
	if err != nil {
		return 0, nil, err
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	var content bytes.Buffer
	_, err = content.ReadFrom(response.Body)
	return response.StatusCode, content.Bytes(), errors.Join(err, response.Body.Close())
}

// stop asks the child to end, and waits until it has.
func (c *child) stop() error {
	if c.command.ProcessState != nil {
		return nil
	}
	if err := c.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	kill := time.AfterFunc(stopWait, func() {
		_ = c.command.Process.Kill() // It has ended, or it cannot be ended.
	})
	defer kill.Stop()
	if err := c.command.Wait(); err != nil {
		return fmt.Errorf("server ended: %w\n%s", err, c.stderr)
	}
	return nil
}
