package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"markr/engine"
	"markr/engine/audit"
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
	// error is [entry.ErrNoSnapshot] if it is not held; with any other it is not held any
	// more, and is returned.
	RenewSnapshot(id string) (expires time.Time, err error)
	ReleaseSnapshot(id string) (entry.Snapshot, error)
	KeepSnapshot(id, backup string) (entry.Snapshot, error)
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
// it is safe in a backup of that id: this is where the server learns of a backup. Either
// is in the audit trail when it is answered, or owed to it.
func (s *Server) snapshotRelease(r *request) error {
	if s.snapshots == nil {
		return errNoSuchRoute
	}
	id := r.param("id")
	event := audit.Event{Who: r.operator(), Action: audit.Backup}
	backup, kept := r.query("backup")
	switch {
	case !kept:
		released, err := s.snapshots.ReleaseSnapshot(id)
		if errors.Is(err, entry.ErrNoSnapshot) {
			return err // What became of it has been recorded.
		}
		event.Outcome = audit.Failed
		event.Reason = fmt.Sprintf("the snapshot of position %d was given back, and no backup holds it", released.Tip.Position)
		return r.released(event, err)
	case !isBackupID(backup):
		return refuse(codeInvalidParameter, "The parameter backup is not the id of a backup.")
	}
	held, err := s.snapshots.KeepSnapshot(id, backup)
	if errors.Is(err, entry.ErrNoSnapshot) {
		return err
	}
	event.Outcome = audit.Done
	event.Backup = &audit.BackupMade{ID: backup, Position: uint64(held.Tip.Position), Taken: held.Taken}
	s.logger.Info("backup made", slog.String("backup", backup), slog.String("snapshot", id))
	return r.released(event, err)
}

// released records what has become of a snapshot, and answers. failure is the disk's.
func (r *request) released(event audit.Event, failure error) error {
	if err := errors.Join(failure, r.server.recordBackup(event)); err != nil {
		return err
	}
	return r.empty(fasthttp.StatusNoContent)
}

// SnapshotExpired is to be told of each snapshot that nobody has renewed: whoever made a
// backup of it has died, or cannot reach the server.
func (s *Server) SnapshotExpired(expired entry.Snapshot) {
	err := s.recordBackup(audit.Event{
		Who: audit.Program, Action: audit.Backup, Outcome: audit.Failed,
		Reason: fmt.Sprintf("nobody renewed the snapshot of position %d; if a backup holds it, the server was not told", expired.Tip.Position),
	})
	if err != nil && !errors.Is(err, engine.ErrClosed) {
		s.logger.Warn("a backup that came to nothing is not in the audit trail", slog.Any("cause", err))
	}
}

// backupRecordWait is how long who has made a backup waits until that is recorded: less
// than `markr backup` waits for the answer.
const backupRecordWait = 5 * time.Second

// recordBackup puts a backup into the audit trail. If the disk is nearly full, the trail
// gets it as soon as there is room.
func (s *Server) recordBackup(event audit.Event) error {
	ctx, cancel := context.WithTimeout(context.Background(), backupRecordWait)
	defer cancel()
	err := s.engine.Record(ctx, event)
	switch {
	case errors.Is(err, entry.ErrReadOnly):
		s.logger.Warn("a backup is not in the audit trail yet", slog.Any("cause", err))
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(codeUnavailable, "The disk has not answered for %v, so nobody knows whether this is in the audit trail.", backupRecordWait)
	}
	return err
}

func isBackupID(text string) bool {
	const allowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-"
	return text != "" && len(text) <= backupIDBytesMax && strings.Trim(text, allowed) == ""
}
