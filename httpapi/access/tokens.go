package access

import (
	"crypto/subtle"
	"slices"
	"strings"
)

// Tokens is a set of tokens, known by their digests. It never changes once it has
// been read, but for the rates of its grants.
type Tokens struct {
	// byHead finds the few digests, nearly always one, that begin alike. How long
	// that takes tells at most about the beginning of a digest, from which nobody
	// gets back to a token.
	byHead map[uint64][]known
	count  int
}

// known is a digest and what it allows.
type known struct {
	digest Digest
	grant  *Grant
}

func newTokens() *Tokens { return &Tokens{byHead: make(map[uint64][]known)} }

// add adds a token and says whether it is new.
func (t *Tokens) add(digest Digest, g *Grant) bool {
	if t.find(&digest) != nil {
		return false
	}
	t.byHead[digest.head()] = append(t.byHead[digest.head()], known{digest, g})
	t.count++
	return true
}

// Len is how many tokens there are.
func (t *Tokens) Len() int { return t.count }

// Grants are what the tokens allow, in order of name.
func (t *Tokens) Grants() []*Grant {
	grants := make([]*Grant, 0, t.count)
	for _, alike := range t.byHead {
		for i := range alike {
			grants = append(grants, alike[i].grant)
		}
	}
	slices.SortFunc(grants, func(a, b *Grant) int { return strings.Compare(a.Name, b.Name) })
	return grants
}

// Find is what a token allows, nil if it is not known. The token is not kept.
func (t *Tokens) Find(token []byte) *Grant {
	digest := DigestOf(token)
	return t.find(&digest)
}

func (t *Tokens) find(digest *Digest) *Grant {
	candidates := t.byHead[digest.head()]
	for i := range candidates {
		if subtle.ConstantTimeCompare(candidates[i].digest[:], digest[:]) == 1 {
			return candidates[i].grant
		}
	}
	return nil
}
