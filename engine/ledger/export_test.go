package ledger

// Index is an index over rows whose hashes a test chooses.
type Index struct {
	x      index
	hashes []uint64
}

// Add adds the next row.
func (i *Index) Add(hash uint64) {
	if i.x.moving == nil {
		i.x.moving = new(moving)
	}
	i.hashes = append(i.hashes, hash)
	i.x.add(hash, uint32(len(i.hashes)-1), func(row uint32) uint64 { return i.hashes[row] })
}

// Find is all rows that may be of a hash.
func (i *Index) Find(hash uint64) map[uint32]bool {
	found := make(map[uint32]bool)
	if t := i.x.of(hash); t != nil {
		for row, place, ok := t.next(hash, t.place(hash)); ok; row, place, ok = t.next(hash, place) {
			found[row] = true
		}
	}
	return found
}
