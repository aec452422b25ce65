package mcqxml_test

import (
	"encoding/xml"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"markr/engine/exam"
	"markr/engine/intake/mcqxml"
)

// TestNameCharacters holds the tables for names against the productions, for
// every character there is.
func TestNameCharacters(t *testing.T) {
	t.Parallel()
	begins := regexp.MustCompile(`^[` + nameStartSet + `]$`)
	goesOn := regexp.MustCompile(`^[` + nameSet + `]$`)
	for r := range rune(utf8.MaxRune + 1) {
		if !utf8.ValidRune(r) {
			continue
		}
		gotBegins, gotGoesOn := mcqxml.IsNameRune(r)
		if s := string(r); gotBegins != begins.MatchString(s) || gotGoesOn != goesOn.MatchString(s) {
			t.Fatalf("%U: begins a name %v, goes on one %v", r, gotBegins, gotGoesOn)
		}
	}
}

// TestOldNamesAreNames checks that whatever is a name for encoding/xml, which
// has the second edition, is one in the fifth.
func TestOldNamesAreNames(t *testing.T) {
	t.Parallel()
	taken := func(name string) bool {
		_, err := xml.NewDecoder(strings.NewReader("<" + name + "/>")).RawToken()
		return err == nil
	}
	last := rune(0x3200) // Behind it come Han and Hangul, at length.
	if *long {
		last = 0xFFFF
	}
	for r := rune(0x80); r <= last; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		begins, goesOn := mcqxml.IsNameRune(r)
		if !begins && taken(string(r)) || !goesOn && taken("a"+string(r)) {
			t.Errorf("%U is in a name for encoding/xml, and not for us", r)
		}
	}
}

// TestTimestamps holds the parser against that of package time, and against a
// regular expression, because package time takes more than RFC 3339 does.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)
	text := rapid.OneOf(
		rapid.StringMatching(`(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,12})?(Z|[+-][0-2][0-9]:[0-6][0-9])`),
		rapid.StringMatching(`[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z`),
		rapid.StringMatching(`[12][0-9]{3}-0[2]-(28|29|30)T00:00:00Z`),
		rapid.StringMatching(`2017-12-04[Tt ]12:12:10([.,][0-9]{0,3})?([Zz]|[+-−]?[0-9]{0,2}:?[0-9]{0,2})`),
		rapid.StringMatching(`2017-12-04T1[0-9:]{1,8}Z?`),
		rapid.String(),
	)
	earliest, latest := time.Unix(0, -1<<63).Add(2*time.Second), time.Unix(0, 1<<63-1).Add(-2*time.Second)
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		var want time.Time
		err := want.UnmarshalText([]byte(s))
		good := err == nil && form.MatchString(s) && want.After(earliest) && want.Before(latest)
		got, ok := exam.ParseTimestamp([]byte(s))
		if ok != good || ok && got != want.UnixNano() {
			t.Fatalf("%q: got %d, %v; want %v, %v", s, got, ok, want, err)
		}
	})
}
