package main_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

// What is in a data directory is its owner's alone: it holds names and student
// numbers.
func TestDataDirectoryIsPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	client := newHTTPClient(t)
	for range 2 { // The second start writes what the first one did not have to.
		p := serve(t, dir)
		for number := range 10 {
			if _, _, err := post(client, p.url, newPaper(2, number).raw); err != nil {
				t.Fatal(err)
			}
		}
		checkPrivate(t, dir)
		if code := p.stop(t); code != 0 {
			t.Fatalf("exit %d", code)
		}
		checkPrivate(t, dir)
	}
}

func checkPrivate(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = d.Info()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // The store removes files while we look.
		}
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil || files < 3 {
		t.Errorf("%d files in %s: %v", files, dir, err)
	}
}
