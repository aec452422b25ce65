package engine

import (
	"slices"

	"markr/wal/entry"
)

// refusalsView is what is known of refused documents at one moment.
type refusalsView struct {
	codes, sources []string // by number; number 0 is that of the others
	kept           []refused
}

// view is the refusals as they are now. It copies them: one that is refused costs more
// in every other way.
func (r *refusals) view() refusalsView {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return refusalsView{
		codes: r.mu.codes.texts(), sources: r.mu.sources.texts(),
		kept: slices.Clone(r.mu.kept[r.mu.first:]),
	}
}

// texts are the names by number.
func (n *names) texts() []string {
	texts := make([]string, len(n.list))
	for i := range n.list {
		texts[i] = n.list[i].name
	}
	return texts
}

// restore makes r what v is.
func (r *refusals) restore(v refusalsView) {
	fresh := newRefusals()
	for _, one := range v.kept {
		if one.code != 0 {
			one.code = uint16(fresh.mu.codes.enter(v.codes[one.code]))
		}
		if one.source != 0 {
			one.source = fresh.mu.sources.enter(v.sources[one.source])
		}
		if one.root != one.position {
			fresh.mu.groups[one.root] = append(fresh.mu.groups[one.root], one.position)
		}
		fresh.addLocked(one)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.kept, r.mu.first, r.mu.unresolved = fresh.mu.kept, 0, fresh.mu.unresolved
	r.mu.groups, r.mu.codes, r.mu.sources = fresh.mu.groups, fresh.mu.codes, fresh.mu.sources
}

// encode writes the view: both lists of names, then the documents, each by how much it
// is behind the one before it.
func (v refusalsView) encode(e *encoder) error {
	for _, texts := range [][]string{v.codes, v.sources} {
		e.uint(uint64(max(len(texts), 1) - 1))
		for i := 1; i < len(texts); i++ {
			e.text([]byte(texts[i]))
			if err := e.full(); err != nil {
				return err
			}
		}
	}
	e.uint(uint64(len(v.kept)))
	var before entry.Position
	for i := range v.kept {
		one := &v.kept[i]
		e.uint(uint64(one.position - before))
		e.uint(uint64(one.code))
		e.uint(uint64(one.source))
		e.uint(uint64(one.position - one.root))
		e.uint(uint64(max(one.resolvedBy, one.position) - one.position)) // 0: not resolved
		before = one.position
		if err := e.full(); err != nil {
			return err
		}
	}
	return nil
}

// refusals takes what a view has written.
func (d *decoder) refusals() refusalsView {
	v := refusalsView{codes: d.texts(refusalCodesMax), sources: d.texts(refusalSourcesMax)}
	var before entry.Position
	for range d.count() {
		step := entry.Position(d.uint())
		one := refused{position: before + step}
		code, source := d.uint(), d.uint()
		back, ahead := entry.Position(d.uint()), entry.Position(d.uint())
		if d.err == nil && (step == 0 || code >= uint64(len(v.codes)) || source >= uint64(len(v.sources)) ||
			one.position > entry.PositionMax || back >= one.position || ahead > entry.PositionMax-one.position) {
			d.fail()
		}
		if d.err != nil {
			return refusalsView{}
		}
		one.code, one.source, one.root = uint16(code), uint32(source), one.position-back
		if ahead > 0 {
			one.resolvedBy = one.position + ahead
		}
		v.kept = append(v.kept, one)
		before = one.position
	}
	return v
}

// texts takes a list of names, of which number 0 is not written.
func (d *decoder) texts(most int) []string {
	texts := []string{""}
	for range d.count() {
		if len(texts) > most {
			d.fail()
		}
		text := string(d.bytes(d.uint()))
		if d.err != nil {
			return texts
		}
		texts = append(texts, text)
	}
	return texts
}
