package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"markr/engine"
	"markr/httpapi"
	"markr/wal"
	"markr/wal/entry"
)

// The rooms, in the order in which they start; they stop in the reverse order.
//
//	   1  listeners     bound first, so that a busy port is told before the disk
//	      │             is touched; clients that come now wait for a moment
//	   2  vault         takes the lock of the data directory
//	      │
//	   3  engine        takes up the checkpoint and reads the vault from there, in
//	      │             the background
//	      │
//	   4  httpapi       /livez answers; /readyz is 503 with progress until the
//	                    engine is ready; the control socket is there
//
//	scanner ──POST──► httpapi ──► engine ──► vault ──► disk
//	                              engine ──► httpapi ──GET──► dashboard
//
// A service is these four, running.
type service struct {
	vault  *wal.Vault
	engine *engine.Engine
	server *httpapi.Server
	logger *slog.Logger

	address    net.Addr // of the public listener
	opsAddress net.Addr // nil when everything is on the public one
	secure     bool
	control    bool // there is a control socket
	dataDir    string
	watcher    *watcher

	// failed receives what ends the service from inside: a listener that
	// broke, or Pebble unable to go on.
	failed chan error
}

func newService(logger *slog.Logger) *service {
	const failuresMax = 4 // Three listeners and Pebble; only the first matters.
	return &service{logger: logger, failed: make(chan error, failuresMax)}
}

// unlessFailed returns what do returns, or earlier, when the service fails, why.
// Whatever touches the vault goes through it, because with a failed disk it may
// never return.
func (s *service) unlessFailed(do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }() // After a failure the process ends with it.
	select {
	case err := <-s.failed:
		return err
	case err := <-done:
		return err
	}
}

// start puts the rooms together. It returns when the service answers, which is
// before it is ready.
func (s *service) start(o *serveOptions, registry *prometheus.Registry) error {
	rule, err := o.rule()
	if err != nil {
		return err
	}
	limits, err := o.httpLimits()
	if err != nil {
		return err
	}
	formats, replay, profiles, err := o.formats()
	if err != nil {
		return err
	}
	doors, err := listen(o, s.logger)
	if err != nil {
		return err
	}
	s.watcher = newWatcher(doors.files, time.Now, s.logger, registry)
	if err := s.watcher.start(); err != nil {
		return errors.Join(err, doors.close())
	}
	vaultOptions := s.vaultOptions(o, registry)
	engineOptions := engine.Options{
		Intake: formats, Replay: replay, Rule: rule, RuleAsked: o.ruleAsked, InForce: append(doors.inForce(), o.rulesInForce(), profiles), Registerer: registry,
		ItemAnalysis: o.itemAnalysis == itemsOn,
	}
	if o.adjust != nil {
		o.adjust(&vaultOptions, &engineOptions)
	}
	s.vault, err = wal.Open(vaultOptions)
	if err != nil {
		return errors.Join(explainOpen(err, o.dataDir), doors.close())
	}
	engineOptions.Log, engineOptions.Checkpoints = s.vault, s.vault
	s.engine, err = engine.Open(engineOptions)
	if err != nil {
		return errors.Join(explainRule(err), s.vault.Close(), doors.close())
	}
	s.watcher.told = s.recordReload
	s.server, err = httpapi.New(httpapi.Options{
		Engine:       s.engine,
		Intake:       formats,
		Limits:       limits,
		Access:       doors.guard,
		OpsElsewhere: doors.ops != nil,
		Snapshots:    s.vault,
		SlowAfter:    orNone(o.slow),
		Version:      readBuild().Version,
		Logger:       s.logger,
		Registry:     registry,
	})
	if err != nil {
		return errors.Join(err, s.engine.Close(), s.vault.Close(), doors.close())
	}
	s.address, s.secure = doors.public.Addr(), doors.secure
	if doors.ops != nil {
		s.opsAddress = doors.ops.Addr()
	}
	s.logAccess(o, doors.access)
	go s.serve(s.server.Serve, doors.public)
	if doors.ops != nil {
		go s.serve(s.server.ServeOps, doors.ops)
	}
	s.serveControl(o.dataDir)
	return nil
}

func (s *service) vaultOptions(o *serveOptions, registry *prometheus.Registry) wal.Options {
	return wal.Options{
		Dir:             o.dataDir,
		RefusedBytesMax: orNone(o.refusedBytesMax),
		FreeBytesMin:    orNone(o.freeDiskMin),
		OnFatal:         s.fatal,
		// Nobody takes a snapshot before there is a server.
		SnapshotExpired: func(expired entry.Snapshot) { s.server.SnapshotExpired(expired) },
		Logger:          s.logger,
		Registerer:      registry,
	}
}

// serveControl listens in the data directory. Where a socket cannot be made, scanners
// are served all the same: what is missing is a backup while the server runs.
func (s *service) serveControl(dataDir string) {
	door, err := listenControl(dataDir)
	if err != nil {
		s.logger.Warn("there is no control socket, so `markr backup` needs the server stopped", "cause", err)
		return
	}
	s.control, s.dataDir = true, dataDir
	go s.serve(s.server.ServeControl, door)
}

// serve runs one listener. It is waited for by Shutdown, which closes it.
func (s *service) serve(serve func(net.Listener) error, door net.Listener) {
	if err := serve(door); err != nil {
		s.failed <- fmt.Errorf("serve on %s: %w", door.Addr(), err)
	}
}

// fatal is told by the vault that what is on disk is unknown, and never returns,
// as the vault asks: whoever waits in there will not be answered, because it must
// not be acknowledged. The process ends with exit status 1 without closing
// anything, and the next start recovers what was synced.
func (s *service) fatal(err error) {
	s.failed <- withHint(fmt.Errorf("the vault cannot go on: %w", err),
		"look at the disk; what was acknowledged is safe, and the next start goes on from there")
	select {}
}

// stallLookEvery is how often somebody who stops looks whether the disk answers.
const stallLookEvery = 100 * time.Millisecond

// stop ends the service in the reverse order of start: nobody new, everybody who
// is inside, the engine, the vault.
func (s *service) stop(delay, drain time.Duration) error {
	s.server.Drain()
	time.Sleep(delay)
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		// Their clients were not answered, so they will send again.
		s.logger.Warn("requests under way were cut off", "after", drain, "cause", err)
	}
	err := s.closeEngine() // Before anything that the disk could keep.
	if s.control {
		err = errors.Join(err, removeControl(s.dataDir))
	}
	return errors.Join(err, s.vault.Close())
}

// closeEngine waits for the documents that are on their way to the disk, unless it
// does not answer.
func (s *service) closeEngine() error {
	closed := make(chan error, 1)
	go func() { closed <- s.engine.Close() }() // After a stall the process ends with it.
	look := time.NewTicker(stallLookEvery)
	defer look.Stop()
	for {
		select {
		case err := <-closed:
			return err
		case <-look.C:
			if err := s.engine.Writable(); errors.Is(err, engine.ErrStalled) {
				s.failed <- withHint(fmt.Errorf("the vault cannot be closed: %w", err),
					"look at the disk; what was acknowledged is safe, and the next start goes on from there")
				look.Stop()
			}
		}
	}
}

// orNone says what 0 means to a person who sets a flag: none. In the rooms it means
// the default, and a negative number means none.
func orNone[T int64 | time.Duration](value T) T {
	if value == 0 {
		return -1
	}
	return value
}

// newRegistry holds the metrics of this process alone.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		readBuild().collector(),
	)
	return registry
}
