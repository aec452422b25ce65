package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	markr "markr/cmd/markr"
)

// Help pages are part of the interface: a change to one shows up as a change to a
// file. `go test ./cmd/markr -run TestHelp -update` writes them anew.
func TestHelpPages(t *testing.T) {
	t.Parallel()
	for _, verb := range append([][]string{nil}, markr.Verbs()...) {
		name := strings.Join(append([]string{"markr"}, verb...), "-")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flag := run(t, "", append(append([]string{}, verb...), "--help")...)
			if flag.code != 0 || flag.stderr != "" {
				t.Fatalf("--help: exit %d, stderr %q", flag.code, flag.stderr)
			}
			named := run(t, "", append([]string{"help"}, verb...)...)
			if diff := cmp.Diff(flag.stdout, named.stdout); diff != "" {
				t.Errorf("`markr help` differs from --help (-flag +verb):\n%s", diff)
			}
			golden(t, filepath.Join("testdata", "help", name+".txt"), flag.stdout)
			for number, line := range strings.Split(flag.stdout, "\n") {
				// Examples are lines to paste, and are not broken.
				if len(line) > 80 && !strings.Contains(line, "://") {
					t.Errorf("line %d has %d characters, more than a terminal is wide: %q", number+1, len(line), line)
				}
			}
		})
	}
}

// golden compares got with a file, or writes the file with -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// Help is shown for the verb that was meant even when the rest of the line is
// wrong, but never for what stands behind "--".
func TestHelpBesideMistakes(t *testing.T) {
	t.Parallel()
	if got := run(t, "", "import", "--bogus", "-h"); got.code != 0 || !strings.HasPrefix(got.stdout, "markr import - ") {
		t.Errorf("import --bogus -h: %+v", got)
	}
	if got := run(t, "", "import", "--", "--help"); got.code == 0 || got.stdout != "" {
		t.Errorf("import -- --help: %+v", got)
	}
}
