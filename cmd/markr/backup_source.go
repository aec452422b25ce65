package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"markr/wal"
	"markr/wal/entry"
)

// releaseWait is how long a server may take to let go of a snapshot.
const releaseWait = 10 * time.Second

// A backupSource is what is backed up: a snapshot of a running server, or a data
// directory that no server has.
type backupSource struct {
	dir      string // of the snapshot's files
	snapshot entry.Snapshot
	running  bool
	// end gives it back. backup is the id of the backup that holds it, or empty.
	end func(backup string) error
}

// openSource holds a data directory as it is. ctx, which is a copy of the caller's, ends
// when it cannot be held any longer, with the reason.
func openSource(ctx context.Context, dataDir string) (context.Context, *backupSource, error) {
	connection, err := dialControl(ctx, dataDir)
	switch {
	case err == nil:
		_ = connection.Close() // The client makes its own.
		return snapshotOfServer(ctx, dataDir)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTSOCK):
		source, err := closedDirectory(dataDir)
		return ctx, source, err
	case errors.Is(err, fs.ErrPermission):
		return ctx, nil, withHint(fmt.Errorf("ask the server that has %s: %w", dataDir, err), "be the user who runs the server, or root")
	}
	return ctx, nil, unreachableError(fmt.Errorf("ask the server that has %s: %w", dataDir, err))
}

// closedDirectory takes the lock of a data directory and holds it.
func closedDirectory(dataDir string) (*backupSource, error) {
	vault, err := wal.Open(wal.Options{Dir: dataDir, ReadOnly: true})
	if errors.Is(err, wal.ErrLocked) {
		return nil, withHint(unreachableError(err), "that process does not listen on "+
			filepath.Join(dataDir, wal.ControlSocketName)+": it is starting or stopping, or is no server; try again")
	}
	if err != nil {
		return nil, explainLook(err, dataDir)
	}
	s, err := vault.TakeSnapshot()
	if err != nil {
		return nil, errors.Join(explainOpen(err, dataDir), vault.Close())
	}
	return &backupSource{dir: dataDir, snapshot: s, end: func(string) error { return vault.Close() }}, nil
}

// snapshotOfServer has a server take a snapshot, and renews it until it is given back.
func snapshotOfServer(ctx context.Context, dataDir string) (context.Context, *backupSource, error) {
	c := newControlClient(dataDir)
	s := &backupSource{running: true}
	// The answer is waited for whoever interrupts: only who has it can give the snapshot
	// back.
	uninterrupted := context.WithoutCancel(ctx)
	if err := c.control(uninterrupted, http.MethodPost, c.url(nil, "admin", "snapshots"), http.StatusCreated, &s.snapshot); err != nil {
		return ctx, nil, err
	}
	if !filepath.IsLocal(filepath.FromSlash(s.snapshot.Path)) {
		return ctx, nil, fmt.Errorf("the server that has %s names the directory %q", dataDir, s.snapshot.Path)
	}
	s.dir = filepath.Join(dataDir, filepath.FromSlash(s.snapshot.Path))
	ctx, cancel := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() {
		if err := c.renew(ctx, &s.snapshot); err != nil {
			cancel(err)
		}
	})
	s.end = func(backup string) error {
		cancel(context.Canceled)
		renewing.Wait()
		query := url.Values{}
		if backup != "" {
			query.Set("backup", backup)
		}
		// Also when the backup was interrupted.
		ctx, cancel := context.WithTimeout(context.Background(), releaseWait)
		defer cancel()
		defer c.http.CloseIdleConnections()
		return c.control(ctx, http.MethodDelete, c.url(query, "admin", "snapshots", s.snapshot.ID), http.StatusNoContent, nil)
	}
	return ctx, s, nil
}

// renew keeps a snapshot until ctx is done. The error says why it cannot.
func (c *client) renew(ctx context.Context, s *entry.Snapshot) error {
	const share = 3 // Two of three may be late.
	every := time.NewTicker(max(s.Expires.Sub(s.Taken)/share, time.Second))
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
		address := c.url(nil, "admin", "snapshots", s.ID, "renewals")
		if err := c.control(ctx, http.MethodPost, address, http.StatusCreated, nil); err != nil && ctx.Err() == nil {
			return fmt.Errorf("hold the snapshot: %w", err)
		}
	}
}

// control sends a request without a body and reads the answer into a value, if it is not
// nil. The error is a *problem for every other status.
func (c *client) control(ctx context.Context, method, address string, want int, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return err
	}
	a, err := c.do(request)
	if err != nil {
		return err
	}
	if a.status != want {
		return c.failure(a)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(a.body, into)
}

// apart refuses a directory of backups that is in the data directory, or is it, or has
// it inside: what is in one would be taken for a part of the other.
func apart(dataDir, backups string) error {
	data, err := realPath(dataDir)
	if err != nil {
		return err
	}
	store, err := realPath(backups)
	if err != nil {
		return err
	}
	if contains(data, store) || contains(store, data) {
		return withHint(usageError(fmt.Errorf("%s and the data directory %s are not apart", backups, dataDir)),
			"choose a directory outside of it, on another disk if there is one")
	}
	return nil
}

// realPath is a path without symbolic links; what is not there yet has none.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(path) != path {
		parent, err := realPath(filepath.Dir(path))
		return filepath.Join(parent, filepath.Base(path)), err
	}
	return real, err
}

func contains(dir, path string) bool {
	relative, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(relative)
}

// isThere says whether there is a data directory at all, before anything is made
// elsewhere.
func isThere(dataDir string) error {
	_, err := os.Stat(dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return explainLook(fmt.Errorf("%s: %w", dataDir, wal.ErrNoVault), dataDir)
	}
	return err
}
