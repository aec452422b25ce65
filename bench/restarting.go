package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"markr/bench/cohort"
	"markr/bench/load"
)

// restarting prepares starts of a server whose vault holds a cohort: from its
// checkpoint, or from the log alone. Every run is another start of the same vault.
func restarting(options cohort.Options, checkpoint bool) preparation {
	return func(ctx context.Context, b *bencher) ([]contender, func() error, error) {
		c, err := cohort.New(options)
		if err != nil {
			return nil, nil, err
		}
		server, err := b.startMarkr(ctx)
		if err != nil {
			return nil, nil, err
		}
		const connections = 4
		err = errors.Join(fillCohort(ctx, server, c, connections), server.stop())
		if err != nil {
			return nil, nil, err
		}
		measure := func(ctx context.Context, _ int) (measurement, error) {
			return b.restartOnce(ctx, server.dataDir, c.Options().Students*c.Options().Tests, checkpoint)
		}
		return []contender{{markrName, measure}}, func() error { return os.RemoveAll(server.dataDir) }, nil
	}
}

// restartOnce times a start, checks that everything is there, and stops the server.
func (b *bencher) restartOnce(ctx context.Context, dataDir string, marks int, checkpoint bool) (m measurement, err error) {
	saved := filepath.Join(dataDir, "checkpoint")
	if !checkpoint {
		if err := os.Remove(saved); err != nil && !errors.Is(err, os.ErrNotExist) {
			return m, err
		}
	} else if _, err := os.Stat(saved); err != nil {
		return m, fmt.Errorf("there is no checkpoint: %w", err)
	}
	from := time.Now()
	server, err := b.startMarkrOn(ctx, dataDir)
	if err != nil {
		return m, err
	}
	took := time.Since(from)
	used, err := load.ProcessCPU(server.command.Process.Pid)()
	if err == nil {
		var kept int64
		if kept, err = server.marks(ctx); err == nil && kept != int64(marks) {
			err = fmt.Errorf("server keeps %d marks, not %d", kept, marks)
		}
	}
	if err := errors.Join(err, server.stop()); err != nil {
		return m, err
	}
	m.figures = []figure{
		{readySeconds, took.Seconds()},
		{"marks/s", float64(marks) / took.Seconds()},
		{marksPerCore, float64(marks) / used.Seconds()},
		{"processors used", processors(used, took)},
	}
	return m, nil
}
