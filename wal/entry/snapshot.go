package entry

import (
	"encoding/hex"
	"fmt"
	"maps"
	"time"
)

// String is the chain value in hexadecimal.
func (c Chain) String() string { return hex.EncodeToString(c[:]) }

// MarshalText is encoding.TextMarshaler's.
func (c Chain) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is encoding.TextUnmarshaler's.
func (c *Chain) UnmarshalText(text []byte) error {
	var b Chain
	n, err := hex.Decode(b[:], text[:min(len(text), 2*len(b))])
	if err != nil || n != len(b) || len(text) != 2*len(b) {
		return fmt.Errorf("%w: chain %q", ErrInvalid, text)
	}
	*c = b
	return nil
}

// A Tip says how far a log goes and what it holds. Two logs with the same Position,
// Ordinal and Chain hold the same documents.
type Tip struct {
	Position Position `json:"position"` // of the newest entry, 0 if there is none
	// Ordinal and Chain are those of the newest entry that is counted; see [Header].
	Ordinal uint64 `json:"ordinal"`
	Chain   Chain  `json:"chain"`
	// Entries is how many there are of each outcome; those that were dropped are
	// under "dropped".
	Entries map[string]uint64 `json:"entries"`
}

// Equal says whether two logs end alike.
func (t *Tip) Equal(other *Tip) bool {
	return t.Position == other.Position && t.Ordinal == other.Ordinal && t.Chain == other.Chain &&
		maps.Equal(t.Entries, other.Entries)
}

// String names the end of a log to a person.
func (t *Tip) String() string {
	return fmt.Sprintf("position %d, ordinal %d, chain %v, entries %v", t.Position, t.Ordinal, t.Chain, t.Entries)
}

// A Snapshot is the files of a log as they were when it ended at Tip. They do not
// change until it is released.
type Snapshot struct {
	ID    string    `json:"id"`
	Taken time.Time `json:"taken"`
	Tip   Tip       `json:"tip"`
	// Path is the directory with the files, relative to the log's own, with slashes.
	Path  string `json:"path"`
	Files []File `json:"files"`
	// Expires is when it is released if nobody renews it; zero: it is not.
	Expires time.Time `json:"expires"`
}

// A File is one file of a Snapshot.
type File struct {
	Name string `json:"name"` // relative to the snapshot's directory, with slashes
	Size int64  `json:"size"` // in bytes
	// Frozen: the file is never written to again, not even under another name, so
	// that a hard link is as good as a copy.
	Frozen bool `json:"frozen"`
}
