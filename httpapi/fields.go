package httpapi

import "bytes"

// initials are the first letters of the names of a request's header fields, in
// small letters, a bit for each. Asking for a field costs a walk through all of
// them, and most requests have none of those that matter here: who knows the
// initials need not ask.
type initials uint32

// has says whether there may be a field with this name.
func (i initials) has(name string) bool { return i&initialOf(name[0]) != 0 }

// initialOf is the bit of a letter, 0 for anything else.
func initialOf(first byte) initials {
	letter := (first | 0x20) - 'a'
	if letter >= 26 {
		return 0
	}
	return 1 << letter
}

// fields is what a look through a header block tells.
type fields struct {
	names initials
	lines int // the empty one at the end included
	bare  int // lines that end with a line feed alone
	// folded: a line begins with a blank, and goes on with the one before.
	folded bool
}

// fieldsOf looks through a header block once.
func fieldsOf(raw []byte) (f fields) {
	for len(raw) > 0 {
		f.names |= initialOf(raw[0])
		f.folded = f.folded || raw[0] == ' ' || raw[0] == '\t'
		end := bytes.IndexByte(raw, '\n')
		if end < 0 {
			break
		}
		f.lines++
		if end == 0 || raw[end-1] != '\r' {
			f.bare++
		}
		raw = raw[end+1:]
	}
	return f
}

// ambiguous says whether different programs may see different fields: in a folded
// line, which is long forbidden, or where lines end in two ways, so that one of them
// may be an end to some and a part of a value to others. Old devices that end all
// lines with a line feed are understood in one way only.
func (f *fields) ambiguous() bool { return f.folded || (f.bare > 0 && f.bare < f.lines) }
