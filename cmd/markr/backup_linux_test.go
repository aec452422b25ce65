package main_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// A backup on another file system is a copy; one that does not fit there is none, says
// so, and is one as soon as there is room. The server does not notice.
func TestBackupToFullDisk(t *testing.T) {
	t.Parallel()
	needDisks(t)
	d := newDisk(t, 16)
	data, kept := filepath.Join(t.TempDir(), "data"), filepath.Join(d.dir, "kept")
	p := newPress(t)
	server := serve(t, data)
	for range 100 {
		p.one(server.url)
	}
	ballast := d.fill(t, 4<<10)
	if got := runProgram(t, "backup", kept, "--data-dir", data); got.code != 1 || !strings.Contains(got.stderr, "no space left") ||
		!strings.Contains(got.stderr, "hint: make room on that disk") {
		t.Errorf("%+v", got)
	}
	p.one(server.url)
	d.free(t, ballast)
	var made backupSummary
	markrJSON(t, &made, "backup", kept, "--data-dir", data)
	if made.LinkedBytes != 0 || made.NewBytes == 0 {
		t.Errorf("%+v", made)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	var told struct{ Position int }
	markrJSON(t, &told, "restore", kept, "--data-dir", restored)
	p.check(restored, made.Position)
	// A mount point can be filled, though not replaced.
	onto := newDisk(t, 16)
	markrJSON(t, &told, "restore", kept, "--data-dir", onto.dir)
	if got := runProgram(t, "vault", "verify", "--data-dir", onto.dir); got.code != 0 {
		t.Errorf("%+v", got)
	}
}
