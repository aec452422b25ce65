package wal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal"
	"markr/wal/entry"
	"markr/wal/waltest"
)

// scriptGroups is how many groups a script appends.
const scriptGroups = 40

// scriptQuota is so small that refused entries are dropped all along.
const scriptQuota = 8 << 10

// script is what crash and fault tests do to a vault: the same each time, so that
// its state after each group is known. Bodies are long enough for flushes and
// compactions with the small memtables.
func script(tb testing.TB) [][]*entry.Entry {
	tb.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	maker := waltest.NewMaker(tb)
	groups := make([][]*entry.Entry, scriptGroups)
	for i := range groups {
		for range 1 + r.IntN(4) {
			raw := waltest.Document(r.IntN(60))
			if r.IntN(3) == 0 {
				// Bytes that do not compress.
				raw = make([]byte, 200+r.IntN(9000))
				for j := range raw {
					raw[j] = byte(r.Uint32())
				}
			}
			outcome := entry.Accepted
			switch r.IntN(12) {
			case 0, 1, 2, 3:
				outcome = entry.Refused
			case 4:
				outcome = entry.Event
			}
			groups[i] = append(groups[i], maker.Entry(outcome, raw))
		}
	}
	return groups
}

func openScripted(fs vfs.FS, onFatal func(error)) (*wal.Vault, error) {
	opts := inMemory(fs)
	opts.Dir = "srv/markr/data"
	opts.RefusedBytesMax = scriptQuota
	opts.OnFatal = onFatal
	return wal.OpenSmall(opts, 32<<10)
}

// states is the state after each group of the script, the first before any.
func states(tb testing.TB) []string {
	tb.Helper()
	v, err := openScripted(vfs.NewMem(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	all := []string{state(tb, v)}
	for _, group := range script(tb) {
		if err := v.Append(group); err != nil {
			tb.Fatal(err)
		}
		all = append(all, state(tb, v))
	}
	stats, err := v.Stats()
	if err != nil || stats.Dropped < 10 || stats.Duplicates.Entries < 10 || stats.Refused.Entries == 0 || stats.Events.Entries < 5 {
		tb.Fatalf("the script does not do what it is for: %+v, %v", stats, err)
	}
	return all
}

// state is all there is in a vault, as text.
func state(tb testing.TB, v *wal.Vault) string {
	tb.Helper()
	s, err := readState(v)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func readState(v *wal.Vault) (string, error) {
	var b strings.Builder
	stats, err := v.Stats()
	if err != nil {
		return "", err
	}
	stats.DiskBytes = 0 // It depends on what Pebble has got done.
	fmt.Fprintf(&b, "%+v\n", stats)
	headers, err := v.Headers(0, 0, 10_000)
	if err != nil {
		return "", err
	}
	for _, h := range headers {
		e, err := v.At(h.Position)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%+v %x\n", e.Header, e.Body)
	}
	err = v.Replay(context.Background(), 1, func(e *entry.Entry) error {
		fmt.Fprintf(&b, "replayed %d\n", e.Position)
		return nil
	})
	return b.String(), err
}

// survivor opens what a crash has left, and checks that its state is one of those
// wanted, that it is sound, and that it takes one more entry, which is there after
// yet another opening.
func survivor(tb testing.TB, fs vfs.FS, wanted []string) error {
	tb.Helper()
	v, err := openScripted(fs, nil)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() { _ = v.Close() }()
	got, err := readState(v)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	found := false
	for _, want := range wanted {
		found = found || got == want
	}
	if !found {
		return fmt.Errorf("another state than the %d possible: %.200s… instead of %.200s…", len(wanted), got, wanted[0])
	}
	report, err := v.Verify(context.Background(), nil)
	if err := errors.Join(err, report.Err()); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	more := []*entry.Entry{waltest.NewMaker(tb).Entry(entry.Accepted, []byte("one more"))}
	if err := v.Append(more); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	if err := v.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if v, err = openScripted(fs, nil); err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	defer func() { _ = v.Close() }()
	if e, err := v.At(more[0].Position); err != nil || e.ID != more[0].ID {
		return fmt.Errorf("one more entry: %w", err)
	}
	return nil
}
