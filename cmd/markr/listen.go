package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"

	"markr/httpapi/access"
)

// doors are the listeners of a service, bound and not yet served.
type doors struct {
	public net.Listener
	ops    net.Listener // nil when everything is on public
	secure bool
	access string        // who decides who is let in, see access.go
	guard  *access.Guard // nil when nobody is asked
	tls    *tlsFiles     // nil for plain HTTP
	tokens *tokenFile    // nil when nobody is asked for a token
	files  []*watched    // what it is decided by
}

// listen binds what the flags ask for. Whatever is wrong with it is told with
// the flag to change.
func listen(o *serveOptions, logger *slog.Logger) (*doors, error) {
	files, err := o.newTLSFiles()
	if err != nil {
		return nil, err
	}
	// Looked up before anything is bound; a name that is not known is for bind to
	// tell.
	if address, err := net.ResolveTCPAddr("tcp", o.listen); err == nil {
		if _, err := o.accessMode(address); err != nil {
			return nil, err
		}
	}
	d := &doors{secure: files != nil, guard: o.newGuard(), tls: files}
	if d.secure {
		d.files = append(d.files, files.watched())
	}
	if o.tokenFile != "" {
		d.tokens = &tokenFile{name: o.tokenFile, guard: d.guard, logger: logger}
		d.files = append(d.files, d.tokens.watched())
	}
	if d.public, err = bind("listen", o.listen); err != nil {
		return nil, err
	}
	if d.access, err = o.accessMode(d.public.Addr()); err != nil { // A name may mean two things.
		return nil, errors.Join(err, d.public.Close())
	}
	if d.secure {
		d.public = tls.NewListener(d.public, files.server())
	}
	if o.opsListen != "" {
		if d.ops, err = bind("ops-listen", o.opsListen); err != nil {
			return nil, errors.Join(err, d.public.Close())
		}
	}
	return d, nil
}

// close is for a start that went no further; a served listener is closed by its
// server.
func (d *doors) close() error {
	err := d.public.Close()
	if d.ops != nil {
		err = errors.Join(err, d.ops.Close())
	}
	return err
}

// bind listens on the address of a flag.
func bind(flag, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", address)
	if err == nil {
		return listener, nil
	}
	cause := err
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		cause = e.Err // The rest repeats the address.
	}
	hint := fmt.Sprintf("choose an address of this machine with --%s or %s", flag, envName(flag))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hint = fmt.Sprintf("another program listens there, perhaps another markr: stop it, or choose another address with --%s or %s",
			flag, envName(flag))
	case errors.Is(err, os.ErrPermission):
		hint = fmt.Sprintf("ports below 1024 are the administrator's: choose a higher one with --%s or %s", flag, envName(flag))
	}
	return nil, withHint(fmt.Errorf("listen on %s: %w", address, cause), hint)
}
