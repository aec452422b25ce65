package wal_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal"
	"markr/wal/entry"
	"markr/wal/waltest"
)

// The vault that damage is done to: accepted entries at 1, 2, 5, 8, duplicates of
// 1 at 3 and of 5 at 7, refused ones at 4 and 6; those are kept or dropped.
type victim struct {
	fs      *vfs.MemFS
	entries []*entry.Entry // by position - 1
}

func newVictim(tb testing.TB, dropped bool) victim {
	tb.Helper()
	v := victim{fs: vfs.NewMem()}
	maker := waltest.NewMaker(tb)
	add := func(outcome entry.Outcome, document int) {
		v.entries = append(v.entries, maker.Entry(outcome, waltest.Document(document)))
	}
	for _, document := range []int{11, 12, 11, -4, 15, -6, 15, 18} {
		if document > 0 {
			add(entry.Accepted, document)
		} else {
			add(entry.Refused, -document)
		}
	}
	opts := inMemory(v.fs)
	if dropped {
		opts.RefusedBytesMax = -1
	}
	log, err := wal.Open(opts)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range v.entries {
		if err := log.Append([]*entry.Entry{e}); err != nil {
			tb.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		tb.Fatal(err)
	}
	return v
}

// open opens the victim for reading.
func (v victim) open(tb testing.TB) *wal.Vault {
	tb.Helper()
	opts := inMemory(v.fs)
	opts.ReadOnly = true
	return openVault(tb, opts)
}

func TestVerifySound(t *testing.T) {
	t.Parallel()
	for _, dropped := range []bool{false, true} {
		v := newVictim(t, dropped)
		var seen []entry.Position
		report, err := v.open(t).Verify(t.Context(), func(at entry.Position) { seen = append(seen, at) })
		if err != nil || report.Err() != nil || report.Through != 8 || int(report.Entries) != len(seen) {
			t.Errorf("dropped %v: %+v, %v", dropped, report, err)
		}
		want := "[1 2 3 4 5 6 7 8]"
		if dropped {
			want = "[1 2 3 5 7 8]"
		}
		if fmt.Sprint(seen) != want {
			t.Errorf("progress: %v, want %v", seen, want)
		}
	}
	empty := vfs.NewMem()
	fill(t, empty)
	report, err := openVault(t, inMemory(empty)).Verify(t.Context(), nil)
	if err != nil || report.Err() != nil || report.Entries != 0 {
		t.Errorf("an empty one: %+v, %v", report, err)
	}
}

// Whatever is changed in the store, behind all of Pebble's checksums, is found, and
// the finding names the position.
func TestVerifyFinds(t *testing.T) {
	t.Parallel()
	f := func(what string, damage func(r raw, v victim), want ...string) {
		t.Helper()
		for _, dropped := range []bool{false, true} {
			v := newVictim(t, dropped)
			r := openRaw(t, v.fs)
			damage(r, v)
			r.close()
			report, err := v.open(t).Verify(t.Context(), nil)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			var got []string
			for _, finding := range report.Findings {
				got = append(got, finding.Error())
			}
			if len(got) == 0 || !errors.Is(report.Err(), entry.ErrDamaged) {
				t.Errorf("%s, dropped %v: nothing was found", what, dropped)
				continue
			}
			all := strings.Join(got, "\n")
			for _, w := range want {
				if !strings.Contains(all, w) {
					t.Errorf("%s, dropped %v: not found: %q in\n%s", what, dropped, w, all)
				}
			}
			if !strings.HasPrefix(got[0], want[0]) {
				t.Errorf("%s, dropped %v: the first finding is %s", what, dropped, got[0])
			}
		}
	}

	f("header, a bit", func(r raw, _ victim) { r.flip('h', 5, 50) }, "position 5 damaged: header: checksum differs")
	f("header, version", func(r raw, _ victim) { r.version('h', 5, 9) }, "position 5 damaged: position 5: header has unknown format version 9")
	f("header, cut", func(r raw, _ victim) { r.set(positionKey('h', 5), []byte{1, 2}) }, "position 5 damaged: header: too short")
	f("header, missing", func(r raw, _ victim) { r.remove('h', 5) },
		"position ", "position 5 damaged: digest index", "position 5 damaged: body: no entry has it")
	f("header, missing at the end", func(r raw, _ victim) { r.remove('h', 8) }, "position 8 damaged: ")
	f("header, missing at the start", func(r raw, _ victim) { r.remove('h', 1) }, "position 1 damaged: ")
	f("header, another entry's", func(r raw, _ victim) { r.set(positionKey('h', 5), r.get(positionKey('h', 2))) },
		"position 5 damaged: header: checksum differs")
	f("two entries exchanged", func(r raw, v victim) { exchange(r, v.entries[1], v.entries[4]) }, "position 2 damaged: header: it is not chained")
	f("entry forged", func(r raw, v victim) {
		e := v.entries[1]
		e.Source = "198.51.100.1"
		r.set(positionKey('h', 2), entry.AppendHeader(nil, &e.Header, v.entries[0].Chain))
	}, "position 3 damaged: header: it is not chained to the entry before it")
	f("entry inserted", func(r raw, v victim) {
		e := *v.entries[7]
		e.Position, e.Ordinal = 9, e.Ordinal+1
		r.set(positionKey('h', 9), entry.AppendHeader(nil, &e.Header, v.entries[7].Chain))
	}, "position 9 damaged: meta ends at position 8")

	f("body, a bit", func(r raw, _ victim) { r.flip('b', 2, 9) }, "position 2 damaged: body: checksum differs")
	f("body, missing", func(r raw, _ victim) { r.remove('b', 2) }, "position 2 damaged: body: missing")
	f("body, another's", func(r raw, _ victim) { r.set(positionKey('b', 5), r.get(positionKey('b', 2))) }, "position 5 damaged: body: checksum differs")
	f("body, forged", func(r raw, v victim) { r.set(positionKey('b', 5), entry.AppendBody(nil, 5, v.entries[1].Body)) },
		"position 5 damaged: document: ")
	f("body, codec", func(r raw, v victim) {
		r.set(positionKey('b', 5), entry.AppendBody(nil, 5, append([]byte{50}, v.entries[4].Body[1:]...)))
	}, "position 5 damaged: position 5: body has unknown format version 50")
	f("body of a duplicate", func(r raw, v victim) { r.set(positionKey('b', 3), entry.AppendBody(nil, 3, v.entries[0].Body)) },
		"position 3 damaged: body: no entry has it")
	f("body behind the end", func(r raw, v victim) { r.set(positionKey('b', 30), entry.AppendBody(nil, 30, v.entries[0].Body)) },
		"position 30 damaged: body: no entry has it")

	f("digest index, missing", func(r raw, v victim) { r.delete(append([]byte{'d'}, v.entries[4].Digest[:6]...)) },
		"position 5 damaged: digest index: the entry is not in it", "position 7 damaged: digest index: the entry is not in it")
	f("digest index, one too many", func(r raw, _ victim) {
		r.set(append([]byte{'d'}, make([]byte, 6)...), []byte{99})
	},
		"position 99 damaged: digest index: ")
	f("outcome index, missing", func(r raw, _ victim) { r.delete(outcomeKey(entry.Duplicate, 7)) }, "position 7 damaged: outcome index: the entry is not in it")
	f("outcome index, one too many", func(r raw, _ victim) { r.set(outcomeKey(entry.Refused, 5), nil) }, "position 5 damaged: outcome index: a record leads here, to another entry")
	f("outcome index, with a value", func(r raw, _ victim) { r.set(outcomeKey(entry.Duplicate, 7), []byte("x")) }, "position 7 damaged: outcome index: 1 bytes too many")
	f("outcome index, of an accepted entry", func(r raw, _ victim) { r.set(outcomeKey(entry.Accepted, 5), nil) }, "position 5 damaged: outcome index: a record of an accepted entry")
	f("a key of no kind", func(r raw, _ victim) { r.set([]byte("zebra"), nil) }, "damaged: a key that is no entry's: 7a65627261")
	f("a second meta", func(r raw, _ victim) { r.set([]byte("meta"), nil) }, "damaged: a key that is no entry's: 6d657461")

	f("meta, a bit", func(r raw, _ victim) { r.flipKey([]byte("m"), 8) }, "", "meta: checksum differs")
	f("meta, missing", func(r raw, _ victim) { r.delete([]byte("m")) }, "", "meta: missing")
	f("meta, version", func(r raw, _ victim) { r.set([]byte("m"), reversioned(r.get([]byte("m")), 7)) }, "", "meta has unknown format version 7")
}

// What is wrong with an event, between an accepted document and a duplicate of it, is
// found as it is with a document; that it is missing, too.
func TestVerifyEvent(t *testing.T) {
	t.Parallel()
	maker := waltest.NewMaker(t)
	entries := slices.Concat(maker.Accepted(1), maker.Events(2), maker.Accepted(1), maker.Events(2, 3))
	f := func(what string, damage func(r raw), want ...string) {
		t.Helper()
		fs := vfs.NewMem()
		fill(t, fs, waltest.Copies(entries))
		r := openRaw(t, fs)
		damage(r)
		r.close()
		opts := inMemory(fs)
		opts.ReadOnly = true
		report, err := openVault(t, opts).Verify(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		all := fmt.Sprint(report.Findings)
		for _, w := range want {
			if !strings.Contains(all, w) {
				t.Errorf("%s: not found: %q in %s", what, w, all)
			}
		}
		if (len(want) == 0) != (report.Err() == nil) {
			t.Errorf("%s: %s", what, all)
		}
	}
	f("nothing", func(raw) {})
	f("header, a bit", func(r raw) { r.flip('h', 2, 50) }, "position 2 damaged: header: checksum differs")
	f("header, missing", func(r raw) { r.remove('h', 2) }, "position 2 damaged: ", "position 2 damaged: body: no entry has it")
	f("header, missing at the end", func(r raw) { r.remove('h', 5) }, "position 5 damaged: the entry is missing")
	f("body, a bit", func(r raw) { r.flip('b', 2, 9) }, "position 2 damaged: body: checksum differs")
	f("body, missing", func(r raw) { r.remove('b', 2) }, "position 2 damaged: body: missing")
	f("body, another event's", func(r raw) {
		r.set(positionKey('b', 2), entry.AppendBody(nil, 2, entries[4].Body))
	}, "position 2 damaged: document: ")
	f("outcome index, missing", func(r raw) { r.delete(outcomeKey(entry.Event, 2)) }, "position 2 damaged: outcome index: the entry is not in it")
	f("outcome index, one too many", func(r raw) { r.set(outcomeKey(entry.Event, 1), nil) }, "position 1 damaged: outcome index: a record leads here")
	f("made an accepted one", func(r raw) {
		h := entries[1].Header
		h.Position, h.Ordinal, h.Outcome = 2, 2, entry.Accepted
		r.set(positionKey('h', 2), entry.AppendHeader(nil, &h, entry.Chain{}))
	}, "position 2 damaged: header: it is not chained", "digest index: the entry is not in it")
	f("meta of no events", func(r raw) {
		m := r.get([]byte("m"))
		m[len(m)-7] = 0 // of events: three numbers, the last before the checksum of two bytes
		r.set([]byte("m"), reversioned(m, m[0]))
	}, "meta: ")
}

// What only a vault that has kept its refused entries can have wrong.
func TestVerifyRefused(t *testing.T) {
	t.Parallel()
	f := func(what string, damage func(r raw, v victim), want string) {
		t.Helper()
		v := newVictim(t, false)
		r := openRaw(t, v.fs)
		damage(r, v)
		r.close()
		report, err := v.open(t).Verify(t.Context(), nil)
		if err != nil || report.Err() == nil || !strings.HasPrefix(report.Err().Error(), want) {
			t.Errorf("%s: %v, %v", what, report.Err(), err)
		}
	}
	f("refused entry, missing", func(r raw, _ victim) {
		r.remove('h', 4)
		r.remove('b', 4)
		r.delete(outcomeKey(entry.Refused, 4))
	}, "position 4 damaged: the entry is missing; the next one is at position 5")
	// Nothing hangs on a refused entry, so its chain can be made right.
	f("refused entry, with another ordinal", func(r raw, v victim) {
		e := v.entries[3]
		e.Ordinal--
		r.set(positionKey('h', 4), entry.AppendHeader(nil, &e.Header, v.entries[2].Chain))
	}, "position 4 damaged: header: its ordinal is 2 instead of 3")
	f("ticket, a bit", func(r raw, _ victim) { r.flipKey(outcomeKey(entry.Refused, 4), 6) }, "position 4 damaged: ticket: checksum differs")
	f("ticket, another's", func(r raw, _ victim) { r.set(outcomeKey(entry.Refused, 4), r.get(outcomeKey(entry.Refused, 6))) },
		"position 4 damaged: ticket: ")
}

// A refused entry that should have been dropped.
func TestVerifyLeftover(t *testing.T) {
	t.Parallel()
	kept, dropped := newVictim(t, false), newVictim(t, true)
	from, to := openRaw(t, kept.fs), openRaw(t, dropped.fs)
	to.set(positionKey('h', 4), from.get(positionKey('h', 4)))
	from.close()
	to.close()
	report, err := dropped.open(t).Verify(t.Context(), nil)
	if err != nil || report.Err() == nil || !strings.HasPrefix(report.Err().Error(), "position 4 damaged: refused entries up to position 6") {
		t.Errorf("%v, %v", report.Err(), err)
	}
}

// A vault whose end is not what meta says does not open to be written to.
func TestOpenDamaged(t *testing.T) {
	t.Parallel()
	f := func(what string, damage func(r raw), want string) {
		t.Helper()
		v := newVictim(t, true)
		r := openRaw(t, v.fs)
		damage(r)
		r.close()
		_, err := wal.Open(inMemory(v.fs))
		if err == nil || !errors.Is(err, entry.ErrDamaged) && !errors.Is(err, entry.ErrUnknownVersion) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
		v.open(t)
	}
	f("meta, a bit", func(r raw) { r.flipKey([]byte("m"), 8) }, "damaged: meta: checksum differs")
	f("meta, missing", func(r raw) { r.delete([]byte("m")) }, "damaged: meta: missing")
	f("meta, version", func(r raw) { r.set([]byte("m"), reversioned(r.get([]byte("m")), 7)) }, "unknown format version 7")
	f("newest header", func(r raw) { r.remove('h', 8) }, "position 8 damaged: the entry is missing; the log goes on to position 8")
}

// A replay finds what concerns it, and gives what comes before.
func TestReplayDamaged(t *testing.T) {
	t.Parallel()
	f := func(what string, damage func(r raw, v victim), position, before entry.Position) {
		t.Helper()
		for _, dropped := range []bool{false, true} {
			v := newVictim(t, dropped)
			r := openRaw(t, v.fs)
			damage(r, v)
			r.close()
			log := v.open(t)
			for _, from := range []entry.Position{1, before} {
				last := entry.Position(0)
				err := log.Replay(context.Background(), from, func(e *entry.Entry) error {
					last = e.Position
					return nil
				})
				damaged, ok := errors.AsType[*entry.DamagedError](err)
				if !ok || damaged.Position != position || last != before {
					t.Errorf("%s, dropped %v, from %d: after %d %v", what, dropped, from, last, err)
				}
			}
		}
	}
	f("header, a bit", func(r raw, _ victim) { r.flip('h', 5, 50) }, 5, 2)
	f("body, a bit", func(r raw, _ victim) { r.flip('b', 5, 3) }, 5, 2)
	f("body, missing", func(r raw, _ victim) { r.remove('b', 5) }, 5, 2)
	f("duplicate, a bit", func(r raw, _ victim) { r.flip('h', 3, 50) }, 3, 2)
	f("duplicate, missing", func(r raw, _ victim) { r.remove('h', 7) }, 7, 5)
	f("exchanged", func(r raw, v victim) { exchange(r, v.entries[4], v.entries[7]) }, 5, 2)
	f("missing at the end", func(r raw, _ victim) {
		r.remove('h', 8)
		r.remove('h', 7)
	}, 7, 5)
}

// An accepted entry that is missing among dropped ones is not taken for one of
// them.
func TestReplayHoles(t *testing.T) {
	t.Parallel()
	v := newVictim(t, true)
	r := openRaw(t, v.fs)
	for _, prefix := range []byte("hb") {
		r.remove(prefix, 5)
	}
	r.close()
	err := v.open(t).Replay(t.Context(), 1, func(*entry.Entry) error { return nil })
	damaged, ok := errors.AsType[*entry.DamagedError](err)
	if !ok || damaged.Position != 4 || !strings.Contains(err.Error(), "1 entries that were not refused are missing from positions 4 to 6") {
		t.Errorf("%v", err)
	}
}

// An index that is wrong does not lead to another entry.
func TestIndexDamaged(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false)
	r := openRaw(t, v.fs)
	r.set(append([]byte{'d'}, v.entries[4].Digest[:6]...), []byte{2})
	r.close()
	r = openRaw(t, v.fs)
	r.set(outcomeKey(entry.Refused, 5), nil)
	r.set(outcomeKey(entry.Duplicate, 40), nil)
	r.close()
	log := openVault(t, inMemory(v.fs))
	if _, err := log.Headers(0, entry.Refused, 10); !errors.Is(err, entry.ErrDamaged) {
		t.Errorf("headers of refused entries: %v", err)
	}
	maker := waltest.NewMaker(t)
	maker.Accepted(make([]int, 100)...)
	err := log.Append(maker.Accepted(15))
	if !errors.Is(err, entry.ErrDamaged) || !errors.Is(err, entry.ErrFailed) {
		t.Errorf("append: %v", err)
	}
	if err := log.Append(maker.Accepted(99)); !errors.Is(err, entry.ErrFailed) {
		t.Errorf("append once more: %v", err)
	}
}

// More is wrong than a report lists.
func TestVerifyMany(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	documents := make([]int, 300)
	for i := range documents {
		documents[i] = i
	}
	fill(t, fs, waltest.NewMaker(t).Accepted(documents...))
	r := openRaw(t, fs)
	for at := entry.Position(1); at <= 300; at++ {
		r.flip('b', at, 1)
	}
	r.close()
	report, err := openVault(t, inMemory(fs)).Verify(t.Context(), nil)
	if err != nil || len(report.Findings) != wal.FindingsMax || report.More != 200 || report.Findings[0].Position != 1 {
		t.Errorf("%d findings and %d more, %v", len(report.Findings), report.More, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	log := newVictim(t, false).open(t)
	if _, err := log.Verify(ctx, func(entry.Position) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// exchange puts two entries in each other's place, with checksums that are right.
func exchange(r raw, a, b *entry.Entry) {
	r.tb.Helper()
	x, y := *a, *b
	x.Position, y.Position = b.Position, a.Position
	x.Ordinal, y.Ordinal = b.Ordinal, a.Ordinal
	for _, e := range []*entry.Entry{&x, &y} {
		r.set(positionKey('h', e.Position), entry.AppendHeader(nil, &e.Header, entry.Chain{}))
		r.set(positionKey('b', e.Position), entry.AppendBody(nil, e.Position, e.Body))
	}
}

func outcomeKey(outcome entry.Outcome, at entry.Position) []byte {
	return append([]byte{'o', byte(outcome)}, positionKey(0, at)[1:]...)
}

// version makes a record one of another version, with a checksum that is right.
func (r raw) version(prefix byte, at entry.Position, version byte) {
	r.tb.Helper()
	key := positionKey(prefix, at)
	record := r.get(key)
	record[0] = version
	content := record[:len(record)-4]
	r.set(key, entry.AppendBody(nil, at, content)) // Headers and bodies have the same kind of checksum.
}

func reversioned(record []byte, version byte) []byte {
	record[0] = version
	content := record[:len(record)-4]
	return binary.LittleEndian.AppendUint32(content, crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)))
}
