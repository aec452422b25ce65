package main_test

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A certificate is taken up when it changes, with its key or not at all, and
// nothing older than TLS 1.2 is spoken.
func TestCertificateReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	replace := func(to, from string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	oldCert, oldKey := selfSigned(t)
	replace(cert, oldCert)
	replace(key, oldKey)
	p := serve(t, t.TempDir(), "--tls-cert", cert, "--tls-key", key)
	address := strings.TrimPrefix(p.url, "https://")
	shown := func() string {
		t.Helper()
		c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // Who it is is what is looked at.
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return string(c.ConnectionState().PeerCertificates[0].Raw)
	}
	until := func(what string, holds func() bool) {
		t.Helper()
		for began := time.Now(); !holds(); time.Sleep(time.Millisecond) {
			if time.Since(began) > patience {
				t.Fatalf("not after %v: %s", patience, what)
			}
		}
	}
	before := shown()
	if old, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Errorf("TLS 1.1 is spoken: %x", old.ConnectionState().Version)
	}
	// A certificate without its key is of no use, and the one before goes on.
	newCert, newKey := selfSigned(t)
	replace(cert, newCert)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until("half of a pair is told", func() bool { return strings.Contains(p.logged(), "files were not taken up") })
	if shown() != before {
		t.Error("half of a pair was taken up")
	}
	// With its key it is taken up without being told.
	replace(key, newKey)
	until("the new certificate is shown", func() bool { return shown() != before })
	if strings.Contains(p.logged(), "PRIVATE KEY") {
		t.Error("the log shows a key")
	}
	if code := p.stop(t); code != 0 {
		t.Errorf("exit %d", code)
	}
}
