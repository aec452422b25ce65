package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"markr/httpapi"
	"markr/wal"
	"markr/wal/entry"
)

// newSnapshotBorder is a border whose snapshots are its vault's, and the address of its
// control listener.
func newSnapshotBorder(t *testing.T, disk vfs.FS) (b *border, control string) {
	t.Helper()
	opened, err := wal.Open(wal.Options{Dir: "data", FS: disk, FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	b = newBorderOn(t, opened, func(opts *httpapi.Options) { opts.Snapshots = opened })
	if err := b.engine.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b, b.listen(t, b.ServeControl)
}

// Snapshots are taken, renewed and released over the control socket, and nowhere else.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	b, control := newSnapshotBorder(t, disk)
	operators := b.listen(t, b.ServeOps)
	public := b.address
	b.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
	for _, elsewhere := range []string{public, operators} {
		b.address = elsewhere
		b.do(t, http.MethodPost, "/admin/snapshots", "").want(t, 404)
		b.do(t, http.MethodDelete, "/admin/snapshots/x", "").want(t, 404)
	}
	b.address = control
	b.get(t, "/readyz").want(t, 200)
	b.get(t, "/results").want(t, 404)
	var s entry.Snapshot
	take := func() {
		t.Helper()
		if err := json.Unmarshal([]byte(b.do(t, http.MethodPost, "/admin/snapshots", "").want(t, 201).body), &s); err != nil {
			t.Fatal(err)
		}
	}
	take()
	if s.Tip.Position != 1 || s.Tip.Entries["accepted"] != 1 || len(s.Files) < 4 {
		t.Errorf("%+v", s)
	}
	if _, err := disk.Stat("data/" + s.Path + "/FORMAT"); err != nil {
		t.Error(err)
	}
	var lease struct{ Expires string }
	renewed := b.do(t, http.MethodPost, "/admin/snapshots/"+s.ID+"/renewals", "").want(t, 201)
	if err := json.Unmarshal([]byte(renewed.body), &lease); err != nil || lease.Expires <= s.Taken.Format("2006-01-02T15:04:05") {
		t.Errorf("%s, %v", renewed.body, err)
	}
	for _, wrong := range []string{"", "a%20b", "..%2f", "x%0Aposition", strings.Repeat("x", 65)} {
		got := b.do(t, http.MethodDelete, "/admin/snapshots/"+s.ID+"?backup="+wrong, "")
		if got.StatusCode != 400 {
			t.Errorf("backup=%s: %d %s", wrong, got.StatusCode, got.body)
		}
	}
	b.do(t, http.MethodDelete, "/admin/snapshots/"+s.ID+"?backup=20261126T160426.123456Z-1", "").want(t, 204)
	if _, err := disk.Stat("data/" + s.Path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("released, it is still there: %v", err)
	}
	for _, gone := range []string{s.ID, "..", "%2e%2e%2fvault"} {
		if got := b.do(t, http.MethodDelete, "/admin/snapshots/"+gone, ""); got.StatusCode != 404 && got.StatusCode != 400 {
			t.Errorf("%s: %d", gone, got.StatusCode)
		}
	}
	b.do(t, http.MethodPost, "/admin/snapshots/"+s.ID+"/renewals", "").want(t, 404)
	for range 4 {
		take()
	}
	if got := b.do(t, http.MethodPost, "/admin/snapshots", "").want(t, 503); !strings.Contains(got.body, `"overloaded"`) {
		t.Errorf("%s", got.body)
	}
	b.do(t, http.MethodDelete, "/admin/snapshots/"+s.ID, "").want(t, 204)
	take()
	b.address = public
	b.post(t, document(sheet("1", "2", 1, 2))).want(t, 200)
}

// What has become of a backup is in the audit trail, once: who, of which position, and
// how it went.
func TestBackupsAreRecorded(t *testing.T) {
	t.Parallel()
	var server *httpapi.Server
	opened, err := wal.Open(wal.Options{
		Dir: "data", FS: vfs.NewMem(), FreeBytesMin: -1, SnapshotLease: time.Hour,
		SnapshotExpired: func(s entry.Snapshot) { server.SnapshotExpired(s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	b := newBorderOn(t, opened, func(opts *httpapi.Options) { opts.Snapshots = opened })
	server = b.Server
	if err := b.engine.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
	b.address = b.listen(t, b.ServeControl)
	take := func() (s entry.Snapshot) {
		t.Helper()
		if err := json.Unmarshal([]byte(b.do(t, http.MethodPost, "/admin/snapshots", "").want(t, 201).body), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	const id = "20261126T160426.123456Z-1"
	whole := take()
	b.do(t, http.MethodDelete, "/admin/snapshots/"+whole.ID+"?backup="+id, "").want(t, 204)
	b.do(t, http.MethodDelete, "/admin/snapshots/"+whole.ID+"?backup="+id, "").want(t, 404) // Sent again.
	given := take()
	b.do(t, http.MethodDelete, "/admin/snapshots/"+given.ID, "").want(t, 204)
	b.do(t, http.MethodDelete, "/admin/snapshots/"+given.ID, "").want(t, 404)
	server.SnapshotExpired(take())
	changes, err := b.engine.Audit(0, true, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		if c.Event.Backup != nil && (c.Event.Backup.Position != 1 || c.Event.Backup.ID != id || !c.Event.Backup.Taken.Equal(whole.Taken)) {
			t.Errorf("%+v", c.Event.Backup)
		}
		got = append(got, fmt.Sprintf("%d %s %s %s: %s", c.Position, c.Who, c.Event.Action, c.Event.Outcome, c.Event))
	}
	want := []string{
		"4 markr backup failed: nobody renewed the snapshot of position 3; if a backup holds it, the server was not told",
		"3 127.0.0.1 backup failed: the snapshot of position 2 was given back, and no backup holds it",
		"2 127.0.0.1 backup done: backup " + id + ", as of position 1", // Over TCP here; a socket file is the operator's.
	}
	if !slices.Equal(got, want) {
		t.Errorf("the trail has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Without hard links the answer says what to do instead; without a log that has
// snapshots there is no such route.
func TestSnapshotsThatCannotBe(t *testing.T) {
	t.Parallel()
	b, control := newSnapshotBorder(t, errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpLink {
			return syscall.EOPNOTSUPP
		}
		return nil
	})))
	public := b.address
	b.address = control
	if got := b.do(t, http.MethodPost, "/admin/snapshots", "").want(t, 409); !strings.Contains(got.body, `"no_hard_links"`) {
		t.Errorf("%s", got.body)
	}
	b.address = public
	without := newBorder(t, nil)
	without.address = without.listen(t, without.ServeControl)
	without.do(t, http.MethodPost, "/admin/snapshots", "").want(t, 404)
}

// What makes files in the data directory is on the control socket alone.
func TestControlRoutes(t *testing.T) {
	t.Parallel()
	control := httpapi.ControlRoutes()
	for _, r := range append(httpapi.PublicRoutes(false), httpapi.OperatorRoutes()...) {
		if strings.HasPrefix(r.Pattern, "/admin/snapshots") {
			t.Errorf("%v is not on the control socket alone", r)
		}
	}
	for _, r := range httpapi.OperatorRoutes() {
		if !slices.Contains(control, r) {
			t.Errorf("%v is not on the control socket", r)
		}
	}
}
