package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"markr/engine"
	"markr/httpapi/access"
	"markr/wal"
)

// What the tests of this command look at from inside.
var (
	Main          = main
	Run           = run
	ExitCodeOf    = exitCodeOf
	Nearest       = nearest
	ParseSize     = parseSize
	FormatSize    = formatSize
	Approximate   = approximate
	UnknownIn     = unknownVariables
	UsageError    = usageError
	Unreachable   = unreachableError
	ErrRefused    = errRefused
	MediaType     = mediaType
	NewLogger     = newLogger
	ListenDefault = listenDefault
	ReloadDone    = reloadDone
	ReloadFailed  = reloadFailed
)

// ServeWith is the main of a program that is `markr serve` with a vault and an engine
// of another kind. Only the test binary has such programs.
func ServeWith(adjust func(*wal.Options, *engine.Options)) func() {
	return func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		std := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}
		root := &cli.Command{
			Commands:       []*cli.Command{newServeWith(std, &serveOptions{adjust: adjust})},
			ExitErrHandler: func(context.Context, *cli.Command, error) {},
		}
		os.Exit(int(report(std.err, root.Run(ctx, os.Args))))
	}
}

// Verbs lists every verb as it is typed, without the program's name.
func Verbs() [][]string {
	var all [][]string
	root := newRoot(streams{})
	for _, verb := range root.Commands {
		all = append(all, []string{verb.Name})
		for _, inner := range verb.Commands {
			all = append(all, []string{verb.Name, inner.Name})
		}
	}
	return all
}

// Environment lists every variable that a verb reads.
func Environment() []string { return environmentOf(newRoot(streams{})) }

// A WatchedFiles is what a watcher looks at, for tests.
type WatchedFiles struct {
	What  string
	Files []string
	Load  func() (bool, error)
}

// NewWatch takes files up once, and then at every step.
func NewWatch(group WatchedFiles, now func() time.Time, logger *slog.Logger, registry *prometheus.Registry) (step func(asked bool), err error) {
	w := newWatcher([]*watched{{what: group.What, files: group.Files, load: group.Load}}, now, logger, registry)
	return w.step, w.start()
}

// LoadTokens reads a token file again and again into one guard.
func LoadTokens(name string, guard *access.Guard, logger *slog.Logger) func() (bool, error) {
	return (&tokenFile{name: name, guard: guard, logger: logger}).load
}

// AccessMode is how a server with these flags decides on an address.
func AccessMode(address net.Addr, tokenFile, clientCA string, insecure bool) (string, error) {
	return (&serveOptions{listen: address.String(), tokenFile: tokenFile, tlsClientCA: clientCA, insecure: insecure}).accessMode(address)
}
