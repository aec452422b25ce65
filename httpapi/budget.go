package httpapi

import "sync/atomic"

// A budget bounds how many bytes are held at once by everybody who takes from
// it. Nobody ever waits for it: who cannot have more is refused and gives back
// what it has. So nobody holds bytes while waiting for others to give theirs
// back, and of any number of bodies that do not fit together, those that are not
// refused come to their end.
type budget struct {
	max  int64
	used atomic.Int64
}

// take takes n bytes, all or none, and says whether it got them.
func (b *budget) take(n int64) bool { return b.takeWithin(n, b.max) }

// takeOnTrust takes n bytes for what has been announced and is not there. The half
// of the budget that announcements cannot take is for what arrives.
func (b *budget) takeOnTrust(n int64) bool { return b.takeWithin(n, b.max/2) }

// takeWithin takes n bytes if no more than most are out then.
func (b *budget) takeWithin(n, most int64) bool {
	for {
		used := b.used.Load()
		if n > most-used {
			return false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// give gives n bytes back.
func (b *budget) give(n int64) { b.used.Add(-n) }

// free is how many bytes could be taken now.
func (b *budget) free() int64 { return b.max - b.used.Load() }
