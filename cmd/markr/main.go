// Command markr takes the documents that exam scanners post, keeps every one of
// them, and answers at any moment with exact statistics of the marks.
//
// It is the outermost room: the verbs, the flags and the wiring are here, and it
// is the only place that reads flags, the environment and the clock, and that
// ends the process. Start with serve.go, where the rooms are put together.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"
)

// main is the only function that exits. The first SIGINT or SIGTERM asks the verb
// to stop; the second ends the process at once.
func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(int(exitInterrupted))
	}()
	os.Exit(run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// streams are where a verb reads and writes: data on out, all else on err.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// run is the program: it returns what the process should exit with.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	std := streams{in: stdin, out: stdout, err: stderr}
	root := newRoot(std)
	if chain, wanted := helpWanted(root, args); wanted {
		return int(report(stderr, writeHelp(stdout, chain)))
	}
	return int(report(stderr, root.Run(ctx, args)))
}

// newRoot is the table of verbs.
func newRoot(std streams) *cli.Command {
	var version bool
	root := &cli.Command{
		Name:  "markr",
		Usage: "keeps scanned exam results and answers exact statistics of the marks",
		UsageText: `markr serve
curl --data-binary @scan.xml -H 'Content-Type: text/xml+markr' http://127.0.0.1:4567/import
curl http://127.0.0.1:4567/results/1234/aggregate`,
		Description: rootDescription,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "version", Usage: "print the version, as the verb does", Destination: &version, Local: true},
		},
		Commands: []*cli.Command{
			newServe(std),
			newDemo(std),
			newImport(std),
			newRetry(std),
			newResults(std),
			newReport(std),
			newReprocess(std),
			newExplain(std),
			newExport(std),
			newItems(std),
			newQuality(std),
			newGen(std),
			newBench(std),
			newToken(std),
			newVault(std),
			newBackup(std),
			newRestore(std),
			newHealthcheck(std),
			newVersion(std),
			newHelp(std),
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if version && !cmd.Args().Present() {
				return printVersion(std, false)
			}
			return missingVerb(std, cmd)
		},
		Reader: std.in, Writer: std.out, ErrWriter: std.err,
		EnableShellCompletion:           true,
		ConfigureShellCompletionCommand: configureCompletion,
		// Pages, suggestions and exit codes are this package's own: help.go,
		// suggest.go and exit.go.
		HideHelp:       true,
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
	}
	prepare(root, std)
	return root
}

// configureCompletion shows the built-in verb that prints completion scripts.
func configureCompletion(cmd *cli.Command) {
	cmd.Action = func(_ context.Context, cmd *cli.Command) error {
		return withHint(usageError(errors.New("no such shell: "+strings.Join(cmd.Args().Slice(), " "))),
			"it is one of bash, zsh, fish and pwsh: `markr completion bash`")
	}
}
