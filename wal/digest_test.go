package wal_test

import (
	"testing"

	"markr/wal/entry"
	"markr/wal/waltest"
)

// Documents whose digests begin alike, which the index cannot tell apart, are kept
// apart: in one group, across groups, and after reopening.
func TestDigestsThatBeginAlike(t *testing.T) {
	t.Parallel()
	fs := filled(t)
	v := openVault(t, inMemory(fs))
	maker := waltest.NewMaker(t)
	// Only the digests matter here, so they may be other ones than the documents'.
	alike := func(ends ...byte) []*entry.Entry {
		entries := maker.Accepted(make([]int, len(ends))...)
		for i, end := range ends {
			entries[i].Digest = entry.Digest{1, 2, 3, 31: end}
		}
		return entries
	}
	add := func(entries []*entry.Entry, want ...entry.Position) {
		t.Helper()
		if err := v.Append(entries); err != nil {
			t.Fatal(err)
		}
		for i, e := range entries {
			if e.DuplicateOf != want[i] {
				t.Errorf("position %d is a duplicate of %d, want %d", e.Position, e.DuplicateOf, want[i])
			}
		}
	}
	first := v.Last() + 1
	add(alike(1, 2, 1, 2), 0, 0, first, first+1)
	add(alike(3, 2, 3), 0, first+1, first+4)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v = openVault(t, inMemory(fs))
	add(alike(4, 3, 2, 1, 4), 0, first+4, first+1, first, first+7)
	report, err := v.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range report.Findings {
		if finding.What != "document: digest differs" {
			t.Errorf("verify: %v", finding)
		}
	}
	if len(report.Findings) != 4 {
		t.Errorf("%d findings, want one for each document that has another's digest", len(report.Findings))
	}
}
