package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	code = regexp.MustCompile("`([^`]+)`")
	link = regexp.MustCompile(`(?:\]\(|src(?:set)?=")([^)"#]+)`)
)

// Links and pictures lead to what is there.
func TestReadmeLinks(t *testing.T) {
	t.Parallel()
	links := submatches(link, read(t, "README.md"))
	if len(links) == 0 {
		t.Fatal("the README links to nothing; the test reads it wrongly")
	}
	for _, to := range links {
		if strings.Contains(to, "://") {
			continue // Nothing here talks to the network.
		}
		if _, err := os.Stat(filepath.Join(root, to)); err != nil {
			t.Errorf("the README links to %s: %v", to, err)
		}
	}
}

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

// Every module that our code imports has its line in the README, and no other has.
func TestReadmeDependencies(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(read(t, "README.md"), "\n## Dependencies\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var named []string
	for _, text := range submatches(code, section) {
		if strings.Contains(text, "/") {
			named = append(named, text)
		}
	}
	var imported []string
	const list = `{{range .Imports}}{{.}} {{end}}{{range .TestImports}}{{.}} {{end}}{{range .XTestImports}}{{.}} {{end}}`
	command := exec.CommandContext(t.Context(), "go", "list", "-f", list, "./...")
	command.Dir = root
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.FieldsSeq(string(output)) {
		if host, _, _ := strings.Cut(path, "/"); strings.Contains(host, ".") {
			imported = append(imported, strings.TrimPrefix(path, "github.com/"))
		}
	}
	if len(imported) == 0 {
		t.Fatal("go list names no imports")
	}
	within := func(path, module string) bool { return path == module || strings.HasPrefix(path, module+"/") }
	for _, path := range imported {
		if !slices.ContainsFunc(named, func(module string) bool { return within(path, module) }) {
			t.Errorf("the README does not say what %s is for", path)
		}
	}
	for _, module := range named {
		if !slices.ContainsFunc(imported, func(path string) bool { return within(path, module) }) {
			t.Errorf("the README lists %s, which nobody imports", module)
		}
	}
}
