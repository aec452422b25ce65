package httpapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"markr/httpapi"
)

// authority signs client certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "scanners"},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	a.certificate, a.key = a.sign(t, template, nil)
	return a
}

// sign makes a certificate, its own if it has no parent.
func (a *authority) sign(t *testing.T, template *x509.Certificate, parent *authority) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, signerKey := template, key
	if parent != nil {
		signer, signerKey = parent.certificate, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer, key.Public(), signerKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// client is a certificate for a client.
func (a *authority) client(t *testing.T, commonName string, dnsNames ...string) *tls.Certificate {
	t.Helper()
	leaf, key := a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: commonName}, DNSNames: dnsNames,
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a)
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}
}

// TestClientCertificates: a certificate lets its holder import under its name, and
// nothing else; a token that is sent beside it decides instead.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	scanners, strangers := newAuthority(t), newAuthority(t)
	token, digest := newToken(t)
	b := newBorder(t, func(o *httpapi.Options) { o.Access = newGuard(t, "reader "+digest+" read") })
	pool := x509.NewCertPool()
	pool.AddCert(scanners.certificate)
	config := &tls.Config{
		Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS12,
		ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool,
	}
	address := b.listen(t, func(ln net.Listener) error { return b.Serve(tls.NewListener(ln, config)) })
	connect := func(c *tls.Certificate) *http.Client {
		trusting := &tls.Config{InsecureSkipVerify: true} // the certificate is the test's own
		if c != nil {
			trusting.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c, nil }
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusting}}
		t.Cleanup(client.CloseIdleConnections)
		return client
	}
	send := func(client *http.Client, method, path, body string, header ...string) (reply, error) {
		request, err := http.NewRequestWithContext(t.Context(), method, "https://"+address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", scannerType)
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		response, err := client.Do(request)
		if err != nil {
			return reply{}, err
		}
		return read(t, response), nil
	}
	want := func(client *http.Client, status int, method, path, body string, header ...string) {
		t.Helper()
		got, err := send(client, method, path, body, header...)
		if err != nil {
			t.Fatal(err)
		}
		got.want(t, status)
	}
	for i, one := range []struct {
		certificate *tls.Certificate
		status      int
		source      string
	}{
		{scanners.client(t, "Scanner 7, Hall B"), 200, "Scanner 7, Hall B"},
		{scanners.client(t, "scanner", "other.example"), 200, "scanner"},
		{scanners.client(t, "", "scanner.example", "other.example"), 200, "scanner.example"},
		{scanners.client(t, ""), 401, ""},
		{scanners.client(t, "line\nfeed"), 401, ""},
		{nil, 401, ""},
	} {
		client := connect(one.certificate)
		body := document(sheet("1", string(rune('a'+i)), 1, 2))
		want(client, one.status, "POST", "/import", body)
		want(client, one.status, "POST", "/import", body, "Expect", "100-continue")
		imports, err := b.engine.Imports(0, 0, 1)
		if one.status == 200 && (err != nil || imports[0].Source != one.source) {
			t.Errorf("source %q, want %q (%v)", imports[0].Source, one.source, err)
		}
		reading := 403
		if one.status != 200 {
			reading = 401
		}
		want(client, reading, "GET", "/results", "")
		want(client, 200, "GET", "/results", "", bearer(token)...)
		want(client, 200, "GET", "/livez", "")
		want(client, 403, "POST", "/import", body, bearer(token)...)
		want(client, 401, "POST", "/import", body, bearer("wrong")...)
	}
	// Another authority's certificate does not come as far as a request.
	if got, err := send(connect(strangers.client(t, "scanner")), "POST", "/import", "x"); err == nil {
		t.Errorf("a stranger's certificate is answered %d", got.StatusCode)
	}
}
