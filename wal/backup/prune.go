package backup

import "fmt"

// Keep removes all but the newest n backups, then every content that none names. It
// returns the ids of those it has removed, and how many bytes of contents. With n of 0
// no backup is removed, and contents that an interrupted run has left are.
//
// While there is a backup that cannot be read, nobody knows what it names: then no
// content is removed, and the error is that backup's.
func (s *Store) Keep(n int) (removed []string, freed int64, err error) {
	list, err := s.List()
	if err != nil {
		return nil, 0, err
	}
	if n > 0 && len(list) > n {
		for _, l := range list[:len(list)-n] {
			if err := s.fs.Remove(s.join(backupsName, l.ID+manifestSuffix)); err != nil {
				return removed, 0, fmt.Errorf("remove backup %s: %w", l.ID, err)
			}
			removed = append(removed, l.ID)
		}
		if err := s.sync(s.join(backupsName)); err != nil {
			return removed, 0, err
		}
		list = list[len(list)-n:]
	}
	named := make(map[string]bool)
	for _, l := range list {
		if l.Err != nil {
			return removed, 0, fmt.Errorf("nothing is removed from %s: %w", filesName, l.Err)
		}
		for _, f := range l.Manifest.Files {
			named[f.SHA256] = true
		}
	}
	contents, err := s.fs.List(s.join(filesName))
	if err != nil {
		return removed, 0, err
	}
	for _, content := range contents {
		if named[content] {
			continue
		}
		name := s.join(filesName, content)
		if info, err := s.fs.Stat(name); err == nil {
			freed += info.Size()
		}
		if err := s.fs.Remove(name); err != nil {
			return removed, freed, err
		}
	}
	return removed, freed, nil
}
