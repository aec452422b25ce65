package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"markr/wal/entry"
)

// A Source is what a backup is made of.
type Source struct {
	// Dir is the directory of the snapshot's files, as this process sees it.
	Dir      string
	Snapshot entry.Snapshot
	// Markr is the version of this program.
	Markr string
	// Copy makes copies of tables where hard links could be made, and of those that
	// earlier backups have linked.
	Copy bool
	// BytesPerSecondMax bounds what is read of Dir; 0: nothing does.
	BytesPerSecondMax int64
	// Progress, if it is not nil, is told how many bytes of the snapshot's files are
	// done with.
	Progress func(bytes int64)
}

// Added says what a backup has cost.
type Added struct {
	Manifest *Manifest
	// NewFiles and NewBytes are what was not in the store before; LinkedBytes of them
	// are hard links, the others copies.
	NewFiles    int
	NewBytes    int64
	LinkedBytes int64
}

// Add makes a backup. When it returns without an error the backup is on disk, every
// file that was new has been read back, and it has been opened: it ends where the
// snapshot does. After an error there is none, and what was done helps the next one.
func (s *Store) Add(ctx context.Context, source Source) (Added, error) {
	list, err := s.List()
	if err != nil {
		return Added{}, err
	}
	if !slices.ContainsFunc(source.Snapshot.Files, func(f entry.File) bool { return f.Name == formatName }) {
		return Added{}, fmt.Errorf("back up %s: the snapshot has no %s", source.Dir, formatName)
	}
	id := idOf(source.Snapshot.Taken, &source.Snapshot.Tip)
	a := adding{
		store: s, source: source, pump: s.newPump(source.BytesPerSecondMax, nil),
		known: make(map[seen]File), linked: make(map[string]bool),
	}
	for _, l := range list { // Oldest first: the newest has the last word.
		if l.ID == id {
			return Added{}, fmt.Errorf("backup %s is there already", id)
		}
		if l.Manifest != nil {
			a.remember(l.Manifest)
		}
	}
	a.added.Manifest = &Manifest{
		Format: formatNumber, ID: id, Taken: source.Snapshot.Taken.UTC(), Markr: source.Markr, Tip: source.Snapshot.Tip,
	}
	if err := a.run(ctx); err != nil {
		return Added{}, fmt.Errorf("back up %s: %w", source.Dir, err)
	}
	return a.added, nil
}

// adding is one run of Add.
type adding struct {
	store  *Store
	source Source
	pump   *pump
	known  map[seen]File   // tables of earlier backups
	linked map[string]bool // contents that are hard links to a data directory's
	done   int64           // bytes
	added  Added
}

// seen is what a table is known by: it is never changed under one name, and two of one
// name, from before and after a restore, differ in time.
type seen struct {
	name     string
	size     int64
	modified int64 // ns
}

func (a *adding) remember(m *Manifest) {
	for _, f := range m.Files {
		a.known[seen{f.Name, f.Size, f.Modified.UnixNano()}] = f
		a.linked[f.SHA256] = f.Linked
	}
}

// run is steps 3 to 5 of DESIGN.md, "Backup".
func (a *adding) run(ctx context.Context) error {
	m := a.added.Manifest
	for _, f := range a.source.Snapshot.Files {
		file, err := a.file(ctx, f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		m.Files = append(m.Files, file)
		a.progress(f.Size)
	}
	s := a.store
	if err := s.sync(s.join(filesName)); err != nil {
		return err
	}
	if err := s.try(ctx, m, nil); err != nil {
		return err
	}
	m.Finished = s.now().UTC().Truncate(time.Millisecond)
	text, err := m.encode()
	if err != nil {
		return err
	}
	incoming := s.fs.PathJoin(incomingName, m.ID)
	if err := s.writeText(incoming, string(text)); err != nil {
		return err
	}
	if err := s.fs.Rename(s.join(incoming), s.join(backupsName, m.ID+manifestSuffix)); err != nil {
		return err
	}
	return s.sync(s.join(backupsName))
}

// progress says that so many bytes more are done with.
func (a *adding) progress(bytes int64) {
	a.done += bytes
	if a.source.Progress != nil {
		a.source.Progress(a.done)
	}
}

// file sees to it that a file's content is in the store.
func (a *adding) file(ctx context.Context, f entry.File) (File, error) {
	s := a.store
	from := s.under(a.source.Dir, f.Name)
	info, err := s.fs.Stat(from)
	if err != nil {
		return File{}, err
	}
	file := File{Name: f.Name, Size: f.Size, Modified: info.ModTime().UTC()}
	if info.Size() != f.Size {
		return File{}, fmt.Errorf("it has %d bytes, the snapshot says %d", info.Size(), f.Size)
	}
	if known, found := a.known[seen{f.Name, f.Size, info.ModTime().UnixNano()}]; found && f.Frozen &&
		s.has(known.SHA256, f.Size) && (!a.source.Copy || !a.linked[known.SHA256]) {
		file.SHA256, file.Linked = known.SHA256, a.linked[known.SHA256]
		return file, nil
	}
	incoming := s.join(incomingName, strings.ReplaceAll(f.Name, "/", "-"))
	file.SHA256, file.Linked, err = a.take(ctx, f, from, incoming)
	if err != nil {
		return File{}, err
	}
	if s.has(file.SHA256, f.Size) && (!a.source.Copy || !a.linked[file.SHA256]) {
		file.Linked = a.linked[file.SHA256]
		return file, s.fs.Remove(incoming)
	}
	a.linked[file.SHA256] = file.Linked
	a.added.NewFiles++
	a.added.NewBytes += f.Size
	if file.Linked {
		a.added.LinkedBytes += f.Size
	}
	return file, s.fs.Rename(incoming, s.join(filesName, file.SHA256))
}

// take brings a file into incoming, durably, and reads it back.
func (a *adding) take(ctx context.Context, f entry.File, from, incoming string) (digest string, linked bool, err error) {
	s := a.store
	if err := s.fs.Remove(incoming); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	if f.Frozen && !a.source.Copy {
		err := s.fs.Link(from, incoming) // Most reasons against it are none against a copy.
		if linked = err == nil; linked {
			if err := s.syncFile(incoming); err != nil {
				return "", false, err
			}
			size, digest, err := a.pump.hash(ctx, incoming)
			if err == nil && size != f.Size {
				err = fmt.Errorf("%d bytes of %d could be read", size, f.Size)
			}
			return digest, true, err
		}
	}
	size, read, err := a.pump.copy(ctx, from, incoming)
	if err != nil {
		return "", false, err
	}
	written, digest, err := s.newPump(0, nil).hash(ctx, incoming)
	if err == nil && (size != f.Size || written != size || digest != read) {
		err = fmt.Errorf("%d of %d bytes were read, with SHA-256 %s, and %d written, with %s", size, f.Size, read, written, digest)
	}
	return digest, false, err
}

// has says whether a content is in the store, by its size.
func (s *Store) has(digest string, size int64) bool {
	info, err := s.fs.Stat(s.join(filesName, digest))
	return err == nil && info.Size() == size
}
