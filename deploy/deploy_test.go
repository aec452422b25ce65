// Package deploy_test keeps the packaging honest without a Docker engine, a
// Prometheus or a systemd: it reads the files as those would and compares ports,
// paths, verbs, flags and metric names with the binary's own.
package deploy_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const root = ".."

var long = flag.Bool("long", false, "run the long tests")

// built is the binary, made once for all tests.
var built struct {
	once sync.Once
	dir  string
	path string
	err  error
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir) // A leftover in the temporary directory harms nobody.
	}
	os.Exit(code)
}

// binary builds markr and returns where it is. With -long it is built as the
// image does it, which compiles everything anew.
func binary(t *testing.T) string {
	t.Helper()
	line := "go build -o /out/markr ./cmd/markr"
	if *long {
		line = buildLine(t)
	}
	built.once.Do(func() { built.path, built.err = build(line) })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// build runs a shell line in the repository, with the result in a temporary
// directory instead of /out.
func build(line string) (string, error) {
	const out = "-o /out/markr "
	if !strings.Contains(line, out) {
		return "", fmt.Errorf("no %q in %q", out, line)
	}
	dir, err := os.MkdirTemp("", "markr-deploy-")
	if err != nil {
		return "", err
	}
	built.dir = dir
	path := filepath.Join(dir, "markr")
	command := exec.Command("sh", "-ec", strings.Replace(line, out, "-o '"+path+"' ", 1))
	command.Dir = root
	command.Env = append(os.Environ(), "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH)
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", line, err, output)
	}
	return path, nil
}

// markr runs the binary and returns its standard output.
func markr(t *testing.T, args ...string) string {
	t.Helper()
	path := binary(t) // Before the clock runs: it may have to be built.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	output, err := exec.CommandContext(ctx, path, args...).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("markr %s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
		}
		t.Fatalf("markr %s: %v", strings.Join(args, " "), err)
	}
	return string(output)
}

var (
	helpFlag    = regexp.MustCompile(`(?m)^    --([a-z][a-z-]*)`)
	helpVerb    = regexp.MustCompile(`(?m)^    ([a-z]+) {2,}`)
	helpDefault = regexp.MustCompile(`\(default ([^)]*)\)`)
)

// verbs are those that `markr --help` lists.
func verbs(t *testing.T) []string {
	t.Helper()
	_, list, found := strings.Cut(markr(t, "--help"), "\nVERBS\n")
	if !found {
		t.Fatal("markr --help lists no verbs")
	}
	return submatches(helpVerb, list)
}

// flagDefaults are the flags of a verb with their defaults, as its help page says.
func flagDefaults(t *testing.T, verb string) map[string]string {
	t.Helper()
	page := markr(t, verb, "--help")
	defaults := make(map[string]string)
	places := helpFlag.FindAllStringSubmatchIndex(page, -1)
	for i, place := range places {
		end := len(page)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		name, text := page[place[2]:place[3]], strings.Join(strings.Fields(page[place[1]:end]), " ")
		defaults[name] = ""
		if m := helpDefault.FindStringSubmatch(text); m != nil {
			defaults[name] = m[1]
		}
	}
	return defaults
}

// checkCommand holds a command line, without the binary's own name, to the verbs
// and flags that the binary has, and returns the flags' values.
func checkCommand(t *testing.T, args []string) map[string]string {
	t.Helper()
	if len(args) == 0 || !slices.Contains(verbs(t), args[0]) {
		t.Fatalf("%q does not start with a verb of markr", args)
	}
	known, values := flagDefaults(t, args[0]), make(map[string]string)
	for rest := args[1:]; len(rest) > 0; rest = rest[1:] {
		name, ok := strings.CutPrefix(rest[0], "--")
		if !ok {
			t.Fatalf("%q in %q is no flag", rest[0], args)
		}
		name, value, joined := strings.Cut(name, "=")
		if _, ok := known[name]; !ok {
			t.Fatalf("markr %s has no flag --%s", args[0], name)
		}
		if !joined && len(rest) > 1 && !strings.HasPrefix(rest[1], "--") {
			value, rest = rest[1], rest[1:]
		}
		values[name] = value
	}
	return values
}

// port is what follows the last colon of an address.
func port(t *testing.T, address string) string {
	t.Helper()
	colon := strings.LastIndexByte(address, ':')
	if colon < 0 {
		t.Fatalf("no port in %q", address)
	}
	return address[colon+1:]
}

// checkStopTime says whether a manager that waits as long as that before it kills
// lets a graceful stop finish.
func checkStopTime(t *testing.T, setting string, wait time.Duration) {
	t.Helper()
	defaults := flagDefaults(t, "serve")
	var stop time.Duration
	for _, name := range []string{"shutdown-delay", "drain-timeout"} {
		text, ok := defaults[name]
		if !ok {
			t.Fatalf("markr serve has no flag --%s", name)
		}
		part, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("default of --%s: %v", name, err)
		}
		stop += part
	}
	if wait <= stop {
		t.Errorf("%s is %v; a graceful stop may take %v", setting, wait, stop)
	}
}

// skipWithout skips the test where a program it needs is not installed.
func skipWithout(t *testing.T, program, why string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed: %s", program, why)
	}
	return path
}

// runHere runs a program in this directory and fails the test with its output if
// it does not end well.
func runHere(t *testing.T, program string, args ...string) {
	t.Helper()
	if output, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, output)
	}
}

// read returns a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// words reads a list in the exec form of a Dockerfile.
func words(t *testing.T, list string) []string {
	t.Helper()
	var parsed []string
	if err := json.Unmarshal([]byte(list), &parsed); err != nil {
		t.Fatalf("%s is not in exec form: %v", list, err)
	}
	return parsed
}

func submatches(pattern *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}
