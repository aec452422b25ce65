package main_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	markr "markr/cmd/markr"
)

func TestExitCodeOf(t *testing.T) {
	t.Parallel()
	failure := errors.New("failure")
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{failure, 1},
		{os.ErrNotExist, 1},
		{markr.UsageError(failure), 2},
		{fmt.Errorf("wrapped: %w", markr.UsageError(failure)), 2},
		{markr.ErrRefused, 3},
		{markr.Unreachable(failure), 4},
		{context.DeadlineExceeded, 1},
		{context.Canceled, 130},
		{fmt.Errorf("send: %w", context.Canceled), 130},
		// The worst decides: what was not delivered can be sent again, and that
		// is what the caller must know.
		{errors.Join(markr.ErrRefused, markr.Unreachable(failure)), 4},
	} {
		if got := int(markr.ExitCodeOf(tt.err)); got != tt.want {
			t.Errorf("exitCodeOf(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
}

// A mistake on the command line is told in one line, with a next step in another,
// and exits 2. The words of some of them come from the cli package: this test
// notices when a new version says them differently.
func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args   string
		stderr string
	}{
		{
			"improt scan.xml",
			"markr: unknown verb \"improt\"\nhint: did you mean `markr import`?\n",
		},
		{
			"zzzzzzzz",
			"markr: unknown verb \"zzzzzzzz\"\nhint: see `markr --help`\n",
		},
		{
			"vault lst",
			"markr: unknown verb \"lst\"\nhint: did you mean `markr vault list`?\n",
		},
		{
			"help serve nothing",
			"markr: markr serve has no verbs of its own: \"nothing\"\nhint: see `markr serve --help`\n",
		},
		{
			"serve --lisen :1",
			"markr: unknown flag --lisen\nhint: did you mean --listen? otherwise see `markr serve --help`\n",
		},
		{
			"serve --zzzzzzzz",
			"markr: unknown flag --zzzzzzzz\nhint: see `markr serve --help`\n",
		},
		{
			"serve --listen",
			"markr: flag needs an argument: --listen\nhint: see `markr serve --help`\n",
		},
		{
			"serve --listen 4567",
			"markr: invalid value \"4567\" for --listen: must be a host and a port, like 127.0.0.1:4567 or :4567\nhint: see `markr serve --help`\n",
		},
		{
			"serve --body-bytes-max 32MB",
			"markr: invalid value \"32MB\" for --body-bytes-max: a size is a whole number of bytes, or of KiB, MiB, GiB or TiB, for example 32MiB\nhint: see `markr serve --help`\n",
		},
		{
			"serve --records-max many",
			"markr: invalid value \"many\" for --records-max: is not a number that is allowed here\nhint: see `markr serve --help`\n",
		},
		{
			"serve --scoring best",
			"markr: invalid value \"best\" for --scoring: scoring policy \"best\": must be one of [\"highest\" \"most-complete\" \"latest\" \"first\"]\nhint: see `markr serve --help`\n",
		},
		{
			"serve --memory-limit-ratio NaN",
			"markr: invalid value \"NaN\" for --memory-limit-ratio: must be 0 to 1\nhint: see `markr serve --help`\n",
		},
		{
			"serve --header-bytes-max 1GiB",
			"markr: invalid value \"1GiB\" for --header-bytes-max: must be 1KiB to 1MiB\nhint: see `markr serve --help`\n",
		},
		{
			"serve --memory-limit-ratio 0 --decoded-bytes-max 1MiB",
			"markr: the decoded body may have 1048576 bytes, fewer than the 33554432 of the body\n" +
				"hint: the limits have to fit together: change one of them, see `markr serve --help`\n",
		},
		{
			"serve --tls-cert cert.pem",
			"markr: a certificate and its key go together\nhint: give both --tls-cert and --tls-key, or neither\n",
		},
		{
			"serve now",
			"markr: unexpected argument \"now\"\nhint: see `markr serve --help`\n",
		},
		{
			"import",
			"markr: nothing to import\nhint: name files, or - for standard input: `markr import scans/*.xml`\n",
		},
		{
			"import testdata",
			"markr: testdata is a directory\nhint: let the shell name the files: `markr import testdata/*.xml`\n",
		},
		{
			"import - -",
			"markr: standard input can be read only once\n",
		},
		{
			"results --server ftp://example a",
			"markr: invalid value \"ftp://example\" for --server: a server is written like http://127.0.0.1:4567\nhint: see `markr results --help`\n",
		},
		{
			"results 9863 --prefix 98",
			"markr: --prefix is for the list of tests, and a TEST is named\n",
		},
		{
			"results --percentiles 10",
			"markr: --percentiles are those of a test, and no TEST is named\n",
		},
		{
			"gen --tests 2",
			"markr: this is 2 documents, and standard output takes one\nhint: add --out DIR to write files, or ask for one test and at most 100000 sheets\n",
		},
		{
			"bench --target http://192.0.2.1:4567",
			"markr: target \"http://192.0.2.1:4567\" is 192.0.2.1: not a loopback address\nhint: add --remote if that machine is yours to load\n",
		},
		{
			"completion tcsh",
			"markr: no such shell: tcsh\nhint: it is one of bash, zsh, fish and pwsh: `markr completion bash`\n",
		},
	} {
		got := run(t, "", strings.Fields(tt.args)...)
		if got.code != 2 || got.stdout != "" || withoutLog(got.stderr) != tt.stderr {
			t.Errorf("markr %s: exit %d, stdout %q, stderr\n%s\nwant exit 2, stderr\n%s", tt.args, got.code, got.stdout, got.stderr, tt.stderr)
		}
	}
}

