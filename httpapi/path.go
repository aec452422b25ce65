package httpapi

import (
	"bytes"
	"encoding/hex"
)

// splitPath splits a path at its slashes, before anything is decoded: a slash
// that is part of an id is written %2F. Dot segments and empty ones are refused
// instead of resolved, because what they mean depends on who resolves them.
func splitPath(original []byte, segments *[segmentsMax][]byte) (int, error) {
	switch {
	case len(original) == 0 || original[0] != '/':
		return 0, errAbsoluteForm
	case bytes.IndexByte(original, '#') >= 0:
		return 0, errPath("it holds a fragment, which is the client's to keep")
	case len(original) == 1:
		return 0, nil
	}
	rest := original[1:]
	for n := range segmentsMax {
		segment, after, more := cut(rest, '/')
		switch string(segment) {
		case "":
			return 0, errNoSuchRoute
		case ".", "..":
			return 0, errPath("its path holds a dot segment")
		}
		segments[n] = segment
		if !more {
			return n + 1, nil
		}
		rest = after
	}
	return 0, errNoSuchRoute
}

// cut is bytes.Cut for one byte, which costs half as much.
func cut(text []byte, at byte) (before, after []byte, found bool) {
	if i := bytes.IndexByte(text, at); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, nil, false
}

// decodeSegment decodes the percent escapes of one path segment, once. An
// escaped dot is an ordinary character of an id. A segment without escapes is its
// own value.
func decodeSegment(segment []byte) ([]byte, error) {
	if bytes.IndexByte(segment, '%') < 0 {
		return segment, nil
	}
	decoded := make([]byte, 0, len(segment))
	for rest := segment; len(rest) > 0; {
		if rest[0] != '%' {
			decoded = append(decoded, rest[0])
			rest = rest[1:]
			continue
		}
		var octet [1]byte
		if len(rest) < 3 {
			return nil, errPath("a percent sign in its path is not followed by two hexadecimal digits")
		}
		if _, err := hex.Decode(octet[:], rest[1:3]); err != nil {
			return nil, errPath("a percent sign in its path is not followed by two hexadecimal digits")
		}
		decoded = append(decoded, octet[0])
		rest = rest[3:]
	}
	return decoded, nil
}
