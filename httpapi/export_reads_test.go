package httpapi

import (
	"markr/engine/exam"
	"markr/wal/entry"
)

// What the tests of reads look at from the inside.

// ChooseCoding is the name of the coding that an Accept-Encoding header gets for a
// body of size bytes; ok is false when it allows none.
func ChooseCoding(header string, size int) (name string, ok bool) {
	chosen, ok := parseAcceptEncoding([]byte(header)).choose(size)
	return chosen.String(), ok
}

// CompressBytesMin is the shortest body that is compressed.
const CompressBytesMin = compressBytesMin

// MatchesETag compares an If-None-Match header with a tag.
func MatchesETag(ifNoneMatch, tag string) bool {
	return matchesETag([]byte(ifNoneMatch), []byte(tag))
}

// ETag is the entity tag of a body.
func ETag(body string) string { return string(appendETag(nil, []byte(body))) }

// AppendPercentage renders a number of percent.
func AppendPercentage(dst []byte, value float64) []byte { return appendPercentage(dst, value) }

// TestsCursor and its siblings make and read cursors.
func TestsCursor(after exam.TestID) string { return testsCursor(after) }

// ParseTestsCursor reads a cursor of the list of tests.
func ParseTestsCursor(cursor string) (exam.TestID, error) { return parseTestsCursor(cursor) }

// ImportsCursor makes a cursor of the list of imports.
func ImportsCursor(before entry.Position) string { return importsCursor(before) }

// ParseImportsCursor reads a cursor of the list of imports.
func ParseImportsCursor(cursor string) (entry.Position, error) { return parseImportsCursor(cursor) }

// PrefersHTML says what an Accept header gets at "/".
func PrefersHTML(accept string) bool { return prefersHTML([]byte(accept)) }

// OpenAPIDocument is the contract.
func OpenAPIDocument() []byte { return openapiDocument }

// Routes lists every route as "METHOD /path".
func Routes() []string {
	var routes []string
	for _, r := range routeTable() {
		routes = append(routes, r.method+" "+r.pattern)
	}
	return routes
}

// Codes maps every code of a problem to its status.
func Codes() map[string]int {
	codes := make(map[string]int, len(kinds))
	for c, k := range kinds {
		codes[string(c)] = k.status
	}
	return codes
}
