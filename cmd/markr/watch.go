package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"markr/engine/audit"
)

// watchEvery is how often files that may change are looked at: soon enough for
// somebody who waits for it, and too seldom to be noticed.
const watchEvery = 2 * time.Second

// settleTime is how long a file has to be left alone before its time and size tell
// whether it has changed: file systems count time in steps, and a writer may not
// be done.
const settleTime = 2 * time.Second

// watched are files that are taken up together or not at all.
type watched struct {
	what  string // for the log and the metrics
	files []string
	// load takes them up and says whether there was anything new. After an error
	// all is as it was.
	load func() (changed bool, err error)
	// inForce is what the audit trail is told of them; nil if nothing.
	inForce func(who string) audit.Event

	seen   []fs.FileInfo // nil for a file that could not be looked at
	recent bool          // one of them had changed just before it was seen
	failed string        // what was wrong when they were loaded last
}

// look says whether the files may have changed since the last time. It comes before
// loading, so that a change in between is seen the next time.
func (w *watched) look(now time.Time) bool {
	changed := w.recent || w.seen == nil
	seen := make([]fs.FileInfo, len(w.files))
	w.recent = false
	for i, name := range w.files {
		info, err := os.Stat(name)
		if err != nil {
			info = nil
		}
		seen[i] = info
		if w.seen != nil {
			changed = changed || !sameFile(w.seen[i], info)
		}
		w.recent = w.recent || (info != nil && now.Sub(info.ModTime()).Abs() < settleTime)
	}
	w.seen = seen
	return changed
}

func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}

// A watcher takes files up again when they change.
type watcher struct {
	files   []*watched
	now     func() time.Time
	logger  *slog.Logger
	reloads *prometheus.CounterVec
	sound   *prometheus.GaugeVec
	// told, if it is set, is told of every group that was taken up and has changed, and
	// of every one that was not taken up, with the reason.
	told func(group *watched, failure error)
}

func newWatcher(files []*watched, now func() time.Time, logger *slog.Logger, registerer prometheus.Registerer) *watcher {
	w := &watcher{
		files: files, now: now, logger: logger,
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "markr_file_reloads_total",
			Help: "Times that tokens or certificates were read again, by outcome; after a failure those from before are kept.",
		}, []string{"what", "outcome"}),
		sound: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "markr_file_last_reload_successful",
			Help: "1 if tokens or certificates were taken up when they were last read, 0 while those from before are kept.",
		}, []string{"what"}),
	}
	registerer.MustRegister(w.reloads, w.sound)
	for _, group := range files {
		w.sound.WithLabelValues(group.what).Set(1) // Without them the program does not start.
		for _, outcome := range []string{reloadDone, reloadFailed} {
			w.reloads.WithLabelValues(group.what, outcome)
		}
	}
	return w
}

// Outcomes of reading again.
const (
	reloadDone   = "done"
	reloadFailed = "failed"
)

// start takes up all files for the first time.
func (w *watcher) start() error {
	for _, group := range w.files {
		group.look(w.now())
		if _, err := group.load(); err != nil {
			return err
		}
	}
	return nil
}

// run looks at the files at every tick, and takes them up anew at every hangup,
// until ctx is done.
func (w *watcher) run(ctx context.Context, ticks <-chan time.Time, hangups <-chan os.Signal) {
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		case <-hangups:
			asked = true
		}
		w.step(asked)
	}
}

// step takes up what has changed, or, when asked, everything.
func (w *watcher) step(asked bool) {
	for _, group := range w.files {
		if group.look(w.now()) || asked {
			w.reload(group, asked)
		}
	}
}

// reload takes up one group. What is the same as before is told only to who asked.
func (w *watcher) reload(group *watched, asked bool) {
	changed, err := group.load()
	if err != nil {
		if err.Error() == group.failed && !asked {
			return
		}
		group.failed = err.Error()
		w.reloads.WithLabelValues(group.what, reloadFailed).Inc()
		w.sound.WithLabelValues(group.what).Set(0)
		w.tell(group, err)
		w.logger.Error("files were not taken up; what was read before is kept", "what", group.what, "cause", err, "hint", hintOf(err))
		return
	}
	if changed {
		w.tell(group, nil)
	}
	mended := group.failed != ""
	group.failed = ""
	w.sound.WithLabelValues(group.what).Set(1)
	if changed || asked || mended {
		w.reloads.WithLabelValues(group.what, reloadDone).Inc()
		w.logger.Info("files were taken up", "what", group.what, "changed", changed)
	}
}

// tell comes before the log line, so that whoever has seen that finds the rest.
func (w *watcher) tell(group *watched, failure error) {
	if w.told != nil && group.inForce != nil {
		w.told(group, failure)
	}
}

// errNotAFile: a pipe or a directory cannot be read again.
var errNotAFile = errors.New("it is not a regular file")
