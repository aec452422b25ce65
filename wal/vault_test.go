package wal_test

import (
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"markr/wal"
	"markr/wal/entry"
	"markr/wal/waltest"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(m.Run()) // Leaves behind what a failing disk has stopped.
	}
	goleak.VerifyTestMain(m)
}

// inMemory are options for a vault in a file system.
func inMemory(fs vfs.FS) wal.Options {
	return wal.Options{Dir: "data", FS: fs, FreeBytesMin: -1}
}

func openVault(tb testing.TB, opts wal.Options) *wal.Vault {
	tb.Helper()
	v, err := wal.Open(opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := v.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return v
}

// A vault does what any log must do.
func TestLog(t *testing.T) {
	t.Parallel()
	waltest.Run(t, func(testing.TB) waltest.Store {
		fs := vfs.NewMem()
		return waltest.Store{
			Open: func(tb testing.TB) waltest.Log {
				tb.Helper()
				// Small memtables, so that reads go to tables on disk too.
				v, err := wal.OpenSmall(inMemory(fs), 64<<10)
				if err != nil {
					tb.Fatal(err)
				}
				return v
			},
			Spoil: func(tb testing.TB, at entry.Position, how waltest.Spoiling) {
				tb.Helper()
				raw := openRaw(tb, fs)
				switch how {
				case waltest.SpoilBody:
					raw.flip('b', at, 20)
				case waltest.Remove:
					raw.remove('b', at)
					raw.remove('h', at)
				}
				raw.close()
			},
		}
	})
}

// raw is the store under a vault, opened without it.
type raw struct {
	tb testing.TB
	db *pebble.DB
}

func openRaw(tb testing.TB, fs vfs.FS) raw {
	tb.Helper()
	return openRawAt(tb, fs, "data/vault")
}

func openRawAt(tb testing.TB, fs vfs.FS, dir string) raw {
	tb.Helper()
	db, err := pebble.Open(dir, &pebble.Options{
		FS: fs, FormatMajorVersion: pebble.FormatNewest, ErrorIfNotExists: true, Logger: quiet{tb},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return raw{tb, db}
}

func (r raw) close() {
	r.tb.Helper()
	if err := r.db.Close(); err != nil {
		r.tb.Fatal(err)
	}
}

func (r raw) get(key []byte) []byte {
	r.tb.Helper()
	value, closer, err := r.db.Get(key)
	if err != nil {
		r.tb.Fatalf("get %x: %v", key, err)
	}
	defer func() { _ = closer.Close() }()
	return append([]byte(nil), value...)
}

func (r raw) set(key, value []byte) {
	r.tb.Helper()
	if err := r.db.Set(key, value, pebble.Sync); err != nil {
		r.tb.Fatal(err)
	}
}

func (r raw) delete(key []byte) {
	r.tb.Helper()
	r.get(key) // It is there.
	if err := r.db.Delete(key, pebble.Sync); err != nil {
		r.tb.Fatal(err)
	}
}

// flip flips a bit of the value of a position's key, counted from the end.
func (r raw) flip(prefix byte, at entry.Position, fromEnd int) {
	r.tb.Helper()
	r.flipKey(positionKey(prefix, at), fromEnd)
}

func (r raw) flipKey(key []byte, fromEnd int) {
	r.tb.Helper()
	value := r.get(key)
	value[len(value)-1-fromEnd%len(value)] ^= 0x10
	r.set(key, value)
}

func (r raw) remove(prefix byte, at entry.Position) {
	r.tb.Helper()
	r.delete(positionKey(prefix, at))
}

// positionKey spells the key out once more, as DESIGN.md has it: what the vault
// writes must stay readable.
func positionKey(prefix byte, at entry.Position) []byte {
	return []byte{
		prefix, byte(at >> 56), byte(at >> 48), byte(at >> 40), byte(at >> 32),
		byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at),
	}
}

// quiet is Pebble's logger in tests.
type quiet struct{ tb testing.TB }

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (q quiet) Fatalf(format string, args ...any) {
	q.tb.Helper()
	q.tb.Fatalf(format, args...)
}
