package httpapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// exhausted is a listener of a process that has run out of file descriptors for
// a while.
type exhausted struct {
	net.Listener

	failures atomic.Int32
}

func (e *exhausted) Accept() (net.Conn, error) {
	if e.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return e.Listener.Accept()
}

// TestAcceptSurvivesExhaustion: running out of file descriptors passes.
func TestAcceptSurvivesExhaustion(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	b.address = b.listen(t, func(ln net.Listener) error {
		failing := &exhausted{Listener: ln}
		failing.failures.Store(2)
		return b.Serve(failing)
	})
	b.get(t, "/livez").want(t, 200)
	if n := strings.Count(b.logs.String(), "connections cannot be accepted"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, b.logs)
	}
}

// TestTLS: everything works behind TLS, and a client that never shakes hands is
// cut off.
func TestTLS(t *testing.T) {
	t.Parallel()
	b := newBorder(t, impatient)
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS12}
	address := b.listen(t, func(ln net.Listener) error { return b.Serve(tls.NewListener(ln, config)) })

	trusting := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} // the certificate is the test's own
	body := document(sheet("tls", "1", 1, 2))
	request, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+address+"/import", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", scannerType)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusting.Clone()}}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, response).want(t, 200)
	if got.Header.Get("Server") != "" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", got.Header)
	}
	imports, err := b.engine.Imports(0, 0, 1)
	if err != nil || imports[0].Source != "127.0.0.1" {
		t.Errorf("%+v %v", imports, err)
	}
	// A refusal with a body on its way reaches a client that sends first.
	c, err := tls.Dial("tcp", address, trusting)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, typed+"Content-Length: 4294967296\r\n\r\n"+strings.Repeat("x", 1<<20)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 413 ") {
		t.Errorf("%q %v", answer, err)
	}

	// Nothing can be said to a client that does not shake hands.
	dial(t, address).wantClosed()
}

// certificate makes one for this test.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
