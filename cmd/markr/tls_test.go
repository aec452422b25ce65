package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// With a certificate the public listener speaks HTTPS and nothing else, and the
// operators' one stays plain, because it does not leave the machine.
func TestTLS(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t)
	p := serve(t, t.TempDir(), "--tls-cert", certificate, "--tls-key", key, "--ops-listen", "127.0.0.1:0")
	if !strings.HasPrefix(p.url, "https://127.0.0.1:") {
		t.Fatalf("the server says that it is at %s", p.url)
	}
	// The system's way to trust a certificate works for the client verbs.
	trusting := append(cleanEnvironment(), "SSL_CERT_FILE="+certificate)
	send := exec.Command("markr", "import", "--server", p.url, "-")
	send.Env, send.Stdin = trusting, strings.NewReader(string(paperWithoutMistake(3).raw))
	if output, err := send.CombinedOutput(); err != nil || !strings.Contains(string(output), "accepted") {
		t.Errorf("import over HTTPS: %v\n%s", err, output)
	}
	list := exec.Command("markr", "results", "--server", p.url)
	list.Env = trusting
	if output, err := list.CombinedOutput(); err != nil || !strings.Contains(string(output), paperWithoutMistake(3).ownTest()) {
		t.Errorf("results over HTTPS: %v\n%s", err, output)
	}
	// Whoever does not trust it is told so, and is not served plain HTTP instead.
	if got := run(t, "", "results", "--server", p.url); got.code != 4 || !strings.Contains(got.stderr, "certificate") {
		t.Errorf("an unknown certificate: %+v", got)
	}
	if status, _, err := get(newHTTPClient(t), strings.Replace(p.url, "https", "http", 1)+"/results"); err == nil && status < 400 {
		t.Errorf("plain HTTP is answered with %d", status)
	}
	ops := p.attribute("ops_url")
	if status, _, err := get(newHTTPClient(t), ops+"/readyz"); err != nil || status != 200 {
		t.Errorf("GET %s/readyz: %d, %v", ops, status, err)
	}
	if code := p.stop(t); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// selfSigned writes a certificate for 127.0.0.1 and its key.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, bytes []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	return write("certificate.pem", "CERTIFICATE", signed), write("key.pem", "PRIVATE KEY", encoded)
}
