package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// refusals are documents that are refused for what is in them: each code of the
// contract, at places worth telling.
var refusals = []struct{ name, document string }{
	{"empty body", ""},
	{"white space only", " \n\t "},
	{"text before the root", "x" + document(sheet("1", "1", 1, 2))},
	{"cut short", document(sheet("1", "1", 1, 2))[:100]},
	{"second root", document(sheet("1", "1", 1, 2)) + "<again/>"},
	{"mismatched tags", "<mcq-test-results>\n<mcq-test-result></mcq-test-results>"},
	{"attribute twice", `<mcq-test-results a="1" a="2"/>`},
	{"undecodable bytes", "<mcq-test-results>\xff</mcq-test-results>"},
	{"surrogate reference", "<mcq-test-results>&#xD800;</mcq-test-results>"},
	{"unsupported encoding", `<?xml version="1.0" encoding="EBCDIC-CP-US"?><mcq-test-results/>`},
	{"doctype", "<!DOCTYPE lolz [<!ENTITY lol \"lol\">]>\n<mcq-test-results/>"},
	{"too deep", strings.Repeat("<a>", 65)},
	{"another kind of document", "<invoice/>"},
	{"a namespace", `<mcq-test-results xmlns="urn:x"/>`},
	{"no records", "<mcq-test-results></mcq-test-results>"},
	{"no student number", document(sheet("1", "1", 1, 2), strings.Replace(sheet("1", "1", 1, 2), "<student-number>1</student-number>", "", 1))},
	{"no test id", document(strings.Replace(sheet("1", "1", 1, 2), "<test-id>1</test-id>", "", 1))},
	{"no summary", document(strings.Replace(sheet("1", "1", 1, 2), `<summary-marks available="2" obtained="1"/>`, "", 1))},
	{"no obtained", document(strings.Replace(sheet("1", "1", 1, 2), ` obtained="1"`, "", 1))},
	{"student number twice", document(strings.Replace(sheet("1", "1", 1, 2), "<test-id>", "<student-number>2</student-number><test-id>", 1))},
	{"empty test id", document(sheet(" ", "1", 1, 2))},
	{"long id", document(sheet(strings.Repeat("i", 257), "1", 1, 2))},
	{"not a number", document(sheet("1", "521585128", "1e1", 2))},
	{"more than available", document(sheet("1", "521585128", 1, 2), sheet("1", "521585128", 3, 2))},
	{"nothing available", document(sheet("1", "521585128", 0, 0))},
	{"too precise", document(sheet("1", "521585128", "1.2345", 2))},
	{"a value with markup", document(sheet("1", "1", "&lt;b&gt;&quot;", 2))},
}

// TestRefusals holds the answers to refused documents against a golden file: the
// status, the code, the place, and the words.
func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	ids := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	var got bytes.Buffer
	for _, refused := range refusals {
		answer := b.post(t, refused.document, "X-Request-Id", "golden")
		if answer.Header.Get("Content-Type") != "application/problem+json" || answer.Close {
			t.Errorf("%s: %v", refused.name, answer.Header)
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, ids.ReplaceAll([]byte(answer.body), []byte("ID")), "", "  "); err != nil {
			t.Fatalf("%s: %v: %s", refused.name, err, answer.body)
		}
		fmt.Fprintf(&got, "=== %s: %s\n%s\n\n", refused.name, answer.Status, &indented)
		// It can be looked at, and nothing of it counts.
		id := ids.FindString(answer.body)
		if kept := b.get(t, "/imports/"+id+"/document").want(t, 200); kept.body != refused.document {
			t.Errorf("%s: kept %q", refused.name, kept.body)
		}
		if tests := b.engine.State().Tests(); tests != 0 {
			t.Fatalf("%s: %d tests are known", refused.name, tests)
		}
	}
	golden(t, "refusals.golden", got.Bytes())
	if logged := b.logs.String(); strings.Contains(logged, "521585128") || strings.Contains(logged, "Austen") {
		t.Errorf("personal data in the log:\n%s", logged)
	}
	b.post(t, document(sheet("1", "1", 1, 2))).want(t, 200)
}

// golden compares with a file in testdata, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; if it is meant to, run again with -update. Got:\n%s", path, got)
	}
}
