package main_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadme runs the README's commands as a visitor would: blocks marked sh are
// executed in order in one directory, and a block marked json or text behind one
// is what it must have printed. The server is the one that the README starts, on a
// free port in place of the one it names. Other blocks, marked bash for example,
// are not run.
func TestReadme(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the README's commands need %s: %v", program, err)
		}
	}
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatal("there is no README")
	} else if err != nil {
		t.Fatal(err)
	}
	visitor := &visitor{t: t, dir: t.TempDir()}
	for _, block := range fencedBlocks(string(readme)) {
		switch block.language {
		case "sh":
			visitor.run(block)
		case "json", "text":
			visitor.compare(block)
		}
	}
	if visitor.server == nil || visitor.compared < 2 {
		t.Errorf("the README starts no server, or shows only %d answers: nothing was tested", visitor.compared)
	}
}

// block is what stands between two fences.
type block struct {
	line     int // of the opening fence
	language string
	text     string
}

func fencedBlocks(markdown string) []block {
	var blocks []block
	var open *block
	for number, line := range strings.Split(markdown, "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			open = &block{line: number + 1, language: language}
		case fence:
			blocks = append(blocks, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	return blocks
}

// visitor follows the README.
type visitor struct {
	t        *testing.T
	dir      string
	server   *process
	output   string // of the last block that was run
	compared int
}

// runServer is the block that a visitor leaves running.
const runServer = "go run ./cmd/markr serve\n"

func (v *visitor) run(b block) {
	v.t.Helper()
	if b.text == runServer {
		v.server = serve(v.t, filepath.Join(v.dir, "markr-data"))
		return
	}
	command := exec.Command("sh", "-e", "-c", v.here(b.text))
	command.Dir = v.dir
	command.Env = cleanEnvironment()
	if v.server != nil {
		command.Env = append(command.Env, "MARKR_SERVER="+v.server.url)
	}
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		v.t.Fatalf("README.md:%d: %v\n%s\n%s", b.line, err, output, stderr.String())
	}
	v.output = string(output)
}

// here replaces the server that the README names by the one that runs.
func (v *visitor) here(text string) string {
	if v.server == nil {
		return text
	}
	return strings.ReplaceAll(text, "http://127.0.0.1:4567", v.server.url)
}

// changing is what is another each time: ids and times.
var changing = regexp.MustCompile(`"(import_id|instance|duplicate_of|id|received)":"[^"]*"`)

func (v *visitor) compare(b block) {
	v.t.Helper()
	const masked = `"$1":"…"`
	want := changing.ReplaceAllString(strings.TrimSpace(v.here(b.text)), masked)
	got := changing.ReplaceAllString(strings.TrimSpace(v.output), masked)
	if diff := cmp.Diff(want, got); diff != "" {
		v.t.Errorf("README.md:%d: what is shown is not what is printed (-README +printed):\n%s\nprinted:\n%s", b.line, diff, v.output)
	}
	v.compared++
}
