package entry_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"markr/wal/entry"
)

// A document that is sealed with its type comes back, and only under that type.
func TestSealTyped(t *testing.T) {
	t.Parallel()
	c := codec(t)
	for name, raw := range documents() {
		e := c.SealTyped(entry.Header{Outcome: entry.Accepted, MediaType: "text/csv", Source: "here"}, raw)
		if e.Size != int64(len(raw)) || e.Source != "here" || e.MediaType != "text/csv" || e.Check() != nil {
			t.Errorf("%s: header %+v: %v", name, e.Header, e.Check())
		}
		got, err := c.Raw(e, nil)
		if err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%s: %d bytes came back as %d: %v", name, len(raw), len(got), err)
		}
		e.MediaType = "text/csv; header=absent"
		if got, err := c.Raw(e, nil); !errors.Is(err, entry.ErrDamaged) {
			t.Errorf("%s: of another type, and %d bytes came back: %v", name, len(got), err)
		}
	}
}

// The digest tells documents apart by their bytes and by their types, and from all
// that are sealed without, even when somebody writes what is hashed as a document.
func TestTypedDigests(t *testing.T) {
	t.Parallel()
	c := codec(t)
	seen := make(map[entry.Digest]string)
	see := func(what string, e *entry.Entry) {
		t.Helper()
		if other, taken := seen[e.Digest]; taken {
			t.Errorf("%s has the digest of %s", what, other)
		}
		seen[e.Digest] = what
	}
	for _, raw := range []string{"", "a", "b", "ab"} {
		for _, mediaType := range []string{"", "a", "b", "ab"} {
			h := entry.Header{MediaType: mediaType}
			see(fmt.Sprintf("%q as %q", raw, mediaType), c.SealTyped(h, []byte(raw)))
			forged := fmt.Sprintf("delta typed\n\x00\x00\x00\x00\x00\x00\x00%c%s%s", len(mediaType), mediaType, raw)
			see(fmt.Sprintf("the forgery of %q as %q", raw, mediaType), c.Seal(h, []byte(forged)))
		}
		see(fmt.Sprintf("%q", raw), c.Seal(entry.Header{}, []byte(raw)))
	}
	again := c.SealTyped(entry.Header{MediaType: "a", Source: "elsewhere"}, []byte("b"))
	if seen[again.Digest] != `"b" as "a"` {
		t.Error("another digest the next time")
	}
}
