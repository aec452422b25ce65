package access_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"markr/engine/audit"
	"markr/httpapi/access"
)

// Nobody is let in under a name that stands for somebody else in the audit trail.
func TestReservedNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{audit.Operator, audit.Program, "Operator", "MARKR"} {
		if err := access.CheckName(name); err == nil {
			t.Errorf("a token may be called %s", name)
		}
		for _, leaf := range []*x509.Certificate{{Subject: pkix.Name{CommonName: name}}, {DNSNames: []string{name}}} {
			if grant := access.Certified(leaf); grant != nil {
				t.Errorf("a certificate lets %s in", grant.Name)
			}
		}
	}
	for _, name := range []string{"operators", "markr-7"} {
		if err := access.CheckName(name); err != nil {
			t.Error(err)
		}
		if access.Certified(&x509.Certificate{Subject: pkix.Name{CommonName: name}}) == nil {
			t.Errorf("a certificate does not let %s in", name)
		}
	}
}
