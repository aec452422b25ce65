package main

import (
	"errors"
	"fmt"
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
