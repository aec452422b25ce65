package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"

	"markr/engine"
	"markr/wal"
	"markr/wal/entry"
)

// newerHint is for what an older program cannot know.
const newerHint = "use the markr that wrote it or a newer one; nothing was touched"

// explainRecovery says what to do about a log that cannot be read to its end.
// Nothing is skipped or repaired: somebody has to look.
func explainRecovery(err error, dir string, stopErr error) error {
	switch {
	case errors.Is(err, entry.ErrDamaged):
		err = withHint(err, fmt.Sprintf("nothing was changed; to see all that is damaged run `markr vault verify --data-dir %s`", dir))
	case errors.Is(err, entry.ErrUnknownVersion):
		err = withHint(err, newerHint)
	case errors.Is(err, engine.ErrUnreadable):
		err = withHint(err, fmt.Sprintf("nothing was changed; start the markr that accepted it, and look at it with `markr vault dump --data-dir %s`", dir))
	}
	if stopErr != nil {
		return fmt.Errorf("%w; then stop: %w", err, stopErr)
	}
	return err
}

// explainRule says what to do when the flags ask for another rule than the vault's.
func explainRule(err error) error {
	if conflict, ok := errors.AsType[*engine.RuleError](err); ok {
		return withHint(usageError(err), fmt.Sprintf("leave --scoring and --denominator out, and it goes on under %v; "+
			"`markr reprocess --commit` changes the rule of a server that runs", conflict.InForce.Rule))
	}
	return err
}

// explainLook says what to do when a vault cannot be looked into.
func explainLook(err error, dir string) error {
	switch {
	case errors.Is(err, wal.ErrLocked):
		return withHint(err, "stop that server first, or ask it: GET /imports on the address where it listens")
	case errors.Is(err, wal.ErrNoVault):
		return withHint(err, fmt.Sprintf("name the directory with --data-dir or %s", envName("data-dir")))
	}
	return explainOpen(err, dir)
}

// explainEntry says what to do when an entry cannot be read.
func explainEntry(err error, what string) error {
	switch {
	case errors.Is(err, entry.ErrNotFound):
		return withHint(fmt.Errorf("%s: %w", what, err), "`markr vault list` shows what is there")
	case errors.Is(err, entry.ErrDamaged):
		return withHint(err, "`markr vault verify` says what else is damaged")
	case errors.Is(err, entry.ErrUnknownVersion):
		return withHint(err, newerHint)
	}
	return err
}

// explainOpen says what to do when a data directory cannot be opened. dir is
// what was asked for.
func explainOpen(err error, dir string) error {
	elsewhere := fmt.Sprintf("name another directory with --data-dir or %s", envName("data-dir"))
	switch {
	case errors.Is(err, wal.ErrLocked):
		return withHint(err, "one server at a time may have it: stop the other, or "+elsewhere)
	case errors.Is(err, wal.ErrForeignDirectory):
		return withHint(err, elsewhere+"; nothing in this one was touched")
	case errors.Is(err, wal.ErrUnknownFormat):
		return withHint(err, newerHint)
	case errors.Is(err, entry.ErrDamaged):
		return withHint(err, fmt.Sprintf("nothing was changed; `markr vault verify --data-dir %s` says what is damaged", dir))
	case errors.Is(err, syscall.ENOSPC):
		return withHint(err, "make room on the disk, or "+elsewhere)
	case errors.Is(err, os.ErrPermission):
		return withHint(err, "make the directory writable for this user, or "+elsewhere)
	}
	return err
}

// reachable is an address as a client on this machine writes it: "any address"
// is nowhere to connect to.
func reachable(address net.Addr) string {
	tcp, ok := address.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return address.String()
	}
	return net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
}
