package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"markr/wal/entry"
)

// formatNumber is the format of a store: of everything in it.
const formatNumber = 1

// A Manifest is a backup: what it holds, and which content in files/ that is.
type Manifest struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
	// Taken is when the data directory was as the backup has it, Finished when that
	// was on disk and checked.
	Taken    time.Time `json:"taken"`
	Finished time.Time `json:"finished"`
	// Markr is the version of the program that made it.
	Markr string `json:"markr"`
	entry.Tip
	Files []File `json:"files"`
}

// A File is one file of a backup.
type File struct {
	Name     string    `json:"name"` // in the data directory, with slashes
	Size     int64     `json:"size"` // in bytes
	Modified time.Time `json:"modified"`
	SHA256   string    `json:"sha256"` // hexadecimal; its content's name in files/
	// Linked: the content is, or was, the very file of the data directory.
	Linked bool `json:"linked"`
}

// idOf makes the id of a backup; ids sort by time.
func idOf(taken time.Time, tip *entry.Tip) string {
	return fmt.Sprintf("%s-%d", taken.UTC().Format("20060102T150405.000000Z"), tip.Position)
}

// Bytes is the size of all files.
func (m *Manifest) Bytes() int64 {
	sum := int64(0)
	for _, f := range m.Files {
		sum += f.Size
	}
	return sum
}

// checksumTitle begins the last line of a manifest.
const checksumTitle = "sha256 "

// encode is the manifest as it is stored.
func (m *Manifest) encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, err
	}
	text = append(text, '\n')
	return fmt.Appendf(text, "%s%x\n", checksumTitle, sha256.Sum256(text)), nil
}

// decodeManifest reads what encode wrote. Its errors are *DamagedError and
// ErrUnknownFormat.
func decodeManifest(id string, stored []byte) (*Manifest, error) {
	damaged := func(what string) error { return &DamagedError{Backup: id, What: "manifest: " + what} }
	at := bytes.LastIndex(stored, []byte("\n"+checksumTitle)) + 1
	if at == 0 {
		return nil, damaged("its checksum is missing")
	}
	text := stored[:at]
	if want := fmt.Sprintf("%s%x\n", checksumTitle, sha256.Sum256(text)); string(stored[at:]) != want {
		return nil, damaged("its checksum differs")
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, damaged(err.Error())
	}
	switch {
	case m.Format != formatNumber:
		return nil, fmt.Errorf("backup %s: %w: it has format %d, this program reads format %d", id, ErrUnknownFormat, m.Format, formatNumber)
	case m.ID != id:
		return nil, damaged("it is the one of backup " + m.ID)
	}
	for _, f := range m.Files {
		digest, err := hex.DecodeString(f.SHA256)
		if err != nil || len(digest) != sha256.Size || !fs.ValidPath(f.Name) || f.Name == "." || f.Size < 0 {
			return nil, damaged(fmt.Sprintf("file %q cannot be one", f.Name))
		}
	}
	return &m, nil
}
