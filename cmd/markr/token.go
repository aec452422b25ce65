package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"markr/httpapi/access"
)

func newToken(std streams) *cli.Command {
	return &cli.Command{
		Name:        "token",
		Usage:       "make tokens for those who may use a server",
		Description: "A server with --token-file lets in whoever presents a token that the file knows. The file holds digests, so a token cannot be got back from it: make a new one, and take the old line out.",
		UsageText:   "markr token new scanner-7 --scope import --token-file tokens",
		Commands:    []*cli.Command{newTokenNew(std)},
		Action:      func(_ context.Context, cmd *cli.Command) error { return missingVerb(std, cmd) },
	}
}

// tokenOptions are the flags of the verb, as text.
type tokenOptions struct {
	scopes  []string
	from    []string
	rate    string
	expires string
	file    string
}

const tokenNewDescription = `Prints a new random token, once, on standard output. With --token-file its line is added to the file, which is made if it is not there, and a running server takes it up within seconds; without, the line goes to standard error.

The scopes are import (hand in documents), read (results, imports, the page), export (documents as they came, with names and student numbers), metrics (/metrics) and admin (all of them). The NAME becomes the source of the documents that are handed in with the token; operator and markr are others' in the audit trail, and no token's.`

func newTokenNew(std streams) *cli.Command {
	o := &tokenOptions{}
	return &cli.Command{
		Name:        "new",
		Usage:       "make a token",
		UsageText:   "markr token new scanner-7 --scope import --token-file tokens\nmarkr token new page --scope read,metrics --expires 2027-08-01 >token",
		ArgsUsage:   "NAME",
		Description: tokenNewDescription,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{
				Name: "scope", Destination: &o.scopes, Usage: "allow `SCOPE` import, read, export, metrics or admin; may be repeated",
				Validator: func(scopes []string) error {
					_, err := access.ParseScope(strings.Join(scopes, ","))
					return err
				},
			},
			&cli.StringSliceFlag{
				Name: "from", Destination: &o.from, Usage: "only from `ADDRESS` or network, like 10.1.0.0/16; may be repeated",
				Validator: func(from []string) error {
					_, err := access.ParseFrom(strings.Join(from, ","))
					return err
				},
			},
			&cli.StringFlag{
				Name: "rate", Destination: &o.rate, Usage: "at most `N` requests a second",
				Validator: unlessEmpty(func(text string) error {
					_, err := access.ParseRate(text)
					return err
				}),
			},
			&cli.StringFlag{
				Name: "expires", Destination: &o.expires, Usage: "until `TIME`, like 2027-08-01 or 2027-08-01T12:00:00Z",
				Validator: unlessEmpty(func(text string) error {
					_, err := access.ParseExpires(text)
					return err
				}),
			},
			&cli.StringFlag{Name: "token-file", Destination: &o.file, TakesFile: true, Usage: "add the token's line to `FILE`"},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := atMostArguments(cmd, 1); err != nil {
				return err
			}
			return makeToken(std, cmd.Args().First(), o)
		},
	}
}

func unlessEmpty(check func(string) error) func(string) error {
	return func(text string) error {
		if text == "" {
			return nil
		}
		return check(text)
	}
}

// makeToken makes a token and shows it, after its line is where it has to be.
func makeToken(std streams, name string, o *tokenOptions) error {
	grant, err := o.grant(name)
	if err != nil {
		return withHint(usageError(err), "for example `markr token new scanner-7 --scope import`, see `markr token new --help`")
	}
	token, err := access.NewToken(rand.Reader)
	if err != nil {
		return fmt.Errorf("make token: %w", err)
	}
	line := access.Line(access.DigestOf([]byte(token)), grant)
	if o.file == "" {
		note(std.err, "The token is shown this once. The line for the server's token file:\n%s", line)
	} else if err := appendToken(o.file, line); err != nil {
		return withHint(fmt.Errorf("add token: %w", err), "no token was made; choose another name, or mend the file")
	} else {
		note(std.err, "The token is shown this once; %s knows it as %s.", o.file, name)
	}
	_, err = fmt.Fprintln(std.out, token)
	return err
}

// grant is what the flags allow.
func (o *tokenOptions) grant(name string) (*access.Grant, error) {
	if err := access.CheckName(name); err != nil {
		return nil, fmt.Errorf("name of the token: %w", err)
	}
	if len(o.scopes) == 0 {
		return nil, fmt.Errorf("token %s would allow nothing: give --scope", name)
	}
	g := &access.Grant{Name: name}
	var err error
	if g.Scopes, err = access.ParseScope(strings.Join(o.scopes, ",")); err != nil {
		return nil, err
	}
	if len(o.from) > 0 {
		if g.From, err = access.ParseFrom(strings.Join(o.from, ",")); err != nil {
			return nil, err
		}
	}
	if o.rate != "" {
		if g.Rate, err = access.ParseRate(o.rate); err != nil {
			return nil, err
		}
	}
	if o.expires != "" {
		if g.Expires, err = access.ParseExpires(o.expires); err != nil {
			return nil, err
		}
	}
	return g, nil
}
