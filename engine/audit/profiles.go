package audit

import (
	"fmt"
	"strings"
)

// ProfileSet is the profiles by which tables are read. Without a directory there are none.
// A document is kept with its own, so what has been counted does not depend on them.
type ProfileSet struct {
	Dir   string `json:"dir"`
	Count int    `json:"count"`
	// Profiles are at most ProfilesListed of them, in order of name.
	Profiles []Profile `json:"profiles"`
}

// ProfilesListed is how many profiles an event lists.
const ProfilesListed = 1000

// Profile is one of them.
type Profile struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of the profile as it is kept with documents, in hexadecimal digits
}

// String names them, for a person, in a few words.
func (s *ProfileSet) String() string {
	if s.Dir == "" {
		return "no profiles"
	}
	names := make([]string, len(s.Profiles))
	for i := range names {
		names[i] = s.Profiles[i].Name
	}
	if len(names) < s.Count {
		names = append(names, "…")
	}
	return strings.TrimSuffix(fmt.Sprintf("%d of %s: %s", s.Count, s.Dir, strings.Join(names, ", ")), ": ")
}
