package engine

import (
	"cmp"
	"slices"
	"sync"

	"markr/engine/exam"
	"markr/wal/entry"
)

// refusals is what is known of the refused documents that the log keeps: which they
// are, of what kind and from where, and which of them is resolved by which import.
// It does not depend on the scoring rule, so it is not part of the book.
//
// The committer changes it, before it acknowledges what it has changed it for; anybody
// reads it. A refused document takes 32 bytes, and the log's quota bounds how many
// there are.
type refusals struct {
	mu struct {
		sync.RWMutex

		kept       []refused                           // in order of position; those before first are gone
		first      int                                 // of kept
		unresolved int                                 // of those that are kept
		groups     map[entry.Position][]entry.Position // by root: refused corrections of it
		claimed    map[entry.Position]bool             // roots that somebody is about to resolve
		codes      names
		sources    names
	}
}

// refused is one refused document.
type refused struct {
	position   entry.Position
	resolvedBy entry.Position // 0: it is not resolved
	// root is the first of a chain of corrections: the document that this one was to
	// correct, or was to correct a correction of; else it is position. Who resolves one of
	// them resolves all, because they are about the same sheets.
	root   entry.Position
	code   uint16 // in codes
	source uint32 // in sources
}

// arrival is a refused document that the log has taken.
type arrival struct {
	position     entry.Position
	code, source string
	root         entry.Position // of the chain it is to correct; 0: it begins one
}

// resolution is an accepted document, or a duplicate, that resolves the refused ones of
// the chain with a root.
type resolution struct{ of, by entry.Position }

func newRefusals() *refusals {
	r := &refusals{}
	r.mu.groups = make(map[entry.Position][]entry.Position)
	r.mu.claimed = make(map[entry.Position]bool)
	r.mu.codes.init(refusalCodesMax)
	r.mu.sources.init(refusalSourcesMax)
	return r
}

// add notes a refused document that is younger than all that were noted before.
func (r *refusals) add(a arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := refused{
		position: a.position, root: a.position,
		code: uint16(r.mu.codes.enter(a.code)), source: r.mu.sources.enter(a.source),
	}
	if a.root != 0 {
		one.root = a.root
		r.mu.groups[one.root] = append(r.mu.groups[one.root], one.position)
	}
	r.addLocked(one)
}

func (r *refusals) addLocked(one refused) {
	r.mu.kept = append(r.mu.kept, one)
	r.countLocked(&one, one.resolvedBy == 0, 1)
}

// countLocked adds n to the counts of a document's code and source.
func (r *refusals) countLocked(one *refused, unresolved bool, n int) {
	open := 0
	if unresolved {
		open = n
	}
	r.mu.unresolved += open
	r.mu.codes.count(uint32(one.code), n, open)
	r.mu.sources.count(one.source, n, open)
}

// resolve notes that an import resolves the refused documents of a chain. What is
// resolved stays as it is.
func (r *refusals) resolve(by resolution) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resolveLocked(by.of, by.by)
	for _, position := range r.mu.groups[by.of] {
		r.resolveLocked(position, by.by)
	}
}

func (r *refusals) resolveLocked(position, by entry.Position) {
	one := r.findLocked(position)
	if one == nil || one.resolvedBy != 0 {
		return
	}
	one.resolvedBy = by
	r.mu.unresolved--
	r.mu.codes.count(uint32(one.code), 0, -1)
	r.mu.sources.count(one.source, 0, -1)
}

// dropThrough forgets the documents up to a position, which the log has dropped.
func (r *refusals) dropThrough(position entry.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ; r.mu.first < len(r.mu.kept) && r.mu.kept[r.mu.first].position <= position; r.mu.first++ {
		one := &r.mu.kept[r.mu.first]
		r.countLocked(one, one.resolvedBy == 0, -1)
		r.mu.codes.leave(uint32(one.code))
		r.mu.sources.leave(one.source)
		r.leaveGroupLocked(one)
	}
	// What is gone is let go of when it is half of the memory, so each is moved once.
	if r.mu.first > len(r.mu.kept)/2 {
		r.mu.kept = append(r.mu.kept[:0:0], r.mu.kept[r.mu.first:]...)
		r.mu.first = 0
	}
}

func (r *refusals) leaveGroupLocked(one *refused) {
	group := r.mu.groups[one.root]
	if i := slices.Index(group, one.position); i >= 0 {
		group = slices.Delete(group, i, i+1)
		r.mu.groups[one.root] = group
	}
	if len(group) == 0 {
		delete(r.mu.groups, one.root)
	}
}

// findLocked is the document at a position, nil if it is not there.
func (r *refusals) findLocked(position entry.Position) *refused {
	kept := r.mu.kept[r.mu.first:]
	i, found := slices.BinarySearchFunc(kept, position, byPosition)
	if !found {
		return nil
	}
	return &kept[i]
}

// byPosition compares a document's position with one.
func byPosition(one refused, at entry.Position) int { return cmp.Compare(one.position, at) }

// resolvedBy is the position of the import that has resolved a refused document, 0 if
// none has.
func (r *refusals) resolvedBy(position entry.Position) entry.Position {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if one := r.findLocked(position); one != nil {
		return one.resolvedBy
	}
	return 0
}

// claim keeps others from resolving a refused document until release is called: of
// two corrections at once one is told, before anything of it counts, that it is not
// needed. The error is [ErrUnknownImport] or [ErrResolved].
func (r *refusals) claim(position entry.Position) (root entry.Position, release func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.findLocked(position)
	switch {
	case one == nil:
		return 0, nil, ErrUnknownImport
	case one.resolvedBy != 0 || r.mu.claimed[one.root]:
		return 0, nil, ErrResolved
	}
	root = one.root
	r.mu.claimed[root] = true
	return root, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.mu.claimed, root)
	}, nil
}

// sourceBytesMax is the longest source that is counted by name.
const sourceBytesMax = exam.IDBytesMax
