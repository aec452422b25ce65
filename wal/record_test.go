package wal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal"
	"markr/wal/entry"
	"markr/wal/waltest"
)

// records are a meta record and a ticket as a vault has stored them.
func records(tb testing.TB) (meta, ticket []byte) {
	tb.Helper()
	fs := vfs.NewMem()
	maker := waltest.NewMaker(tb)
	// Bytes that are stored as they are, so that the figures do not depend on how
	// well they are compressed.
	fill(tb, fs, []*entry.Entry{
		maker.Entry(entry.Accepted, noise(1, 300)),
		maker.Entry(entry.Accepted, noise(1, 300)),
		maker.Entry(entry.Refused, noise(2, 200)),
	})
	r := openRaw(tb, fs)
	meta, ticket = r.get([]byte("m")), r.get(outcomeKey(entry.Refused, 3))
	r.close()
	return meta, ticket
}

// The bytes of today's versions, which have to stay readable for ever.
func TestRecordVectors(t *testing.T) {
	t.Parallel()
	meta, ticket := records(t)
	f := func(what string, got []byte, want string) {
		t.Helper()
		if text := hex.EncodeToString(got); text != want {
			t.Errorf("%s: %s, want %s", what, text, want)
		}
	}
	f("meta", meta, "03"+"03"+ // version, last
		"02"+"6cc4da3d3a334755ad3a442897a88baa"+ // last that counts, its chain
		"00"+"00"+ // dropped through, dropped
		"01"+"ac02"+"ce03"+ // accepted: entries, size, bytes
		"01"+"c801"+"fe02"+ // refused
		"01"+"ac02"+"8f01"+ // duplicates
		"00"+"00"+"00"+ // events
		"cf22f86a")
	f("ticket", ticket, "02"+"fe02"+"c801"+ // version, bytes, size
		"dcc5d2e4")
}

// metaVersion2 is a meta record from before there were events: that of the vector
// above.
const metaVersion2 = "0203026cc4da3d3a334755ad3a442897a88baa000001ac02ce0301c801fe0201ac028f01274d6234"

// A record from before there were events says the same as one of today without any.
func TestRecordVersion2(t *testing.T) {
	t.Parallel()
	old, err := hex.DecodeString(metaVersion2)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := wal.RecodeMeta(old); err != nil || !bytes.Equal(again, old) {
		t.Errorf("%x became %x, %v", old, again, err)
	}
	now, _ := records(t)
	fs := vfs.NewMem()
	maker := waltest.NewMaker(t)
	fill(t, fs, []*entry.Entry{
		maker.Entry(entry.Accepted, noise(1, 300)), maker.Entry(entry.Accepted, noise(1, 300)), maker.Entry(entry.Refused, noise(2, 200)),
	})
	r := openRaw(t, fs)
	if !bytes.Equal(r.get([]byte("m")), now) {
		t.Fatal("not the vault of the vector")
	}
	r.set([]byte("m"), old)
	r.close()
	v := openVault(t, inMemory(fs))
	stats, err := v.Stats()
	if err != nil || stats.Accepted.Entries != 1 || stats.Duplicates.Entries != 1 || stats.Refused.Entries != 1 || stats.Events != (wal.Totals{}) {
		t.Errorf("%+v, %v", stats, err)
	}
	if report, err := v.Verify(t.Context(), nil); err != nil || report.Err() != nil {
		t.Errorf("%v, %v", report.Err(), err)
	}
}

// Any change of one bit of a record is seen.
func TestRecordBitFlips(t *testing.T) {
	t.Parallel()
	meta, ticket := records(t)
	f := func(b []byte, recode func([]byte) ([]byte, error)) {
		t.Helper()
		if again, err := recode(b); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x became %x, %v", b, again, err)
		}
		for i := range len(b) * 8 {
			b[i/8] ^= 1 << (i % 8)
			if _, err := recode(b); !errors.Is(err, entry.ErrDamaged) {
				t.Errorf("bit %d flipped: %v", i, err)
			}
			b[i/8] ^= 1 << (i % 8)
		}
		for n := range b {
			if _, err := recode(b[:n]); !errors.Is(err, entry.ErrDamaged) {
				t.Errorf("cut to %d bytes: %v", n, err)
			}
		}
	}
	f(meta, wal.RecodeMeta)
	f(ticket, wal.RecodeTicket)
}

// A record either is refused or is what the vault writes.
func FuzzRecords(f *testing.F) {
	meta, ticket := records(f)
	old, err := hex.DecodeString(metaVersion2)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(old)
	f.Add(meta)
	f.Add(ticket)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		b = reversioned(append(b, 0, 0, 0, 0), b[0])
		for _, recode := range []func([]byte) ([]byte, error){wal.RecodeMeta, wal.RecodeTicket} {
			if again, err := recode(b); err == nil && !bytes.Equal(again, b) {
				t.Errorf("%x became %x", b, again)
			}
		}
	})
}
