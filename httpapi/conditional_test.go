package httpapi_test

import (
	"regexp"
	"testing"

	"markr/httpapi"
)

func TestMatchesETag(t *testing.T) {
	t.Parallel()
	const tag = `W/"0123456789abcdef"`
	for header, want := range map[string]bool{
		``:                               false,
		`*`:                              true,
		` * `:                            true,
		tag:                              true,
		`"0123456789abcdef"`:             true, // weak comparison
		`w/"0123456789abcdef"`:           false,
		`W/"0123456789abcdee"`:           false,
		`"a", "b",` + tag:                true,
		`"a,b", ` + tag + `, "c"`:        true,
		`W/"a" , ,, W/"b",` + "\t" + tag: true,
		`0123456789abcdef`:               false,
		`"0123456789abcdef`:              false,
		`"a" garbage, ` + tag:            false,
		`"*"`:                            false,
		`W/`:                             false,
		`W/""`:                           false,
	} {
		if got := httpapi.MatchesETag(header, tag); got != want {
			t.Errorf("If-None-Match: %s against %s: %t, want %t", header, tag, got, want)
		}
	}
}

func TestETagIsOfTheBody(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^W/"[0-9a-f]{16}"$`)
	seen := make(map[string]string)
	for _, body := range []string{"", "a", "b", "aa", `{"mean":65.0}`, `{"mean":65.1}`} {
		tag := httpapi.ETag(body)
		if !shape.MatchString(tag) {
			t.Errorf("tag of %q: %s", body, tag)
		}
		if other, taken := seen[tag]; taken {
			t.Errorf("%q and %q have one tag", body, other)
		}
		seen[tag] = body
		if again := httpapi.ETag(body); again != tag {
			t.Errorf("tag of %q: %s, then %s", body, tag, again)
		}
	}
}
