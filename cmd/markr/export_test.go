package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v3"

	"markr/engine"
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
