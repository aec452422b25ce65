package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"
)

// serveName is the verb whose warnings go to its log.
const serveName = "serve"

// progressEvery is how often a server that reads its log says how far it is.
const progressEvery = 5 * time.Second

const serveDescription = `Takes scanner documents (POST /import), keeps them in the data directory, and answers statistics (GET /results). An import is answered 200 when it is on disk and counted, 4xx when nothing of it was counted, and anything else when it may be tried again. GET / is a page for people, /metrics is for Prometheus, /openapi.json describes all routes.

On loopback everybody may do everything. Where others than this machine reach the server, it starts only with --token-file, --tls-client-ca or --insecure; health is open to everybody, everything else takes a token (Authorization: Bearer TOKEN) or, for imports, a client certificate.

The rule of --scoring and --denominator is recorded in the vault and stays until another one is given. Once ` + "`markr reprocess --commit`" + ` has changed it, a start that asks for another one is refused.

The first SIGINT or SIGTERM stops gently: /readyz answers 503, after --shutdown-delay nobody new is let in, requests under way have --drain-timeout to finish, then everything is closed and the exit status is 0. A second signal ends the process at once with 130; nothing that was acknowledged is lost by that either.

Exit status 1: the server could not start, or the disk failed under it. Damage in the data directory stops the start; the message names the position and the command to run next.`

func newServe(std streams) *cli.Command { return newServeWith(std, &serveOptions{}) }

// newServeWith is newServe with options that hold what no flag sets.
func newServeWith(std streams, o *serveOptions) *cli.Command {
	return &cli.Command{
		Name:        serveName,
		Usage:       "run the server",
		UsageText:   "markr serve\nmarkr serve --data-dir /var/lib/markr --listen :4567 --token-file tokens\nMARKR_SCORING=latest markr serve",
		Description: serveDescription,
		Flags:       o.flags(),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := applyEnvironment(cmd, os.LookupEnv); err != nil {
				return err
			}
			if err := noArguments(cmd); err != nil {
				return err
			}
			o.ruleAsked.Policy, o.ruleAsked.Denominator = cmd.IsSet("scoring"), cmd.IsSet("denominator")
			keepFilesPrivate()
			registry := newRegistry()
			logger := newLogger(std.err, o.logFormat, o.level(), registry)
			for _, warning := range unknownVariables(os.Environ(), environmentOf(cmd.Root())) {
				logger.Warn(warning)
			}
			return tellInLog(o, logger, serve(ctx, std, o, registry, logger))
		},
	}
}

// serve runs a service until a signal, or until it fails.
func serve(ctx context.Context, std streams, o *serveOptions, registry *prometheus.Registry, logger *slog.Logger) error {
	started := time.Now()
	processors := useProcessors()
	memoryLimit, err := limitMemory(o.memoryLimitRatio)
	if err != nil {
		logger.Warn("there is no memory limit", "cause", err)
	}
	s := newService(logger)
	if err := s.unlessFailed(func() error { return s.start(o, registry) }); err != nil {
		return err
	}
	s.watch(ctx)
	logger.Info("listening", "url", s.url(), "ops_url", s.opsURL(), "data_dir", o.dataDir,
		"memory_limit", memoryLimit, "goroutines_at_once", processors, "version", readBuild().Version)

	ready := make(chan error, 1)
	go func() { ready <- s.engine.WaitReady(ctx) }() // Ends at the latest with ctx.
	progress := time.NewTicker(progressEvery)
	defer progress.Stop()
	for {
		select {
		case err := <-ready:
			ready = nil
			switch {
			case ctx.Err() != nil: // Told to stop while still reading.
			case err != nil:
				stopErr := s.unlessFailed(func() error { return s.stop(0, o.drainTimeout) })
				return explainRecovery(err, o.dataDir, stopErr)
			default:
				progress.Stop()
				s.announce(std, o, time.Since(started))
			}
		case <-progress.C:
			p := s.engine.Progress()
			logger.Info("reading the log", "position", p.Position, "last", p.Last)
		case err := <-s.failed:
			return err
		case <-ctx.Done():
			logger.Info("stopping", "shutdown_delay", o.shutdownDelay, "drain_timeout", o.drainTimeout)
			if err := s.unlessFailed(func() error { return s.stop(o.shutdownDelay, o.drainTimeout) }); err != nil {
				return err
			}
			logger.Info("stopped")
			return nil
		}
	}
}

// watch takes up tokens and certificates again when they change, and on SIGHUP,
// until ctx is done. Without any, SIGHUP ends the process, as a terminal that is
// closed wants it to.
func (s *service) watch(ctx context.Context) {
	if len(s.watcher.files) == 0 {
		return
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangups)
		ticks := time.NewTicker(watchEvery)
		defer ticks.Stop()
		s.watcher.run(ctx, ticks.C, hangups)
	}()
}

// announce says that the service is ready: to a person with the next command, to
// a log in one line.
func (s *service) announce(std streams, o *serveOptions, took time.Duration) {
	state, progress := s.engine.State(), s.engine.Progress()
	if progress.CheckpointErr != nil {
		s.logger.Warn("the checkpoint was of no use; the log was read from its beginning, and nothing is lost",
			"cause", progress.CheckpointErr)
	}
	if owed := s.engine.Owed(); owed > 0 {
		s.logger.Warn("the disk is nearly full: what is in force is not in the audit trail yet; it goes there before the next import",
			"changes", owed)
	}
	if o.logFormat != logText || !isTerminal(std.err) {
		s.logger.Info("ready", "url", s.url(), "took", took.Round(time.Millisecond),
			"position", state.Position(), "tests", state.Tests(), "checkpoint", progress.Checkpoint, "rule", state.Rule().Rule)
		return
	}
	note(std.err, `
  Markr %s is ready.

    page       %s/
    data       %s  (%s, %s)
    try        markr gen | markr import --server %s -
`, readBuild().Version, s.url(), o.dataDir, counted(int(state.Documents()), "document"), counted(state.Tests(), "test"), s.url())
}

// url is where the service answers, for a person on this machine.
func (s *service) url() string {
	scheme := "http://"
	if s.secure {
		scheme = "https://"
	}
	return scheme + reachable(s.address)
}

// opsURL is where metrics and health are.
func (s *service) opsURL() string {
	if s.opsAddress == nil {
		return s.url()
	}
	return "http://" + reachable(s.opsAddress)
}

// tellInLog writes what ended the server as a log line where lines are read by a
// program, which would stumble over plain text.
func tellInLog(o *serveOptions, logger *slog.Logger, err error) error {
	if err == nil || o.logFormat != logJSON {
		return err
	}
	logger.Error(err.Error(), "hint", hintOf(err))
	return &toldError{err}
}
