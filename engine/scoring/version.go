package scoring

import (
	"errors"
	"fmt"
)

// ErrUnknownVersion says that this program knows the name and not the version, so
// another markr has written it.
var ErrUnknownVersion = errors.New("unknown version")

// named is how a policy or a denominator is known outside of this program: it stands
// in logs and checkpoints, and so means the same for ever. Who changes what a policy
// keeps adds one with the same name and the next version, and leaves the old one: a
// log that names it can be read as before, and a reprocess moves it to the new one.
type named struct {
	name    string
	version int
}

// newest finds the newest version of a name.
func newest(all []named, what, name string) (int, error) {
	found := -1
	var names []string
	for i, n := range all {
		if n.name == name && (found < 0 || n.version > all[found].version) {
			found = i
		}
		if n.version == 1 {
			names = append(names, n.name)
		}
	}
	if found < 0 {
		return 0, fmt.Errorf("%s %q: must be one of %q", what, name, names)
	}
	return found, nil
}

// exactly finds a name with a version.
func exactly(all []named, what string, wanted named) (int, error) {
	for i, n := range all {
		if n == wanted {
			return i, nil
		}
	}
	if _, err := newest(all, what, wanted.name); err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("%s %s: %w %d", what, wanted.name, ErrUnknownVersion, wanted.version)
}
