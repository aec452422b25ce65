package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"markr/bench/load"
)

// machine is what a reader has to know of where figures come from, and nothing
// that would tell which machine it was.
type machine struct {
	Processors int           `json:"processors"`
	Processor  string        `json:"processor"`
	System     string        `json:"system"`
	Kernel     string        `json:"kernel"`
	Go         string        `json:"go"`
	Flush      time.Duration `json:"flush_ns"` // median of appending 4 KiB and flushing it
	// Load is how many tasks wanted a processor in the 1, 5 and 15 minutes before, as
	// the system tells it: what else ran, if this began with nothing of its own.
	Load string `json:"load_average,omitempty"`
}

// String is one line.
func (m machine) String() string {
	line := fmt.Sprintf("%d processors (%s), %s, kernel %s, %s, a flush of 4 KiB takes %v",
		m.Processors, m.Processor, m.System, m.Kernel, m.Go, m.Flush.Round(time.Microsecond))
	if m.Load != "" {
		line += ", load average " + m.Load
	}
	return line
}

func lookAtMachine(dir string) (machine, error) {
	flush, err := timeFlush(dir)
	if err != nil {
		return machine{}, fmt.Errorf("time a flush: %w", err)
	}
	return machine{
		Processors: runtime.NumCPU(),
		Processor:  cmp.Or(factOf("/proc/cpuinfo", "model name"), "unknown"),
		System:     runtime.GOOS + "/" + runtime.GOARCH,
		Kernel:     cmp.Or(kernel(), "unknown"),
		Go:         runtime.Version(),
		Flush:      flush,
		Load:       loadAverage(),
	}, nil
}

// factOf finds the value of "name : value" in a file, or nothing.
func factOf(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "" // Another system keeps it elsewhere.
	}
	for line := range strings.Lines(string(text)) {
		key, value, found := strings.Cut(line, ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// loadAverage is empty where the system does not tell.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	const averages = 3
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < averages {
		return ""
	}
	return strings.Join(fields[:averages], " ")
}

// kernel is the version up to the builder's own suffix.
func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(text)), "-")
	return version
}

// timeFlush appends to a file and flushes, as a log does. Figures of imports mean
// little without it: in memory a flush costs nothing, and on a slow disk it is
// everything.
func timeFlush(dir string) (time.Duration, error) {
	const appends, blockBytes = 200, 4096
	file, err := os.CreateTemp(dir, "markr-bench-flush-")
	if err != nil {
		return 0, err
	}
	block := make([]byte, blockBytes)
	times := make([]time.Duration, 0, appends)
	for range appends {
		from := time.Now()
		if _, err = file.Write(block); err != nil {
			break
		}
		if err = file.Sync(); err != nil {
			break
		}
		times = append(times, time.Since(from))
	}
	if err := errors.Join(err, file.Close(), os.Remove(file.Name())); err != nil {
		return 0, err
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// awaitQuiet waits until the machine has been nearly idle for a moment, or until
// the deadline: what else runs on it would be measured, too.
func (b *bencher) awaitQuiet(ctx context.Context, deadline time.Time) {
	const (
		moment = 2 * time.Second
		busy   = 0.15 // of all processors
	)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		used, from := load.BusyCPU(), time.Now()
		select {
		case <-time.After(moment):
		case <-ctx.Done():
			return
		}
		share := processors(load.BusyCPU()-used, time.Since(from)) / float64(runtime.NumCPU())
		if share < busy {
			return
		}
	}
}

// commit names the source, as far as git can tell.
func commit(ctx context.Context) string {
	hash, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(hash))
	changes, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--untracked-files=no").Output()
	if err != nil || len(changes) > 0 {
		name += "+"
	}
	return name
}

// sizeOf is how many bytes the files under a directory hold.
func sizeOf(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}
