package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// envPrefix starts the name of every environment variable of ours.
const envPrefix = "MARKR_"

// envName is the environment variable of a flag: --data-dir is MARKR_DATA_DIR.
// There is no other rule, so nobody has to look one up.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// prepare gives every verb what all of them have in common: usage errors of one
// kind, values from the environment, and warnings about variables nobody reads.
func prepare(root *cli.Command, std streams) {
	known := environmentOf(root)
	_ = root.Walk(func(cmd *cli.Command) error { // The walk fails only if this function does.
		cmd.OnUsageError = func(_ context.Context, cmd *cli.Command, err error, _ bool) error {
			return explainUsage(cmd, err)
		}
		if cmd == root || cmd.Name == serveName { // The server has a log for its warnings.
			return nil
		}
		cmd.Before = func(ctx context.Context, cmd *cli.Command) (context.Context, error) {
			for _, warning := range unknownVariables(os.Environ(), known) {
				note(std.err, "markr: warning: %s", warning)
			}
			return ctx, applyEnvironment(cmd, os.LookupEnv)
		}
		return nil
	})
}

// applyEnvironment sets the flags of cmd that the command line left alone from
// the environment. It is done here and not by the flags themselves so that a bad
// value is told with the variable's name and what would be right.
func applyEnvironment(cmd *cli.Command, lookup func(string) (string, bool)) error {
	for _, flag := range cmd.Flags {
		name := flag.Names()[0]
		text, found := lookup(envName(name))
		if !found || text == "" || flag.IsSet() {
			continue
		}
		if err := flag.Set(name, text); err != nil {
			return withHint(usageError(fmt.Errorf("%s=%q: %s", envName(name), text, plain(err))),
				fmt.Sprintf("correct or unset %s; it stands for --%s, see `%s --help`", envName(name), name, cmd.FullName()))
		}
	}
	return nil
}

// environmentOf lists the variables that any verb reads, sorted.
func environmentOf(root *cli.Command) []string {
	var names []string
	_ = root.Walk(func(cmd *cli.Command) error { // The walk fails only if this function does.
		if cmd == root { // Its one flag, --version, makes sense only where it is typed.
			return nil
		}
		for _, flag := range cmd.Flags {
			names = append(names, envName(flag.Names()[0]))
		}
		return nil
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// unknownVariables returns a warning for each variable of environ that has our
// prefix and that no verb reads: most likely a setting that somebody believes in.
func unknownVariables(environ, known []string) []string {
	var unknown []string
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || kubernetesVariable(name) {
			continue
		}
		if _, found := slices.BinarySearch(known, name); found {
			continue
		}
		text := "environment variable " + name + " is not known and has no effect"
		if near := nearest(name, known); near != "" {
			text += "; did you mean " + near + "?"
		}
		unknown = append(unknown, text)
	}
	return unknown
}

// kubernetesVariable says whether name is one of those that Kubernetes sets in
// every container beside a service called markr.
func kubernetesVariable(name string) bool {
	rest := strings.TrimPrefix(name, envPrefix)
	return rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_")
}

// explainUsage turns what the cli package says about a command line into a usage
// error with a next step. The package tells its errors apart by text alone;
// TestUsageErrors holds these texts to the version in go.mod.
func explainUsage(cmd *cli.Command, err error) error {
	text := strings.Replace(plain(err), " for flag -", " for --", 1)
	hint := fmt.Sprintf("see `%s --help`", cmd.FullName())
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		text = "unknown flag " + dashed(name)
		var names []string
		for _, flag := range cmd.Flags {
			names = append(names, flag.Names()...)
		}
		if near := nearest(name, append(names, "help")); near != "" {
			hint = fmt.Sprintf("did you mean %s? otherwise %s", dashed(near), hint)
		}
	}
	return withHint(usageError(errors.New(text)), hint)
}

// plain takes the name of a Go function out of what a bad number is told with.
func plain(err error) string {
	if before, _, found := strings.Cut(err.Error(), "strconv."); found {
		return before + "is not a number that is allowed here"
	}
	return err.Error()
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// missingVerb answers a command line that names no verb, or none that exists.
func missingVerb(std streams, cmd *cli.Command) error {
	chain := cmd.Lineage()
	slices.Reverse(chain)
	if name := cmd.Args().First(); name != "" {
		return unknownVerb(chain, name)
	}
	if err := writeHelp(std.err, chain); err != nil {
		return err
	}
	return &toldError{usageError(errors.New("no verb"))}
}

// unknownVerb says what the last verb of chain has instead of name.
func unknownVerb(chain []*cli.Command, name string) error {
	cmd := chain[len(chain)-1]
	if len(cmd.Commands) == 0 {
		return withHint(usageError(fmt.Errorf("%s has no verbs of its own: %q", fullName(chain), name)),
			fmt.Sprintf("see `%s --help`", fullName(chain)))
	}
	var names []string
	for _, verb := range cmd.Commands {
		names = append(names, verb.Name)
	}
	hint := fmt.Sprintf("see `%s --help`", fullName(chain))
	if near := nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean `%s %s`?", fullName(chain), near)
	}
	return withHint(usageError(fmt.Errorf("unknown verb %q", name)), hint)
}
