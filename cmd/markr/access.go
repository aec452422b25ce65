package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"markr/httpapi/access"
)

// How the public listener decides who is let in; in the log under these names.
const (
	modeLoopback     = "loopback" // this machine alone reaches it
	modeTokens       = "tokens"
	modeCertificates = "client-certificates"
	modeBoth         = "tokens,client-certificates"
	modeInsecure     = "insecure" // everybody who reaches it
)

// accessMode is how it is decided for a listener on an address. Where others than
// this machine reach it, there has to be somebody who asks, or a person who has said
// that nobody needs to.
func (o *serveOptions) accessMode(address net.Addr) (string, error) {
	if o.insecure && (o.tokenFile != "" || o.tlsClientCA != "") {
		return "", withHint(usageError(errors.New("--insecure lets everybody in, --token-file and --tls-client-ca do not")),
			"leave --insecure out: with tokens or client certificates it is not needed")
	}
	switch {
	case o.tokenFile != "" && o.tlsClientCA != "":
		return modeBoth, nil
	case o.tokenFile != "":
		return modeTokens, nil
	case o.tlsClientCA != "":
		return modeCertificates, nil
	case isLoopback(address):
		return modeLoopback, nil
	case o.insecure:
		return modeInsecure, nil
	}
	return "", withHint(usageError(fmt.Errorf("listen on %s: others than this machine reach it, and nobody would ask them who they are", o.listen)),
		"give --token-file (`markr token new` makes tokens) or --tls-client-ca; --insecure if something in front asks, or nobody has to; or listen on 127.0.0.1")
}

// isLoopback says whether this machine alone reaches an address.
func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// newGuard asks those who come to the public listener; nil if nobody does.
func (o *serveOptions) newGuard() *access.Guard {
	if o.tokenFile == "" && o.tlsClientCA == "" {
		return nil
	}
	return access.NewGuard(nil)
}

// logAccess says who is let in, and what about it should be looked at.
func (s *service) logAccess(o *serveOptions, mode string) {
	level := slog.LevelInfo
	if mode == modeInsecure {
		level = slog.LevelWarn
	}
	s.logger.Log(context.Background(), level, "access", "mode", mode, "token_file", o.tokenFile, "tls_client_ca", o.tlsClientCA)
	if (mode == modeTokens || mode == modeBoth) && !s.secure && !isLoopback(s.address) {
		s.logger.Warn("tokens cross the network as they are", "hint", "give --tls-cert and --tls-key, unless something in front speaks TLS")
	}
	if mode == modeCertificates {
		s.logger.Warn("client certificates allow imports only; nobody can read", "hint", "give --token-file, too")
	}
	if s.opsAddress != nil && !isLoopback(s.opsAddress) {
		s.logger.Warn("others than this machine reach the operators' address, and nobody asks them who they are", "ops_url", s.opsURL())
	}
}
