package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"markr/wal/entry"
)

// A Check says what Verify is to look at.
type Check struct {
	// ID is the one backup to look at; empty: all.
	ID string
	// Deep opens each backup and reads every entry in it. It needs a store that can be
	// written.
	Deep bool
	// Progress, if it is not nil, is told how many bytes have been read, of how many;
	// Entries how far Deep has come in a backup.
	Progress func(bytes, of int64)
	Entries  func(backup *Manifest, at entry.Position)
}

// A Verdict is what Verify has found.
type Verdict struct {
	Backups int // looked at
	Files   int // contents read, each once
	Bytes   int64
	// Findings are *DamagedError, or say that a format is not known.
	Findings []error
}

// Verify reads every manifest and every content that they name. What is wrong is in the
// Verdict; the error says why there is none, or why it ends early.
func (s *Store) Verify(ctx context.Context, check Check) (Verdict, error) {
	list, err := s.List()
	if err != nil {
		return Verdict{}, err
	}
	v := verifying{store: s, check: check, results: make(map[string]string)}
	var readable []*Manifest
	for _, l := range list {
		switch {
		case check.ID != "" && l.ID != check.ID:
		case l.Err != nil:
			v.verdict.Backups++
			v.verdict.Findings = append(v.verdict.Findings, l.Err)
		default:
			v.verdict.Backups++
			readable = append(readable, l.Manifest)
		}
	}
	if v.verdict.Backups == 0 {
		_, err := s.Find(check.ID)
		return v.verdict, err
	}
	v.measure(readable)
	for _, m := range readable {
		if err := v.backup(ctx, m); err != nil {
			return v.verdict, fmt.Errorf("verify backup %s: %w", m.ID, err)
		}
	}
	return v.verdict, nil
}

// verifying is one run of Verify.
type verifying struct {
	store   *Store
	check   Check
	verdict Verdict
	results map[string]string // content to what is wrong with it, empty: nothing
	read    int64
	total   int64
}

// measure sums up the sizes of all contents.
func (v *verifying) measure(manifests []*Manifest) {
	counted := make(map[string]bool)
	for _, m := range manifests {
		for _, f := range m.Files {
			if !counted[f.SHA256] {
				counted[f.SHA256] = true
				v.total += f.Size
			}
		}
	}
}

func (v *verifying) backup(ctx context.Context, m *Manifest) error {
	whole := true
	for _, f := range m.Files {
		what, known := v.results[f.SHA256]
		if !known {
			var err error
			if what, err = v.content(ctx, f); err != nil {
				return err
			}
			v.results[f.SHA256] = what
		}
		if what != "" {
			whole = false
			v.verdict.Findings = append(v.verdict.Findings, &DamagedError{Backup: m.ID, File: f.Name, What: what})
		}
	}
	if !whole || !v.check.Deep {
		return nil
	}
	err := v.store.try(ctx, m, func(at entry.Position) {
		if v.check.Entries != nil {
			v.check.Entries(m, at)
		}
	})
	if errors.Is(err, ErrDamaged) {
		v.verdict.Findings = append(v.verdict.Findings, err)
		return nil
	}
	return err
}

// content reads a content and says what is wrong with it.
func (v *verifying) content(ctx context.Context, f File) (what string, err error) {
	name := v.store.join(filesName, f.SHA256)
	pump := v.store.newPump(0, func(n int64) {
		v.read += n
		if v.check.Progress != nil {
			v.check.Progress(v.read, v.total)
		}
	})
	size, digest, err := pump.hash(ctx, name)
	if context.Cause(ctx) != nil {
		return "", context.Cause(ctx)
	}
	v.verdict.Files++
	v.verdict.Bytes += size
	return wrongWith(f, size, digest, err), nil
}

// wrongWith compares what was read of a content with what a manifest says.
func wrongWith(f File, size int64, digest string, err error) string {
	content := filesName + "/" + f.SHA256
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return content + " is missing"
	case err != nil:
		return err.Error()
	case size != f.Size:
		return fmt.Sprintf("%s has %d bytes instead of %d", content, size, f.Size)
	case digest != f.SHA256:
		return fmt.Sprintf("%s has the SHA-256 %s", content, digest)
	}
	return ""
}
