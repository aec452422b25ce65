package httpapi_test

import (
	"encoding/base64"
	"testing"

	"pgregory.net/rapid"

	"markr/engine/exam"
	"markr/httpapi"
	"markr/wal/entry"
)

func TestCursorRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := exam.TestID(rapid.StringN(1, -1, exam.IDBytesMax).Draw(t, "id"))
		if got, err := httpapi.ParseTestsCursor(httpapi.TestsCursor(id)); err != nil || got != id {
			t.Fatalf("cursor after %q came back as %q, %v", id, got, err)
		}
		position := entry.Position(rapid.Uint64Min(1).Draw(t, "position"))
		if got, err := httpapi.ParseImportsCursor(httpapi.ImportsCursor(position)); err != nil || got != position {
			t.Fatalf("cursor before %d came back as %d, %v", position, got, err)
		}
		if got, err := httpapi.ParseChangesCursor(httpapi.ChangesCursor(position)); err != nil || got != position {
			t.Fatalf("cursor of changes before %d came back as %d, %v", position, got, err)
		}
		if _, err := httpapi.ParseImportsCursor(httpapi.ChangesCursor(position)); err == nil {
			t.Fatal("a cursor of changes was taken for one of imports")
		}
	})
}

// A cursor that is cut, changed, of another list or of another version is refused,
// whichever character it is that differs.
func TestBadCursors(t *testing.T) {
	t.Parallel()
	whole := httpapi.TestsCursor("biology-2026-a")
	bad := []string{"", "x", "====", "MTIzNA", httpapi.ImportsCursor(7), whole + "A", whole + whole}
	for cut := range whole {
		bad = append(bad, whole[:cut])
	}
	for i := range whole {
		changed := []byte(whole)
		changed[i] = 'A' + (changed[i]-'A'+1)%26
		bad = append(bad, string(changed))
	}
	otherVersion, err := base64.RawURLEncoding.DecodeString(whole)
	if err != nil {
		t.Fatal(err)
	}
	otherVersion[0]++
	bad = append(bad, base64.RawURLEncoding.EncodeToString(otherVersion))
	for _, cursor := range bad {
		if id, err := httpapi.ParseTestsCursor(cursor); err == nil {
			t.Errorf("cursor %q was taken for one after %q", cursor, id)
		}
	}
	if _, err := httpapi.ParseImportsCursor(whole); err == nil {
		t.Error("a cursor of tests was taken for one of imports")
	}
}
