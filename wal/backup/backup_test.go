package backup_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/wal/backup"
)

// Backups of a vault that goes on are the vault as it was, each of them, and the second
// one moves only what is new.
func TestBackUpAndRestore(t *testing.T) {
	t.Parallel()
	disk, root := vfs.Default, t.TempDir()
	o := newOriginal(t, disk, filepath.Join(root, "data"))
	store := create(t, disk, filepath.Join(root, "deep", "backups"))
	o.grow(t, 600)
	wants := []string{mustContent(t, o.Vault)}
	first := mustBackUp(t, o, store)
	if first.NewBytes != first.Manifest.Bytes() || first.NewFiles == 0 || first.LinkedBytes == 0 {
		t.Errorf("the first backup: %+v", first)
	}
	moved := first.NewBytes
	for round := 0; moved > first.NewBytes/4; round++ { // Until Pebble has put in order what it has got at once.
		if round == 10 {
			t.Fatalf("the last of %d backups has moved %d bytes, the first %d", round, moved, first.NewBytes)
		}
		o.grow(t, 3)
		wants = append(wants, mustContent(t, o.Vault))
		moved = mustBackUp(t, o, store).NewBytes
	}
	o.grow(t, 3)
	if found := findings(t, store); len(found) != 0 {
		t.Errorf("findings: %q", found)
	}
	list, err := store.List()
	if err != nil || len(list) != len(wants) {
		t.Fatalf("%+v, %v", list, err)
	}
	for i, l := range []backup.Listed{list[0], list[len(list)-1]} {
		want := wants[i*(len(wants)-1)]
		dir := filepath.Join(root, "restored", l.ID)
		copied := int64(0)
		err := store.Restore(t.Context(), l.Manifest, backup.Target{Dir: dir, Progress: func(n int64) { copied = n }})
		if err != nil {
			t.Fatal(err)
		}
		if copied != l.Manifest.Bytes() {
			t.Errorf("%d of %d bytes were told", copied, l.Manifest.Bytes())
		}
		got, err := contentAt(t, disk, dir)
		if err != nil || got != want {
			t.Errorf("backup %d holds something else, %v", i, err)
		}
		if err := store.Restore(t.Context(), l.Manifest, backup.Target{Dir: dir}); !errors.Is(err, backup.ErrNotEmpty) {
			t.Errorf("over a data directory: %v", err)
		}
	}
	// What was restored goes on and is backed up into the same store, where tables of
	// other content have its names.
	other := newOriginal(t, disk, filepath.Join(root, "restored", list[0].ID))
	other.grow(t, 600)
	want := mustContent(t, other.Vault)
	added := mustBackUp(t, other, store)
	dir := filepath.Join(root, "restored", "again")
	if err := store.Restore(t.Context(), added.Manifest, backup.Target{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if got, err := contentAt(t, disk, dir); err != nil || got != want {
		t.Errorf("a backup of what was restored holds something else, %v", err)
	}
}

// Keep leaves the newest backups whole and nothing else.
func TestKeep(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	o, store := newOriginal(t, disk, "data"), create(t, disk, "backups")
	var want string
	for range 4 {
		o.grow(t, 300)
		want = mustContent(t, o.Vault)
		mustBackUp(t, o, store)
	}
	before, err := disk.List("backups/files")
	if err != nil {
		t.Fatal(err)
	}
	removed, freed, err := store.Keep(1)
	if err != nil || len(removed) != 3 || freed == 0 {
		t.Errorf("%q, %d bytes, %v", removed, freed, err)
	}
	after, err := disk.List("backups/files")
	if err != nil || len(after) >= len(before) {
		t.Errorf("%d contents, %d before, %v", len(after), len(before), err)
	}
	if found := findings(t, store); len(found) != 0 {
		t.Errorf("findings: %q", found)
	}
	m, err := store.Find("")
	if err != nil || len(after) > len(m.Files) {
		t.Fatalf("%d contents for %d files, %v", len(after), len(m.Files), err)
	}
	if err := store.Restore(t.Context(), m, backup.Target{Dir: "restored"}); err != nil {
		t.Fatal(err)
	}
	if got, err := contentAt(t, disk, "restored"); err != nil || got != want {
		t.Errorf("it holds something else, %v", err)
	}
	// While one cannot be read, nobody knows which contents it needs.
	o.grow(t, 300)
	mustBackUp(t, o, store)
	flip(t, disk, "backups/backups/"+m.ID+".backup", 30)
	before, _ = disk.List("backups/files")
	if _, _, err := store.Keep(5); !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("%v", err)
	}
	if after, _ := disk.List("backups/files"); len(after) != len(before) {
		t.Errorf("%d contents of %d are left", len(after), len(before))
	}
}

// freshBytes is the size of a backup's files whose content the one before did not have.
// How many there are is the store's business: it may have merged its tables meanwhile.
func freshBytes(of, before *backup.Manifest) (bytes int64) {
	had := make(map[string]bool)
	for _, f := range before.Files {
		had[f.SHA256] = true
	}
	for _, f := range of.Files {
		if !had[f.SHA256] {
			bytes += f.Size
		}
	}
	return bytes
}

// Links are the files themselves; copies are not, and replace the links of before.
func TestLinksAndCopies(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	o := newOriginal(t, vfs.Default, filepath.Join(root, "data"))
	store := create(t, vfs.Default, filepath.Join(root, "backups"))
	o.grow(t, 500)
	// backUp says how many tables of the store are those of the snapshot.
	backUp := func(adjust func(*backup.Source)) (added backup.Added, same, tables int) {
		t.Helper()
		err := o.snapshot(func(source backup.Source) (err error) {
			adjust(&source)
			if added, err = store.Add(t.Context(), source); err != nil {
				return err
			}
			same, tables = sameFiles(t, added.Manifest, source.Dir, store.Dir())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return added, same, tables
	}
	asIs, copying := func(*backup.Source) {}, func(s *backup.Source) { s.Copy = true }
	linked, same, tables := backUp(asIs)
	if same != tables || tables == 0 || linked.LinkedBytes == 0 {
		t.Errorf("%d of %d tables are linked: %+v", same, tables, linked)
	}
	o.grow(t, 1)
	copied, same, tables := backUp(copying)
	if same != 0 || tables == 0 || copied.LinkedBytes != 0 {
		t.Errorf("%d of %d tables are still linked: %+v", same, tables, copied)
	}
	for _, f := range copied.Manifest.Files {
		if f.Linked {
			t.Errorf("%s is said to be linked", f.Name)
		}
	}
	o.grow(t, 1)
	again, same, _ := backUp(copying)
	if fresh := freshBytes(again.Manifest, copied.Manifest); same != 0 || again.NewBytes > fresh {
		t.Errorf("copied again: %d bytes, of which %d were not there, %d linked", again.NewBytes, fresh, same)
	}
	if found := findings(t, store); len(found) != 0 {
		t.Errorf("findings: %q", found)
	}
}

// sameFiles counts the tables in a store that are files of a data directory.
func sameFiles(tb testing.TB, m *backup.Manifest, data, store string) (same, tables int) {
	tb.Helper()
	for _, f := range m.Files {
		if !strings.HasSuffix(f.Name, ".sst") {
			continue
		}
		tables++
		kept, err := os.Stat(filepath.Join(store, "files", f.SHA256))
		if err != nil {
			tb.Fatal(err)
		}
		live, err := os.Stat(filepath.Join(data, f.Name))
		if err != nil {
			tb.Fatal(err)
		}
		if os.SameFile(kept, live) {
			same++
		}
	}
	return same, tables
}

// A rate is kept, and who waits for it can be told to stop; then there is no backup.
func TestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := vfs.NewMem()
		o, store := newOriginal(t, disk, "data"), create(t, disk, "backups")
		o.grow(t, 3000)
		const perSecond = 64 << 10
		slow := func(s *backup.Source) { s.Copy, s.BytesPerSecondMax = true, perSecond }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := o.backUp(ctx, store, slow); err == nil {
			t.Error("it took no time")
		}
		if list, err := store.List(); err != nil || len(list) != 0 {
			t.Errorf("there is %v, %v", list, err)
		}
		began := time.Now()
		added, err := o.backUp(t.Context(), store, slow)
		if err != nil {
			t.Fatal(err)
		}
		const burst = perSecond / 4
		want := time.Duration(added.Manifest.Bytes()-burst) * time.Second / perSecond
		if took := time.Since(began); took < want || took > want+10*time.Second || want < time.Second {
			t.Errorf("%d bytes took %v, want %v", added.Manifest.Bytes(), took, want)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
}

// One at a time has a store; what is none is refused and left as it is.
func TestOpenStore(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	store := create(t, disk, "backups")
	if _, err := backup.Create(backup.Options{Dir: "backups", FS: disk}); !errors.Is(err, backup.ErrLocked) {
		t.Errorf("a second time: %v", err)
	}
	if _, err := store.Find(""); !errors.Is(err, backup.ErrNoBackup) {
		t.Errorf("the newest of none: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Open(backup.Options{Dir: "nowhere", FS: disk}); !errors.Is(err, backup.ErrNoBackup) {
		t.Errorf("no directory: %v", err)
	}
	if _, err := disk.Stat("nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("it was made")
	}
	write(t, disk, "backups/FORMAT", "markr backups\nformat 2\n")
	for _, open := range []func(backup.Options) (*backup.Store, error){backup.Open, backup.Create} {
		if _, err := open(backup.Options{Dir: "backups", FS: disk}); !errors.Is(err, backup.ErrUnknownFormat) {
			t.Errorf("of a newer format: %v", err)
		}
	}
	for _, name := range []string{"thesis.tex", "files/thesis.tex", "FORMAT"} {
		disk := vfs.NewMem()
		if err := disk.MkdirAll("home/files", 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, disk, "home/"+name, "years of work")
		if _, err := backup.Create(backup.Options{Dir: "home", FS: disk}); !errors.Is(err, backup.ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := disk.Stat("home/backups"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: something was made beside it", name)
		}
	}
}

// A store on a disk that cannot be written is read, by whom it was not made for, too.
func TestReadOnlyStore(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	o, store := newOriginal(t, disk, "data"), create(t, disk, "backups")
	o.grow(t, 100)
	want := mustContent(t, o.Vault)
	mustBackUp(t, o, store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	sealed, err := backup.Open(backup.Options{Dir: "backups", FS: readOnly(disk, "backups")})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sealed.Find("")
	if err != nil {
		t.Fatal(err)
	}
	if verdict, err := sealed.Verify(t.Context(), backup.Check{}); err != nil || len(verdict.Findings) != 0 || verdict.Files == 0 {
		t.Errorf("%+v, %v", verdict, err)
	}
	if err := sealed.Restore(t.Context(), m, backup.Target{Dir: "restored"}); err != nil {
		t.Fatal(err)
	}
	if got, err := contentAt(t, disk, "restored"); err != nil || got != want {
		t.Errorf("it holds something else, %v", err)
	}
}
