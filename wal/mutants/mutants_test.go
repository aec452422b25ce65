package mutants_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	long   = flag.Bool("long", false, "try some of the mutants, which takes half a minute")
	chosen = flag.String("mutants", "", "try these mutants, by name, with commas between, or all")
)

// root is the top of the module, where packages and files are named from.
const root = "../.."

// A mutant is a change that a test has to notice.
type mutant struct {
	name string // what is done wrong
	file string // from root
	old  string // the text that is replaced, which is there once
	new  string
	test string // of the file's package, unless in says otherwise: Test or Test/subtest
	in   string // directory of the test's package, from root
	args string // of the test
	some bool   // one of those that -long tries
}

// dir is the directory of the test's package.
func (m *mutant) dir() string {
	if m.in != "" {
		return m.in
	}
	return filepath.Dir(m.file)
}

// command is how the mutant's test is run, as text.
func (m *mutant) command() string {
	return strings.TrimSpace(fmt.Sprintf("go test ./%s -run %s %s", m.dir(), m.test, m.args))
}

func all() []mutant { return slices.Concat(vault(), engine(), border()) }

// Every place is still there, once, and DESIGN.md names each mutant and what catches it.
func TestTexts(t *testing.T) {
	t.Parallel()
	design := read(t, "wal/DESIGN.md")
	names := make(map[string]bool)
	for _, m := range all() {
		if names[m.name] {
			t.Errorf("%s: there are two", m.name)
		}
		names[m.name] = true
		if n := strings.Count(read(t, m.file), m.old); n != 1 {
			t.Errorf("%s: the text to replace is %d times in %s:\n%s", m.name, n, m.file, m.old)
		}
		if line := "| " + m.name + " | `" + m.test + "` |"; !strings.Contains(design, line+"\n") {
			t.Errorf("wal/DESIGN.md lacks the line\n%s", line)
		}
	}
}

func read(tb testing.TB, file string) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// Each mutant fails its test, and the test passes without it.
func TestMutants(t *testing.T) {
	t.Parallel()
	var wanted []mutant
	for _, m := range all() {
		named := slices.Contains(strings.Split(*chosen, ","), m.name)
		if *chosen == "all" || named || *chosen == "" && *long && m.some {
			wanted = append(wanted, m)
		}
	}
	if len(wanted) == 0 {
		t.Skip("there is -mutants all, and -long for some")
	}
	sound := soundness{directory: t.TempDir(), binaries: make(map[string]func() (string, error)), runs: make(map[string]func() error)}
	var report report
	t.Cleanup(func() { report.print(t) })
	for _, m := range wanted {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			if err := sound.passes(&m); err != nil {
				t.Fatalf("without the mutant: %v", err)
			}
			began := time.Now()
			if err := caught(t, &m); err != nil {
				t.Error(err)
				return
			}
			report.add(m.name, m.test, time.Since(began))
		})
	}
}

// soundness knows of the tests without mutants. Each is built and run once.
type soundness struct {
	sync.Mutex

	directory string
	binaries  map[string]func() (string, error)
	runs      map[string]func() error
}

// passes says why a mutant's test fails on the program as it is.
func (s *soundness) passes(m *mutant) error {
	s.Lock()
	build, known := s.binaries[m.dir()]
	if !known {
		build = sync.OnceValues(func() (string, error) {
			binary := filepath.Join(s.directory, strings.ReplaceAll(m.dir(), "/", "-")+".test")
			return binary, compile(m.dir(), binary, "")
		})
		s.binaries[m.dir()] = build
	}
	run, known := s.runs[m.command()]
	if !known {
		run = sync.OnceValue(func() error {
			binary, err := build()
			if err != nil {
				return err
			}
			output, err := execute(binary, m)
			switch {
			case err != nil:
				return fmt.Errorf("%s: %w\n%s", m.command(), err, output)
			case !strings.Contains(output, "--- PASS: "+m.test+" "):
				return fmt.Errorf("%s: there is no such test, or it was skipped\n%s", m.command(), output)
			}
			return nil
		})
		s.runs[m.command()] = run
	}
	s.Unlock()
	return run()
}

// caught says why a mutant is not caught.
func caught(t *testing.T, m *mutant) error {
	t.Helper()
	directory := t.TempDir()
	file := filepath.Join(directory, "mutant.go")
	text := strings.Replace(read(t, m.file), m.old, m.new, 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	original, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: file}})
	if err != nil {
		return err
	}
	list := filepath.Join(directory, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return err
	}
	binary := filepath.Join(directory, "mutant.test")
	if err := compile(m.dir(), binary, list); err != nil {
		return err
	}
	output, err := execute(binary, m)
	switch {
	case err == nil:
		return fmt.Errorf("it survives: %s passes", m.command())
	case strings.Contains(output, "panic: test timed out"):
		return fmt.Errorf("%s does not end", m.command())
	case !strings.Contains(output, "--- FAIL: ") && !strings.Contains(output, "panic: "):
		return fmt.Errorf("%s does not fail in a test: %w\n%s", m.command(), err, output)
	}
	return nil
}

// compile builds the test binary of a package.
func compile(dir, binary, overlay string) error {
	args := []string{"test", "-c", "-o", binary}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	build := exec.CommandContext(context.Background(), "go", append(args, "./"+dir)...)
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("compile the tests of %s: %w\n%s", dir, err, output)
	}
	return nil
}

// execute runs a mutant's test where its package is.
func execute(binary string, m *mutant) (output string, err error) {
	pattern := "^" + strings.ReplaceAll(m.test, "/", "$/^") + "$"
	args := append([]string{"-test.run", pattern, "-test.v", "-test.timeout", "3m"}, strings.Fields(m.args)...)
	run := exec.CommandContext(context.Background(), binary, args...)
	run.Dir = filepath.Join(root, m.dir())
	text, err := run.CombinedOutput()
	return string(text), err
}

// report is what was caught.
type report struct {
	sync.Mutex

	lines []string
}

func (r *report) add(name, test string, took time.Duration) {
	r.Lock()
	defer r.Unlock()
	r.lines = append(r.lines, fmt.Sprintf("%-58s %-44s %6.1f s", name, test, took.Seconds()))
}

func (r *report) print(t *testing.T) {
	t.Helper()
	r.Lock()
	defer r.Unlock()
	slices.Sort(r.lines)
	t.Logf("%d mutants, caught by, built and run in:\n%s", len(r.lines), strings.Join(r.lines, "\n"))
}
