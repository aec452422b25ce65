package backup_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"markr/wal"
	"markr/wal/backup"
	"markr/wal/entry"
	"markr/wal/waltest"
)

var long = flag.Bool("long", false, "run the long tests")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// original is a vault that is backed up while it is open.
type original struct {
	*wal.Vault

	disk   vfs.FS
	dir    string
	maker  *waltest.Maker
	random *rand.Rand
}

// newOriginal opens a vault in a directory.
func newOriginal(tb testing.TB, disk vfs.FS, dir string) *original {
	tb.Helper()
	v, err := wal.Open(wal.Options{Dir: dir, FS: disk, FreeBytesMin: -1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := v.Close(); err != nil {
			tb.Error(err)
		}
	})
	return &original{Vault: v, disk: disk, dir: dir, maker: waltest.NewMaker(tb), random: waltest.Random(tb)}
}

// grow appends so many documents, refused documents, and duplicates.
func (o *original) grow(tb testing.TB, documents int) {
	tb.Helper()
	const atOnce = 100
	for rest := documents; rest > 0; rest -= atOnce {
		var group []*entry.Entry
		for range min(rest, atOnce) {
			raw := make([]byte, 2000) // Bytes that do not compress.
			for i := range raw {
				raw[i] = byte(o.random.Uint32())
			}
			group = append(group, o.maker.Entry(entry.Accepted, raw), o.maker.Entry(entry.Refused, raw[1:50]), o.maker.Entry(entry.Accepted, raw))
		}
		if err := o.Append(group); err != nil {
			tb.Fatal(err)
		}
	}
}

// snapshot takes one for the time of a call.
func (o *original) snapshot(do func(backup.Source) error) error {
	s, err := o.TakeSnapshot()
	if err != nil {
		return err
	}
	err = do(backup.Source{Dir: o.disk.PathJoin(o.dir, s.Path), Snapshot: s, Markr: "test"})
	_, releaseErr := o.ReleaseSnapshot(s.ID)
	return errors.Join(err, releaseErr)
}

// backUp makes a backup.
func (o *original) backUp(ctx context.Context, store *backup.Store, adjust func(*backup.Source)) (added backup.Added, err error) {
	err = o.snapshot(func(source backup.Source) error {
		if adjust != nil {
			adjust(&source)
		}
		added, err = store.Add(ctx, source)
		return err
	})
	return added, err
}

func mustBackUp(tb testing.TB, o *original, store *backup.Store) backup.Added {
	tb.Helper()
	added, err := o.backUp(context.Background(), store, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return added
}

// create opens a store until the test's end.
func create(tb testing.TB, disk vfs.FS, dir string) *backup.Store {
	tb.Helper()
	store, err := backup.Create(backup.Options{Dir: dir, FS: disk})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

// content is all that a vault holds, as text.
func content(v *wal.Vault) (string, error) {
	var b strings.Builder
	tip, err := v.Tip()
	if err != nil {
		return "", err
	}
	fmt.Fprintln(&b, &tip)
	headers, err := v.Headers(0, 0, 1<<20)
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
	return b.String(), nil
}

func mustContent(tb testing.TB, v *wal.Vault) string {
	tb.Helper()
	text, err := content(v)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// contentAt opens a restored data directory as a server does, has it take one more
// entry, and returns what it held before.
func contentAt(tb testing.TB, disk vfs.FS, dir string) (string, error) {
	tb.Helper()
	v, err := wal.Open(wal.Options{Dir: dir, FS: disk, FreeBytesMin: -1})
	if err != nil {
		return "", err
	}
	text, err := content(v)
	if err == nil {
		err = v.Append([]*entry.Entry{waltest.NewMaker(tb).Entry(entry.Accepted, []byte("one more"))})
	}
	return text, errors.Join(err, v.Close())
}

// findings are what is wrong in a store, as text.
func findings(tb testing.TB, store *backup.Store) []string {
	tb.Helper()
	verdict, err := store.Verify(context.Background(), backup.Check{Deep: true})
	if err != nil {
		tb.Fatal(err)
	}
	var found []string
	for _, f := range verdict.Findings {
		found = append(found, f.Error())
	}
	return found
}
