package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// doors are the listeners of a service, bound and not yet served.
type doors struct {
	public net.Listener
	ops    net.Listener // nil when everything is on public
	secure bool
}

// listen binds what the flags ask for. Whatever is wrong with it is told with
// the flag to change.
func listen(o *serveOptions) (*doors, error) {
	certificate, err := o.certificate()
	if err != nil {
		return nil, err
	}
	d := &doors{secure: certificate != nil}
	if d.public, err = bind("listen", o.listen); err != nil {
		return nil, err
	}
	if d.secure {
		d.public = tls.NewListener(d.public, certificate)
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

// certificate is the configuration for TLS, nil for plain HTTP.
func (o *serveOptions) certificate() (*tls.Config, error) {
	switch {
	case o.tlsCert == "" && o.tlsKey == "":
		return nil, nil //nolint:nilnil // No certificate is no mistake.
	case o.tlsCert == "" || o.tlsKey == "":
		return nil, withHint(usageError(errors.New("a certificate and its key go together")),
			"give both --tls-cert and --tls-key, or neither")
	}
	pair, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
	if err != nil {
		return nil, withHint(fmt.Errorf("read TLS certificate: %w", err),
			"--tls-cert and --tls-key name PEM files of one certificate")
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
}
