package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"markr/wal/entry"
)

// explainRecovery says what to do about a log that cannot be read to its end.
// Nothing is skipped or repaired: somebody has to look.
func explainRecovery(err error, dir string, stopErr error) error {
	if _, damaged := errors.AsType[*entry.DamagedError](err); damaged {
		err = withHint(err, fmt.Sprintf("nothing was changed; to see all that is damaged run `markr vault verify --data-dir %s`", dir))
	}
	if stopErr != nil {
		return fmt.Errorf("%w; then stop: %w", err, stopErr)
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
