package access

import (
	"fmt"
	"strings"
)

// Scope is what somebody may do: a set of the constants below.
type Scope uint8

// The scopes. Admin stands for all of them.
const (
	Import  Scope = 1 << iota // hand in documents
	Read                      // results, imports, the page
	Export                    // documents as they came, with names and numbers
	Metrics                   // /metrics
	Admin                     // everything
	Open    Scope = 0         // what anybody may do
)

// scopeNames are the names of the scopes, in the order in which they are written.
//
//nolint:gochecknoglobals // A table.
var scopeNames = [...]struct {
	scope Scope
	name  string
}{{Import, "import"}, {Read, "read"}, {Export, "export"}, {Metrics, "metrics"}, {Admin, "admin"}}

// ScopeNames lists the names of all scopes.
func ScopeNames() []string {
	names := make([]string, len(scopeNames))
	for i, s := range scopeNames {
		names[i] = s.name
	}
	return names
}

// ParseScope reads names of scopes with commas between them. There is at least
// one.
func ParseScope(text string) (Scope, error) {
	var all Scope
	for name := range strings.SplitSeq(text, ",") {
		one, err := parseOneScope(name)
		if err != nil {
			return 0, err
		}
		all |= one
	}
	return all, nil
}

func parseOneScope(name string) (Scope, error) {
	for _, s := range scopeNames {
		if s.name == name {
			return s.scope, nil
		}
	}
	return 0, fmt.Errorf("scope %q is none of %s", name, strings.Join(ScopeNames(), ", "))
}

// Allows says whether whoever has s may do what needs wanted.
func (s Scope) Allows(wanted Scope) bool { return s&Admin != 0 || s&wanted == wanted }

// String is how a token file writes the scopes.
func (s Scope) String() string {
	var names []string
	for _, known := range scopeNames {
		if s&known.scope != 0 {
			names = append(names, known.name)
		}
	}
	return strings.Join(names, ",")
}
