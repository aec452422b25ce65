package intake

import "unicode/utf8"

// LineColumn counts line and column of the offset at, both from 1. A line ends
// with a line feed, a carriage return, or the two together; a column is a
// character, and so is a byte that belongs to none.
func LineColumn(text []byte, at int) (line, column int) {
	line, start := 1, 0
	for i := range at {
		switch text[i] {
		case '\n':
			line, start = line+1, i+1
		case '\r':
			if i+1 < len(text) && text[i+1] == '\n' {
				continue
			}
			line, start = line+1, i+1
		}
	}
	return line, utf8.RuneCount(text[start:at]) + 1
}
