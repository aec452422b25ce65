package httpapi

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"markr/engine/exam"
	"markr/wal/entry"
)

// A cursor is where a list goes on: base64url without padding of
//
//	version (1 byte) | list (1 byte) | key of the last item shown | checksum (4 bytes)
//
// The key is a place in the list's order and not a number of items to skip, so
// items that arrive meanwhile neither repeat nor hide others. The checksum is for
// cursors cut short in copying: without it a piece of a test id would look like
// another test id. It is no secret and protects nothing.
const (
	cursorVersion       = 1
	cursorOfTests       = 't' // the key is a test id: go on after it
	cursorOfImports     = 'i' // the key is a position, big-endian: go on before it
	cursorOfChanges     = 'c' // the same, in the audit trail
	cursorOfHistory     = 'h' // the key is a position, big-endian: go on with it
	cursorOfStudents    = 's' // the key is a place in a list of students, big-endian: go on there
	cursorChecksumBytes = 4
	cursorBytesMin      = 2 + 1 + cursorChecksumBytes
	cursorCharsMax      = (2 + exam.IDBytesMax + cursorChecksumBytes + 2) / 3 * 4
)

// testsCursor goes on after a test.
func testsCursor(after exam.TestID) string {
	return sealCursor(cursorOfTests, []byte(after))
}

// parseTestsCursor is the test that the cursor goes on after.
func parseTestsCursor(cursor string) (exam.TestID, error) {
	key, err := openCursor(cursorOfTests, cursor)
	return exam.TestID(key), err
}

// importsCursor goes on before a position.
func importsCursor(before entry.Position) string {
	return sealPosition(cursorOfImports, before)
}

// parseImportsCursor is the position that the cursor goes on before.
func parseImportsCursor(cursor string) (entry.Position, error) {
	return openPosition(cursorOfImports, cursor)
}

// changesCursor goes on before a position, in the audit trail.
func changesCursor(before entry.Position) string { return sealPosition(cursorOfChanges, before) }

// parseChangesCursor is the position that the cursor goes on before.
func parseChangesCursor(cursor string) (entry.Position, error) {
	return openPosition(cursorOfChanges, cursor)
}

// historyCursor goes on with a position.
func historyCursor(with entry.Position) string { return sealPosition(cursorOfHistory, with) }

// parseHistoryCursor is the position that the cursor goes on with.
func parseHistoryCursor(cursor string) (entry.Position, error) {
	return openPosition(cursorOfHistory, cursor)
}

// studentsCursor goes on at a place in a list of students.
func studentsCursor(next uint64) string { return sealPosition(cursorOfStudents, entry.Position(next)) }

// parseStudentsCursor is the place that the cursor goes on at.
func parseStudentsCursor(cursor string) (uint64, error) {
	key, err := openPosition(cursorOfStudents, cursor)
	return uint64(key), err
}

func sealPosition(list byte, at entry.Position) string {
	return sealCursor(list, binary.BigEndian.AppendUint64(nil, uint64(at)))
}

func openPosition(list byte, cursor string) (entry.Position, error) {
	key, err := openCursor(list, cursor)
	if err != nil {
		return 0, err
	}
	if len(key) != 8 {
		return 0, errInvalidCursor
	}
	return entry.Position(binary.BigEndian.Uint64(key)), nil
}

func sealCursor(list byte, key []byte) string {
	sealed := append([]byte{cursorVersion, list}, key...)
	sealed = binary.BigEndian.AppendUint32(sealed, uint32(xxhash.Sum64(sealed)))
	return base64.RawURLEncoding.EncodeToString(sealed)
}

func openCursor(list byte, cursor string) ([]byte, error) {
	if len(cursor) > cursorCharsMax {
		return nil, errInvalidCursor
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(sealed) < cursorBytesMin || sealed[0] != cursorVersion || sealed[1] != list {
		return nil, errInvalidCursor
	}
	body, checksum := sealed[:len(sealed)-cursorChecksumBytes], sealed[len(sealed)-cursorChecksumBytes:]
	if binary.BigEndian.Uint32(checksum) != uint32(xxhash.Sum64(body)) {
		return nil, errInvalidCursor
	}
	return body[2:], nil
}