// withoutLog takes the log lines of a server away.
func withoutLog(stderr string) string {
	var kept []string
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "time=") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// Without a verb there is nothing to do: the page goes to standard error, because
// nobody asked for it.
func TestNoVerb(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"vault"}} {
		got := run(t, "", args...)
		if got.code != 2 || got.stdout != "" || !strings.Contains(got.stderr, "\nVERBS\n") {
			t.Errorf("markr %v: %+v", args, got)
		}
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "pwsh"} {
		if got := run(t, "", "completion", shell); got.code != 0 || got.stdout == "" || got.stderr != "" {
			t.Errorf("markr completion %s: exit %d, %d bytes, stderr %q", shell, got.code, len(got.stdout), got.stderr)
		}
	}
}

func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	known := []string{"MARKR_DATA_DIR", "MARKR_LISTEN"}
	environ := []string{
		"HOME=/root", "MARKR_LISTEN=:1", "MARKR_LITSEN=:1", "MARKR_SOMETHING_ELSE=1", "OTHER_MARKR_LISTEN=1",
		// Kubernetes sets these beside a service called markr.
		"MARKR_SERVICE_HOST=10.0.0.1", "MARKR_PORT=tcp://10.0.0.1:4567", "MARKR_PORT_4567_TCP_ADDR=10.0.0.1",
	}
	got := strings.Join(markr.UnknownIn(environ, known), "\n")
	want := "environment variable MARKR_LITSEN is not known and has no effect; did you mean MARKR_LISTEN?\n" +
		"environment variable MARKR_SOMETHING_ELSE is not known and has no effect"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	verbs := []string{"serve", "import", "results", "gen", "bench", "vault", "healthcheck", "version", "help"}
	for _, tt := range []struct{ name, want string }{
		{"srve", "serve"},
		{"improt", "import"},
		{"Import", "import"},
		{"result", "results"},
		{"healtcheck", "healthcheck"},
		{"ge", "gen"},
		{"x", ""},
		{"xyz", ""},
		{"database", ""},
		{"", ""},
	} {
		if got := markr.Nearest(tt.name, verbs); got != tt.want {
			t.Errorf("nearest(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text  string
		bytes int64
		again string
	}{
		{"0", 0, "0"},
		{"1", 1, "1"},
		{"1023", 1023, "1023"},
		{"1024", 1024, "1KiB"},
		{"16KiB", 16 << 10, "16KiB"},
		{"1536KiB", 1536 << 10, "1536KiB"},
		{"32MiB", 32 << 20, "32MiB"},
		{"1 GiB", 1 << 30, "1GiB"},
		{"2TiB", 2 << 40, "2TiB"},
		{"8388607TiB", 8388607 << 40, "8388607TiB"},
	} {
		got, err := markr.ParseSize(tt.text)
		if err != nil || got != tt.bytes || markr.FormatSize(got) != tt.again {
			t.Errorf("parseSize(%q) = %d, %v, shown as %q; want %d, %q", tt.text, got, err, markr.FormatSize(got), tt.bytes, tt.again)
		}
	}
	for _, text := range []string{"", "KiB", "-1", "+1", "1.5GiB", "1KB", "1kib", "1 M", "0x10", "8388608TiB", "9223372036854775808"} {
		if got, err := markr.ParseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %d, want an error", text, got)
		}
	}
	if got := markr.Approximate(174_926); got != "170.8 KiB" {
		t.Errorf("approximate(174926) = %q", got)
	}
}
