package access

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
)

// tokenPrefix begins every token, so that a person, and a program that looks for
// secrets in the wrong places, sees what it is.
const tokenPrefix = "markr_"

// tokenBytes is how many random bytes a token has. With 256 bits there is nothing
// to guess, so a plain digest of it tells nothing.
const tokenBytes = 32

// NewToken returns a new token: printable, in one piece, of 256 random bits.
func NewToken(random io.Reader) (string, error) {
	var secret [tokenBytes]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return "", fmt.Errorf("read %d random bytes: %w", tokenBytes, err)
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(secret[:]), nil
}

// Digest is what a token file holds in place of a token.
type Digest [sha256.Size]byte

// DigestOf is the SHA-256 of a token as it is sent.
func DigestOf(token []byte) Digest { return sha256.Sum256(token) }

// String is how a token file writes a digest.
func (d Digest) String() string { return digestPrefix + hex.EncodeToString(d[:]) }

// head is the part of a digest by which it is found.
func (d *Digest) head() uint64 { return binary.LittleEndian.Uint64(d[:]) }
