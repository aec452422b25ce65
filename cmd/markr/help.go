package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"
)

// pageWidth is the widest line of a help page, in characters: a terminal's.
const pageWidth = 80

// rootDescription is what `markr --help` says beyond the list of verbs.
const rootDescription = `Markr is one program: the server, the tools that talk to it over HTTP, and the tools that look at a data directory while no server has it open.

Every flag of every verb has an environment variable: MARKR_ and the flag's name in capitals, with _ for -. The command line wins over the environment, the environment over the default. Sizes take KiB, MiB, GiB and TiB; durations are written like 300ms, 10s or 5m.

Data goes to standard output, everything else to standard error. ` + "`markr completion bash`" + ` prints a completion script; it knows zsh, fish and pwsh too.

Exit status:
    0    done
    1    failed
    2    the command line or the environment is wrong
    3    the server refused data
    4    the server is unreachable or not ready; trying again is safe
    130  interrupted`

// newHelp is the verb that shows a page, as --help does behind any other verb.
func newHelp(std streams) *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "show what a verb does and which flags it has",
		UsageText: "markr help\nmarkr help serve\nmarkr help vault verify",
		ArgsUsage: "[VERB...]",
		Action: func(_ context.Context, cmd *cli.Command) error {
			chain := []*cli.Command{cmd.Root()}
			for _, name := range cmd.Args().Slice() {
				verb := chain[len(chain)-1].Command(name)
				if verb == nil {
					return unknownVerb(chain, name)
				}
				chain = append(chain, verb)
			}
			return writeHelp(std.out, chain)
		},
	}
}

// helpWanted looks for -h or --help anywhere before a "--", and returns the verbs
// the command line names, outermost first. It looks before the command line is
// parsed, so that help is never hidden behind a mistake.
func helpWanted(root *cli.Command, args []string) (chain []*cli.Command, wanted bool) {
	chain = []*cli.Command{root}
	for _, arg := range args[min(1, len(args)):] {
		if arg == "--" {
			break
		}
		if arg == "-h" || arg == "--help" {
			wanted = true
		}
		if verb := chain[len(chain)-1].Command(arg); verb != nil {
			chain = append(chain, verb)
		}
	}
	return chain, wanted
}

// fullName is what a person types to reach the last verb.
func fullName(chain []*cli.Command) string {
	names := make([]string, len(chain))
	for i, cmd := range chain {
		names[i] = cmd.Name
	}
	return strings.Join(names, " ")
}

// writeHelp writes the page of the last verb: what it is, examples, then the
// reference.
func writeHelp(w io.Writer, chain []*cli.Command) error {
	cmd, name := chain[len(chain)-1], fullName(chain)
	var b strings.Builder
	fmt.Fprintf(&b, "%s - %s\n", name, cmd.Usage)
	if cmd.UsageText != "" {
		b.WriteString("\nEXAMPLES\n" + indent(cmd.UsageText, "    "))
	}
	b.WriteString("\nUSAGE\n    " + synopsis(cmd, name) + "\n")
	if cmd.Description != "" {
		b.WriteString("\nDESCRIPTION\n")
		for paragraph := range strings.SplitSeq(cmd.Description, "\n") {
			b.WriteString(wrap(paragraph, "    "))
		}
	}
	writeVerbs(&b, cmd)
	writeFlags(&b, cmd, len(chain) > 1)
	_, err := io.WriteString(w, b.String())
	return err
}

func synopsis(cmd *cli.Command, name string) string {
	parts := []string{name}
	switch {
	case len(cmd.Commands) > 0 && cmd.ArgsUsage != "": // It does something by itself.
		parts = append(parts, "[VERB]")
	case len(cmd.Commands) > 0:
		parts = append(parts, "VERB")
	}
	if len(cmd.Flags) > 0 || len(cmd.Commands) > 0 {
		parts = append(parts, "[FLAGS]")
	}
	if cmd.ArgsUsage != "" {
		parts = append(parts, cmd.ArgsUsage)
	}
	return strings.Join(parts, " ")
}

func writeVerbs(b *strings.Builder, cmd *cli.Command) {
	if len(cmd.Commands) == 0 {
		return
	}
	b.WriteString("\nVERBS\n")
	for _, verb := range cmd.Commands {
		if !verb.Hidden {
			fmt.Fprintf(b, "    %-12s %s\n", verb.Name, verb.Usage)
		}
	}
}

// documentedFlag is what every flag type of the cli package is.
type documentedFlag interface {
	cli.Flag
	cli.DocGenerationFlag
	cli.CategorizableFlag
}

// writeFlags lists the flags by category, both in the order they were declared.
func writeFlags(b *strings.Builder, cmd *cli.Command, withVariables bool) {
	var categories []string
	byCategory := make(map[string][]documentedFlag)
	for _, f := range cmd.Flags {
		flag, ok := f.(documentedFlag)
		if !ok {
			continue
		}
		category := cmp.Or(flag.GetCategory(), "FLAGS")
		if byCategory[category] == nil {
			categories = append(categories, category)
		}
		byCategory[category] = append(byCategory[category], flag)
	}
	for _, category := range categories {
		fmt.Fprintf(b, "\n%s\n", category)
		for _, flag := range byCategory[category] {
			writeFlag(b, flag, withVariables)
		}
	}
}

// writeFlag writes a flag, its variable at the right margin, and below what it
// does.
func writeFlag(b *strings.Builder, flag documentedFlag, withVariable bool) {
	name := flag.Names()[0]
	placeholder, usage := unquote(flag.GetUsage())
	head := "    --" + name
	if flag.TakesValue() {
		head += " " + cmp.Or(placeholder, "VALUE")
	}
	if withVariable {
		variable := envName(name)
		head += fmt.Sprintf("%*s", max(pageWidth-len(head), len(variable)+2), variable)
	}
	b.WriteString(head + "\n")
	if text := defaultText(flag); text != "" {
		usage += " (default " + text + ")"
	}
	b.WriteString(wrap(usage, "        "))
}

// defaultText shows a default that says something: not false and not empty.
func defaultText(flag documentedFlag) string {
	if !flag.IsDefaultVisible() || !flag.TakesValue() {
		return ""
	}
	if text := flag.GetDefaultText(); text != "" {
		return text
	}
	text := flag.GetValue()
	if plain, err := strconv.Unquote(text); err == nil {
		text = plain
	}
	return text
}

// unquote finds the placeholder of a flag's value, which stands between back
// quotes in its usage, as in package flag.
func unquote(usage string) (placeholder, text string) {
	before, rest, found := strings.Cut(usage, "`")
	placeholder, after, closed := strings.Cut(rest, "`")
	if !found || !closed {
		return "", usage
	}
	return placeholder, before + placeholder + after
}

// wrap breaks a paragraph at spaces. One that is indented is a table and stays
// as it is.
func wrap(paragraph, margin string) string {
	if paragraph == "" {
		return "\n"
	}
	if strings.HasPrefix(paragraph, " ") {
		return margin + paragraph + "\n"
	}
	var b strings.Builder
	line := margin
	for word := range strings.FieldsSeq(paragraph) {
		if len(line)+1+len(word) > pageWidth && line != margin {
			b.WriteString(line + "\n")
			line = margin
		}
		if line != margin {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
	return b.String()
}

func indent(text, margin string) string {
	return margin + strings.ReplaceAll(text, "\n", "\n"+margin) + "\n"
}
