package httpapi

import (
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"markr/wal/entry"
)

// Snapshots makes copies of a log that is written to. markr/wal's Vault does.
type Snapshots interface {
	// TakeSnapshot makes one and holds it until it is released, kept, or expires. The
	// error is [entry.ErrSnapshots] if too many are held, [entry.ErrNoLinks] if none
	// can be.
	TakeSnapshot() (entry.Snapshot, error)

	// RenewSnapshot says when it expires from now on, ReleaseSnapshot that it is not
	// needed any more, KeepSnapshot that it is not because it is safe in a backup. The
	// error is [entry.ErrNoSnapshot] if it is not held.
	RenewSnapshot(id string) (expires time.Time, err error)
	ReleaseSnapshot(id string) error
	KeepSnapshot(id, backup string) error
}

// backupIDBytesMax is more than the id of any backup has.
const backupIDBytesMax = 64

// snapshotTake answers POST /admin/snapshots.
func (s *Server) snapshotTake(r *request) error {
	if s.snapshots == nil {
		return errNoSuchRoute
	}
	taken, err := s.snapshots.TakeSnapshot()
	if err != nil {
		return err
	}
	s.logger.Info("snapshot taken", slog.String("snapshot", taken.ID), slog.Uint64("position", uint64(taken.Tip.Position)))
	return r.created(taken)
}

// snapshotRenew answers POST /admin/snapshots/{id}/renewals.
func (s *Server) snapshotRenew(r *request) error {
	if s.snapshots == nil {
		return errNoSuchRoute
	}
	expires, err := s.snapshots.RenewSnapshot(r.param("id"))
	if err != nil {
		return err
	}
	return r.created(struct {
		Expires time.Time `json:"expires"`
	}{expires})
}

// created answers with what was made.
func (r *request) created(what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	r.setHeader(fasthttp.HeaderCacheControl, "no-store")
	return r.json(fasthttp.StatusCreated, body)
}

// snapshotRelease answers DELETE /admin/snapshots/{id}. With ?backup= it says that all of
// it is safe in a backup of that id: this is where the server learns of a backup.
func (s *Server) snapshotRelease(r *request) error {
	if s.snapshots == nil {
		return errNoSuchRoute
	}
	id := r.param("id")
	backup, kept := r.query("backup")
	if !kept {
		if err := s.snapshots.ReleaseSnapshot(id); err != nil {
			return err
		}
		return r.empty(fasthttp.StatusNoContent)
	}
	if !isBackupID(backup) {
		return refuse(codeInvalidParameter, "The parameter backup is not the id of a backup.")
	}
	if err := s.snapshots.KeepSnapshot(id, backup); err != nil {
		return err
	}
	s.logger.Info("backup made", slog.String("backup", backup), slog.String("snapshot", id))
	return r.empty(fasthttp.StatusNoContent)
}

func isBackupID(text string) bool {
	const allowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-"
	return text != "" && len(text) <= backupIDBytesMax && strings.Trim(text, allowed) == ""
}
