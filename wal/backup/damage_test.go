package backup_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"markr/wal"
	"markr/wal/backup"
	"markr/wal/waltest"
)

func write(tb testing.TB, disk vfs.FS, name, text string) {
	tb.Helper()
	f, err := disk.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		tb.Fatal(err)
	}
	_, err = io.WriteString(f, text)
	if err := errors.Join(err, f.Close()); err != nil {
		tb.Fatal(err)
	}
}

func slurp(tb testing.TB, disk vfs.FS, name string) []byte {
	tb.Helper()
	f, err := disk.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// flip changes one bit of a file, which becomes another one: links are left alone.
func flip(tb testing.TB, disk vfs.FS, name string, at int) {
	tb.Helper()
	b := slurp(tb, disk, name)
	b[at] ^= 4
	write(tb, disk, name, string(b))
}

// readOnly is a disk on which nothing below a directory can be written.
func readOnly(disk vfs.FS, dir string) vfs.FS {
	return errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && op.Kind != errorfs.OpFileClose && strings.HasPrefix(op.Path, dir+"/") {
			return &fs.PathError{Op: "write", Path: op.Path, Err: fs.ErrPermission}
		}
		return nil
	}))
}

// Whatever is changed, cut short or gone in a backup is named, and not restored.
func TestDamagedBackup(t *testing.T) {
	t.Parallel()
	r := waltest.Random(t)
	disk := vfs.NewMem()
	o, store := newOriginal(t, disk, "data"), create(t, disk, "backups")
	o.grow(t, 1000)
	m := mustBackUp(t, o, store).Manifest
	manifest := "backups/backups/" + m.ID + ".backup"
	type spoiling struct {
		what, name, file string
		do               func(name string)
	}
	var all []spoiling
	for _, f := range m.Files {
		name := "backups/files/" + f.SHA256
		if f.Size > 0 {
			all = append(all,
				spoiling{"flipped", name, f.Name, func(name string) { flip(t, disk, name, r.IntN(int(f.Size))) }},
				spoiling{"cut short", name, f.Name, func(name string) { write(t, disk, name, string(slurp(t, disk, name)[:f.Size-1])) }})
		}
		all = append(all, spoiling{"missing", name, f.Name, func(name string) {
			if err := disk.Remove(name); err != nil {
				t.Fatal(err)
			}
		}})
	}
	text := slurp(t, disk, manifest)
	for range 20 {
		at := r.IntN(len(text))
		all = append(all, spoiling{fmt.Sprint("flipped at ", at), manifest, "", func(name string) { flip(t, disk, name, at) }})
	}
	all = append(all,
		spoiling{"cut short", manifest, "", func(name string) { write(t, disk, name, string(text[:len(text)/2])) }},
		spoiling{"empty", manifest, "", func(name string) { write(t, disk, name, "") }},
		spoiling{"of another backup", manifest, "", func(name string) {
			write(t, disk, name, strings.Replace(string(text), m.ID, "20200101T000000.000000Z-1", 1))
		}})
	for i, s := range all {
		whole := string(slurp(t, disk, s.name))
		s.do(s.name)
		found := findings(t, store)
		if len(found) == 0 || !strings.Contains(found[0], m.ID) || !strings.Contains(strings.Join(found, "\n"), s.file) {
			t.Errorf("%s %s (%s): %q", s.file, s.name, s.what, found)
		}
		target := fmt.Sprint("restored-", i)
		chosen, err := store.Find("")
		if err == nil {
			err = store.Restore(t.Context(), chosen, backup.Target{Dir: target})
		}
		// Files without content have the same content.
		named := s.file != "" && err != nil && strings.Contains(err.Error(), strings.TrimPrefix(s.name, "backups/"))
		if !errors.Is(err, backup.ErrDamaged) || !named && !strings.Contains(err.Error(), s.file) {
			t.Errorf("restore of %s %s (%s): %v", s.file, s.name, s.what, err)
		}
		if _, err := disk.Stat(target + "/FORMAT"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s %s (%s): there is a data directory", s.file, s.name, s.what)
		}
		if _, err := disk.Stat(target); err == nil {
			if _, err := wal.Open(wal.Options{Dir: target, FS: disk, FreeBytesMin: -1}); !errors.Is(err, wal.ErrForeignDirectory) {
				t.Errorf("%s %s (%s): a server starts on what is left: %v", s.file, s.name, s.what, err)
			}
		}
		write(t, disk, s.name, whole)
	}
	if found := findings(t, store); len(found) != 0 {
		t.Errorf("mended, there is still %q", found)
	}
	// A restore that was interrupted is begun anew.
	if err := store.Restore(t.Context(), m, backup.Target{Dir: "restored-0"}); err != nil {
		t.Error(err)
	}
}

// A snapshot that is not what it says gives no backup.
func TestSourceThatLies(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	o, store := newOriginal(t, disk, "data"), create(t, disk, "backups")
	o.grow(t, 300)
	for what, lie := range map[string]func(*backup.Source){
		"another position": func(s *backup.Source) { s.Snapshot.Tip.Position++ },
		"another chain":    func(s *backup.Source) { s.Snapshot.Tip.Chain[3]++ },
		"other totals":     func(s *backup.Source) { s.Snapshot.Tip.Entries["refused"]++ },
		"another size":     func(s *backup.Source) { s.Snapshot.Files[0].Size++ },
		"a file too few":   func(s *backup.Source) { s.Snapshot.Files = s.Snapshot.Files[1:] },
		"a damaged manifest of Pebble": func(s *backup.Source) {
			for _, f := range s.Snapshot.Files {
				if strings.Contains(f.Name, "MANIFEST") && !strings.Contains(f.Name, "marker") {
					flip(t, disk, disk.PathJoin(s.Dir, f.Name), int(f.Size/2))
				}
			}
		},
	} {
		if added, err := o.backUp(t.Context(), store, lie); err == nil {
			t.Errorf("%s: %+v", what, added)
		}
		if list, err := store.List(); err != nil || len(list) != 0 {
			t.Errorf("%s: there is %v, %v", what, list, err)
		}
	}
	mustBackUp(t, o, store)
	if found := findings(t, store); len(found) != 0 {
		t.Errorf("findings: %q", found)
	}
}
