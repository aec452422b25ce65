package deploy_test

import (
	"context"
	"debug/elf"
	"errors"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// instruction is one line of a Dockerfile, continuation lines joined.
type instruction struct{ name, rest string }

// dockerfile reads the Dockerfile's instructions. It knows comments, continuation
// lines and nothing else, which is all that ours uses.
func dockerfile(t *testing.T) []instruction {
	t.Helper()
	var list []instruction
	var pending string
	for line := range strings.Lines(read(t, "Dockerfile")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if more, ok := strings.CutSuffix(line, `\`); ok {
			pending += more
			continue
		}
		name, rest, _ := strings.Cut(pending+line, " ")
		list, pending = append(list, instruction{name, strings.TrimSpace(rest)}), ""
	}
	if pending != "" {
		t.Fatalf("the Dockerfile ends inside %q", pending)
	}
	return list
}

// image is what the last stage of the Dockerfile says, by instruction.
func image(t *testing.T) map[string][]string {
	t.Helper()
	said := make(map[string][]string)
	for _, i := range dockerfile(t) {
		if i.name == "FROM" {
			clear(said)
		}
		said[i.name] = append(said[i.name], i.rest)
	}
	return said
}

// only returns the one line of an instruction in the last stage.
func only(t *testing.T, name string) string {
	t.Helper()
	lines := image(t)[name]
	if len(lines) != 1 {
		t.Fatalf("the image has %d lines of %s, not one: %q", len(lines), name, lines)
	}
	return lines[0]
}

// buildLine is the shell command that builds the binary in the Dockerfile.
func buildLine(t *testing.T) string {
	t.Helper()
	for _, i := range dockerfile(t) {
		if i.name != "RUN" || !strings.Contains(i.rest, "go build") {
			continue
		}
		line := i.rest
		for strings.HasPrefix(line, "--") { // Options of RUN, not of the shell.
			_, line, _ = strings.Cut(line, " ")
			line = strings.TrimSpace(line)
		}
		return line
	}
	t.Fatal("the Dockerfile does not run go build")
	return ""
}

func TestImageBinaryIsStatic(t *testing.T) {
	t.Parallel()
	switch {
	case !*long:
		t.Skip("without -long the image's own build command is not run: it compiles everything anew")
	case runtime.GOOS != "linux":
		t.Skip("the image is for Linux; here it would not be an ELF file")
	}
	file, err := elf.Open(binary(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() }) // Nothing was written.
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the binary asks for a dynamic loader, which an empty image does not have")
		}
	}
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("the binary needs the libraries %q (%v)", libraries, err)
	}
	if file.Section(".debug_info") != nil {
		t.Error("the binary carries debug information")
	}
}

func TestImageRunsTheBinary(t *testing.T) {
	t.Parallel()
	entrypoint := words(t, only(t, "ENTRYPOINT"))
	if len(entrypoint) != 1 || !slices.ContainsFunc(image(t)["COPY"], func(copied string) bool {
		return strings.HasSuffix(copied, " /out/markr "+entrypoint[0])
	}) {
		t.Errorf("ENTRYPOINT %q is not what is copied from the build: %q", entrypoint, image(t)["COPY"])
	}
	values := checkCommand(t, words(t, only(t, "CMD")))
	exposed := only(t, "EXPOSE")
	if got := port(t, values["listen"]); got != exposed {
		t.Errorf("CMD listens on port %s, EXPOSE says %s", got, exposed)
	}
	if got := port(t, flagDefaults(t, "serve")["listen"]); got != exposed {
		t.Errorf("serve listens on port %s by default, EXPOSE says %s", got, exposed)
	}
	if got, volume := values["data-dir"], only(t, "VOLUME"); got != volume {
		t.Errorf("CMD keeps the data in %q, VOLUME says %q", got, volume)
	}
	if strings.HasPrefix(values["listen"], "127.") || strings.HasPrefix(values["listen"], "localhost") {
		t.Errorf("CMD listens on %q, which nobody outside the container reaches", values["listen"])
	}
	if got := only(t, "STOPSIGNAL"); got != "SIGTERM" {
		t.Errorf("STOPSIGNAL is %s; the server drains on SIGTERM", got)
	}
}

// The image's own command line lets nobody in by accident: it does not start.
func TestImageAsksWhoIsLetIn(t *testing.T) {
	t.Parallel()
	args := words(t, only(t, "CMD"))
	for i := range args {
		if args[i] == only(t, "VOLUME") {
			args[i] = t.TempDir()
		}
	}
	built := binary(t) // That takes as long as it takes.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, built, args...)
	command.Env = []string{}
	output, err := command.CombinedOutput()
	exit, failed := errors.AsType[*exec.ExitError](err)
	if !failed || exit.ExitCode() != 2 || !strings.Contains(string(output), "hint: give --token-file") {
		t.Errorf("%q: %v\n%s", args, err, output)
	}
}

func TestImageHealthcheck(t *testing.T) {
	t.Parallel()
	_, command, found := strings.Cut(only(t, "HEALTHCHECK"), "CMD ")
	if !found {
		t.Fatal("HEALTHCHECK has no CMD")
	}
	check := words(t, command)
	if entrypoint := words(t, only(t, "ENTRYPOINT")); check[0] != entrypoint[0] {
		t.Errorf("HEALTHCHECK runs %q, not %q", check[0], entrypoint[0])
	}
	checkCommand(t, check[1:])
	address := flagDefaults(t, check[1])["url"]
	if want := ":" + only(t, "EXPOSE") + "/readyz"; !strings.HasSuffix(address, want) {
		t.Errorf("the health check asks %q, which does not end in %q", address, want)
	}
}

func TestImageUserOwnsTheData(t *testing.T) {
	t.Parallel()
	user, volume := only(t, "USER"), only(t, "VOLUME")
	id, _, _ := strings.Cut(user, ":")
	if id == "0" || strings.ContainsFunc(id, func(r rune) bool { return r < '0' || r > '9' }) {
		t.Errorf("USER %s has to be a number, so that an orchestrator sees it is not root, and not 0", user)
	}
	owned := "--from=build --chown=" + user + " /rootfs" + volume + " " + volume
	if !slices.Contains(image(t)["COPY"], owned) {
		t.Errorf("no COPY %s: a new volume would belong to root", owned)
	}
	if entry := "markr:x:" + user + ":"; !strings.Contains(read(t, "Dockerfile"), entry) {
		t.Errorf("/etc/passwd of the image has no %q", entry)
	}
	if got := only(t, "FROM"); got != "scratch" {
		t.Errorf("the image is made from %s", got)
	}
}

// The version comes from the clone, so the clone has to reach the builder whole.
func TestImageContext(t *testing.T) {
	t.Parallel()
	ignoredByGit := strings.Fields(read(t, ".gitignore"))
	for line := range strings.Lines(read(t, ".dockerignore")) {
		pattern := strings.TrimPrefix(strings.TrimSpace(line), "**/")
		if pattern == "" || strings.HasPrefix(pattern, "#") {
			continue
		}
		if !slices.Contains(ignoredByGit, pattern) {
			t.Errorf(".dockerignore keeps %q from the build, but git has it: the build would be of a modified tree", pattern)
		}
	}
}

func TestImageGoVersion(t *testing.T) {
	t.Parallel()
	directive := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "go.mod"))
	if directive == nil {
		t.Fatal("go.mod names no Go version")
	}
	for _, i := range dockerfile(t) {
		if version, ok := strings.CutPrefix(i.rest, "GO_VERSION="); ok {
			if !strings.HasPrefix(directive[1]+".", version+".") {
				t.Errorf("the image builds with Go %s, go.mod says %s", version, directive[1])
			}
			return
		}
	}
	t.Error("the Dockerfile does not name the Go version")
}

func TestImageLabels(t *testing.T) {
	t.Parallel()
	labels := only(t, "LABEL")
	for _, name := range []string{"title", "description", "vendor", "licenses", "version", "revision"} {
		if !strings.Contains(labels, "org.opencontainers.image."+name+`="`) {
			t.Errorf("no label %s", name)
		}
	}
	if licence, _, _ := strings.Cut(read(t, "LICENSE"), " "); !strings.Contains(labels, `licenses="`+licence+`"`) {
		t.Errorf("the licence of the labels is not %s", licence)
	}
}
