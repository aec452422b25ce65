package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"markr/httpapi"
)

// temporary is a server whose data goes when it does.
type temporary struct {
	service *service
	dir     string
}

// startTemporary starts a server on an address, with its data in a new directory
// within dir, or where temporary files go if that is empty. It returns when the
// server is ready.
func startTemporary(ctx context.Context, dir, pattern, listen string, insecure bool, logger *slog.Logger) (*temporary, error) {
	dir, err := os.MkdirTemp(dir, pattern)
	if err != nil {
		return nil, err
	}
	o := &serveOptions{
		dataDir: filepath.Join(dir, "data"), listen: listen, insecure: insecure,
		scoring: "highest", denominator: "test", itemAnalysis: itemsOn,
		refusedBytesMax: refusedBytesMaxDefault, limits: httpapi.Limits{}, retryPause: httpapi.RetryPauseDefault,
	}
	t := &temporary{service: newService(logger), dir: dir}
	if err := t.service.unlessFailed(func() error { return t.service.start(o, newRegistry()) }); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := t.service.engine.WaitReady(ctx); err != nil {
		return nil, errors.Join(err, t.remove())
	}
	return t, nil
}

// remove stops the server and removes its data.
func (t *temporary) remove() error {
	err := t.service.unlessFailed(func() error { return t.service.stop(0, drainTimeoutDefault) })
	return errors.Join(err, os.RemoveAll(t.dir))
}
