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

// fieldsOf looks through a header block once: how many lines it has, the empty one
// at its end included, and the initials of its fields. A line that goes on with
// the one before begins with a blank, and is none.
func fieldsOf(raw []byte) (lines int, names initials) {
	for len(raw) > 0 {
		names |= initialOf(raw[0])
		end := bytes.IndexByte(raw, '\n')
		if end < 0 {
			break
		}
		lines++
		raw = raw[end+1:]
	}
	return lines, names
}
