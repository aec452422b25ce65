package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// jsonFlag asks for output that a program reads.
func jsonFlag(usage string, target *bool) cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: usage, Destination: target}
}

// noArguments refuses arguments of a verb that takes none.
func noArguments(cmd *cli.Command) error { return atMostArguments(cmd, 0) }

// atMostArguments refuses more arguments than a verb takes.
func atMostArguments(cmd *cli.Command, most int) error {
	if cmd.Args().Len() <= most {
		return nil
	}
	return withHint(usageError(fmt.Errorf("unexpected argument %q", cmd.Args().Get(most))),
		fmt.Sprintf("see `%s --help`", cmd.FullName()))
}

// within allows whole numbers in a range.
func within(least, most int) func(int) error {
	return func(n int) error {
		if n < least || n > most {
			return fmt.Errorf("must be %d to %d", least, most)
		}
		return nil
	}
}

// share allows a part of a whole.
func share(f float64) error {
	if !(f >= 0 && f <= 1) { // Also refuses NaN.
		return errors.New("must be 0 to 1")
	}
	return nil
}

// notNegative allows durations of zero and more.
func notNegative(d time.Duration) error {
	if d < 0 {
		return errors.New("must not be negative")
	}
	return nil
}

func notEmpty(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	return nil
}

// address checks the form of an address to listen on: a host, which may be empty,
// and a port.
func address(text string) error {
	if _, _, err := net.SplitHostPort(text); err != nil {
		return errors.New("must be a host and a port, like 127.0.0.1:4567 or :4567")
	}
	return nil
}

func addressOrEmpty(text string) error {
	if text == "" {
		return nil
	}
	return address(text)
}

func oneOf(names ...string) func(string) error {
	return func(text string) error {
		if !slices.Contains(names, text) {
			return fmt.Errorf("must be one of %s", strings.Join(names, ", "))
		}
		return nil
	}
}

func positive(n int64) error {
	if n < 1 {
		return errors.New("must be at least 1")
	}
	return nil
}

// headerSize keeps a header, which is held for every connection, below what no
// client sends.
func headerSize(n int64) error {
	const least, most = 1 << 10, 1 << 20
	if n < least || n > most {
		return fmt.Errorf("must be %s to %s", formatSize(least), formatSize(most))
	}
	return nil
}

func atLeastOne(n int) error { return positive(int64(n)) }

func longerThanNothing(d time.Duration) error {
	if d <= 0 {
		return errors.New("must be longer than 0s")
	}
	return nil
}
