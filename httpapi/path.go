package httpapi

import (
	"bytes"
	"encoding/hex"
)

// decodeSegment decodes the percent escapes of one path segment, once. Dot
// segments and empty ones are refused instead of resolved, because what they
// mean depends on who resolves them; written as %2E they are ordinary text.
func decodeSegment(segment []byte) (string, error) {
	switch string(segment) {
	case "":
		return "", errNoSuchRoute
	case ".", "..":
		return "", errPath("the path has a dot segment")
	}
	if bytes.IndexByte(segment, '#') >= 0 {
		return "", errPath("the path has a fragment")
	}
	if bytes.IndexByte(segment, '%') < 0 {
		return string(segment), nil
	}
	decoded := make([]byte, 0, len(segment))
	for rest := segment; len(rest) > 0; {
		if rest[0] != '%' {
			decoded = append(decoded, rest[0])
			rest = rest[1:]
			continue
		}
		if len(rest) < 3 {
			return "", errPath("a percent sign in the path is not followed by two hexadecimal digits")
		}
		var octet [1]byte
		if _, err := hex.Decode(octet[:], rest[1:3]); err != nil {
			return "", errPath("a percent sign in the path is not followed by two hexadecimal digits")
		}
		decoded = append(decoded, octet[0])
		rest = rest[3:]
	}
	return string(decoded), nil
}
