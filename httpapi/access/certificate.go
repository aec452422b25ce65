package access

import (
	"crypto/x509"
	"unicode"
)

// certificateNameBytesMax is the longest name of a certificate that is taken: what
// X.509 allows for a host name, and far below what a vault keeps.
const certificateNameBytesMax = 255

// Certified is what a verified client certificate allows: to import, under its
// common name, or, if it has none, its first DNS name. It is nil if there is no
// name that could be shown in a list, or it is one that no token may have.
func Certified(leaf *x509.Certificate) *Grant {
	name := leaf.Subject.CommonName
	if name == "" && len(leaf.DNSNames) > 0 {
		name = leaf.DNSNames[0]
	}
	if name == "" || len(name) > certificateNameBytesMax || reserved(name) {
		return nil
	}
	for _, r := range name {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return nil
		}
	}
	return &Grant{Name: name, Scopes: Import, Expires: leaf.NotAfter}
}
