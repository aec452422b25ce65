package deploy_test

import (
	"regexp"
	"strings"
	"testing"
)

var code = regexp.MustCompile("`([^`]+)`")

// The README's table of settings says what `markr serve --help` says.
func TestReadmeSettings(t *testing.T) {
	t.Parallel()
	_, table, found := strings.Cut(read(t, "README.md"), "\n| flag | environment | default |")
	if !found {
		t.Fatal("the README has no table of settings")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	defaults, rows := flagDefaults(t, "serve"), 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.Contains(cells[1], "--") {
			continue
		}
		rows++
		flags, variables, values := submatches(code, cells[1]), submatches(code, cells[2]), submatches(code, cells[3])
		if len(variables) != len(flags) {
			t.Errorf("%q has %d flags and %d variables", line, len(flags), len(variables))
			continue
		}
		for i, flag := range flags {
			name := strings.TrimPrefix(flag, "--")
			if want := "MARKR_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")); variables[i] != want {
				t.Errorf("the variable of %s is %s, not %s", flag, want, variables[i])
			}
			text, there := defaults[name]
			if !there {
				t.Errorf("markr serve has no flag %s", flag)
			}
			said := ""
			if i < len(values) {
				said = values[i]
			}
			if said != text {
				t.Errorf("the default of %s is %q, the README says %q", flag, text, said)
			}
		}
	}
	if rows < 10 {
		t.Errorf("the table has %d settings; the test reads it wrongly or it shrank", rows)
	}
}
