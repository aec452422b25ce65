package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

// tlsFiles are the files that HTTPS is made of. They are taken up together, and a
// connection has those that there were when it began.
type tlsFiles struct {
	cert, key string
	clientCA  string // empty: clients need no certificate
	read      [][]byte
	config    atomic.Pointer[tls.Config]
}

// newTLSFiles are those that the flags name, nil for plain HTTP.
func (o *serveOptions) newTLSFiles() (*tlsFiles, error) {
	switch {
	case o.tlsCert == "" && o.tlsKey == "" && o.tlsClientCA == "":
		return nil, nil //nolint:nilnil // No certificate is no mistake.
	case o.tlsCert == "" && o.tlsKey == "":
		return nil, withHint(usageError(errors.New("clients show their certificates only over HTTPS")),
			"give --tls-cert and --tls-key beside --tls-client-ca")
	case o.tlsCert == "" || o.tlsKey == "":
		return nil, withHint(usageError(errors.New("a certificate and its key go together")),
			"give both --tls-cert and --tls-key, or neither")
	}
	return &tlsFiles{cert: o.tlsCert, key: o.tlsKey, clientCA: o.tlsClientCA}, nil
}

// watched are the files as a watcher takes them up.
func (f *tlsFiles) watched() *watched {
	files := []string{f.cert, f.key}
	if f.clientCA != "" {
		files = append(files, f.clientCA)
	}
	w := &watched{what: "tls", files: files, load: f.load}
	if f.clientCA != "" {
		w.inForce = f.inForce
	}
	return w
}

// load reads the files and uses them for connections from now on.
func (f *tlsFiles) load() (changed bool, err error) {
	var read [][]byte
	for _, name := range f.watched().files {
		text, err := os.ReadFile(name)
		if err != nil {
			return false, withHint(fmt.Errorf("read TLS certificate: %w", err), f.hint())
		}
		read = append(read, text)
	}
	if f.same(read) {
		return false, nil
	}
	pair, err := tls.X509KeyPair(read[0], read[1])
	if err != nil {
		return false, withHint(fmt.Errorf("read TLS certificate: %w", err), f.hint())
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}
	if f.clientCA != "" {
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(read[2]) {
			return false, withHint(fmt.Errorf("read TLS certificate: %s holds no certificate", f.clientCA), f.hint())
		}
		// Who has a token, or asks for nothing that takes one, needs no certificate.
		config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	f.config.Store(config)
	f.read = read
	return true, nil
}

func (f *tlsFiles) same(read [][]byte) bool {
	for i := range read {
		if f.read == nil || !bytes.Equal(f.read[i], read[i]) {
			return false
		}
	}
	return true
}

func (f *tlsFiles) hint() string {
	if f.clientCA != "" {
		return "--tls-cert and --tls-key name PEM files of one certificate, --tls-client-ca one of those who sign the clients'"
	}
	return "--tls-cert and --tls-key name PEM files of one certificate"
}

// server is the configuration of a listener, which asks for the files' anew for
// every connection.
func (f *tlsFiles) server() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return f.config.Load(), nil },
	}
}
