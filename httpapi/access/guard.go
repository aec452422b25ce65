package access

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"
)

// Why somebody is refused. All of them may be compared with errors.Is.
var (
	// ErrNoCredentials: neither a token nor a certificate was presented.
	ErrNoCredentials = errors.New("no credentials")
	// ErrUnknownToken: the token is not in the file.
	ErrUnknownToken = errors.New("unknown token")
	// ErrExpired: the token or the certificate is no longer valid.
	ErrExpired = errors.New("expired")
	// ErrSource: the token may not be used from this address.
	ErrSource = errors.New("not from this address")
	// ErrScope: the token does not allow this.
	ErrScope = errors.New("scope missing")
)

// A WaitError says that a request comes too early.
type WaitError struct {
	// Attempts says whether too many attempts of the address have failed; else the
	// rate of the token is exceeded.
	Attempts bool
	Wait     time.Duration // until it is worth another try
}

// Error says for how long to wait.
func (e *WaitError) Error() string {
	if e.Attempts {
		return fmt.Sprintf("too many failed attempts; wait %v", e.Wait)
	}
	return fmt.Sprintf("rate exceeded; wait %v", e.Wait)
}

// A Guard knows the tokens that are valid now. It is safe for concurrent use.
type Guard struct {
	tokens  atomic.Pointer[Tokens]
	strikes strikes
}

// NewGuard returns a guard of these tokens; nil is none.
func NewGuard(tokens *Tokens) *Guard {
	g := &Guard{}
	g.Replace(tokens)
	return g
}

// Replace puts another set of tokens in place of the one so far, at once and as a
// whole. Rates begin anew.
func (g *Guard) Replace(tokens *Tokens) {
	if tokens == nil {
		tokens = newTokens()
	}
	g.tokens.Store(tokens)
}

// Identify finds out who presents a token. A valid token is let pass however many
// others of the same address have failed, so nobody is kept out by a neighbour.
func (g *Guard) Identify(token []byte, address netip.Addr, now time.Time) (*Grant, error) {
	found := g.tokens.Load().Find(token)
	if found == nil {
		if wait := g.strikes.add(address, now); wait > 0 {
			return nil, &WaitError{Attempts: true, Wait: wait}
		}
		return nil, ErrUnknownToken
	}
	return found, nil
}

// Knows says whether a token is known and valid for a scope from an address,
// without counting anything.
func (g *Guard) Knows(token []byte, wanted Scope, address netip.Addr, now time.Time) bool {
	found := g.tokens.Load().Find(token)
	return found != nil && found.Check(wanted, address, now) == nil
}

// Check says why a grant does not allow what needs a scope; nil if it does.
func (g *Grant) Check(wanted Scope, address netip.Addr, now time.Time) error {
	switch {
	case g.ExpiredAt(now):
		return ErrExpired
	case !g.ValidFrom(address):
		return ErrSource
	case !g.Scopes.Allows(wanted):
		return ErrScope
	}
	return nil
}
