package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/cespare/xxhash/v2"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/quality"
	"markr/engine/scoring"
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
	cursorOfFindings    = 'f' // the key is a kind and two numbers, big-endian: go on after it
	cursorOfScores      = 'd' // the key is a score, see scoresCursor: go on after it
	cursorOfRoll        = 'r' // the key is a position, a row and the rule, see rollCursor: go on there
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

// findingsCursor goes on after a finding.
func findingsCursor(after engine.FindingPlace) string {
	key := []byte{byte(after.Kind)}
	for _, part := range after.Key {
		key = binary.BigEndian.AppendUint64(key, part)
	}
	return sealCursor(cursorOfFindings, key)
}

// parseFindingsCursor is the finding that the cursor goes on after.
func parseFindingsCursor(cursor string) (after engine.FindingPlace, err error) {
	key, err := openCursor(cursorOfFindings, cursor)
	if err != nil {
		return after, err
	}
	if len(key) != 1+8*len(after.Key) || int(key[0]) >= quality.KindCount {
		return after, errInvalidCursor
	}
	after.Kind = quality.Kind(key[0])
	for i := range after.Key {
		after.Key[i] = binary.BigEndian.Uint64(key[1+8*i:])
	}
	return after, nil
}

// rollCursor goes on in a roll. Its key is a hash of the test, the position that the roll
// stands for, the row, where the log has the rule, and policy and denominator with their versions.
func rollCursor(test exam.TestID, at engine.RollPlace) string {
	key := binary.BigEndian.AppendUint64(nil, xxhash.Sum64String(string(test)))
	key = binary.BigEndian.AppendUint64(key, uint64(at.Position))
	key = binary.BigEndian.AppendUint64(key, uint64(at.Row))
	key = binary.BigEndian.AppendUint64(key, uint64(at.RuleAt))
	return sealCursor(cursorOfRoll, append(key, ruleKey(at.Rule)...))
}

// ruleKey is a rule in a cursor.
func ruleKey(rule scoring.Rule) []byte {
	return []byte{byte(rule.Policy), byte(rule.Policy.Version()), byte(rule.Denominator), byte(rule.Denominator.Version())}
}

// parseRollCursor is where in a roll the cursor goes on.
func parseRollCursor(test exam.TestID, cursor string) (at engine.RollPlace, err error) {
	key, err := openCursor(cursorOfRoll, cursor)
	if err != nil {
		return at, err
	}
	const numbers = 4 * 8
	if len(key) != numbers+len(ruleKey(scoring.Rule{})) || binary.BigEndian.Uint64(key) != xxhash.Sum64String(string(test)) {
		return at, errInvalidCursor
	}
	at.Position = entry.Position(binary.BigEndian.Uint64(key[8:]))
	row := binary.BigEndian.Uint64(key[16:])
	at.RuleAt = entry.Position(binary.BigEndian.Uint64(key[24:]))
	at.Rule = scoring.Rule{Policy: scoring.Policy(key[numbers]), Denominator: scoring.Denominator(key[numbers+2])}
	switch {
	case at.Position == 0 || row > math.MaxInt32 || !at.Rule.Known():
		return at, errInvalidCursor
	case !bytes.Equal(key[numbers:], ruleKey(at.Rule)):
		return at, engine.ErrRollGone // Another version of the rule: another program gave it out.
	}
	at.Row = int(row)
	return at, nil
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
