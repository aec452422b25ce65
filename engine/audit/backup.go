package audit

import (
	"fmt"
	"time"
)

// BackupMade is a backup that is whole, as of the log's end when its snapshot was taken:
// events and documents up to Position are in it, the event that tells of it is not.
type BackupMade struct {
	ID       string    `json:"id"` // as the directory of backups names it
	Position uint64    `json:"position"`
	Taken    time.Time `json:"taken"` // when the snapshot was
}

// String names it, for a person, in a few words.
func (b *BackupMade) String() string {
	return fmt.Sprintf("backup %s, as of position %d", b.ID, b.Position)
}
