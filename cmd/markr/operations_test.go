package main_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// noStart are messages of the files below that no start and no running server ends
// with, so that an operator does not look for them.
var noStart = []string{
	// markr token new
	" with the new line: ", "append to ",
	// markr vault
	"; then stop: ",
	// answers to requests
	"no such entry", "invalid entry", "log closed", "too many imports are waiting", "engine closed", "unknown test", "unknown student",
	"unknown position", "unknown import", "not a refused import", "refused import already resolved",
	"another rule is in force", "item analysis is off", "another reprocess is under way", "no reprocess is under way",
	"the reprocess is not ready", "too many snapshots", "no such snapshot", "hard links cannot be made beside the log",
}

// Every message that a start can end with has its line in the operators' page: all
// that the files say in which a start's errors are made.
func TestOperationsPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	// A message may be broken by the end of a piece of code.
	page := strings.NewReplacer("`", "", "\n", " ").Replace(string(text))
	messages := 0
	for _, file := range []string{
		"access.go", "explain.go", "listen.go", "serve.go", "serve_verb.go", "tls.go", "token_file.go", "watch.go",
		"../../wal/errors.go", "../../wal/entry/errors.go", "../../engine/errors.go",
	} {
		for _, message := range errorTexts(t, file) {
			messages++
			if !strings.Contains(page, strings.TrimSpace(strings.Trim(message, ":; "))) && !slices.Contains(noStart, message) {
				t.Errorf("%s: the page does not have %q", file, message)
			}
		}
	}
	if messages < 30 {
		t.Errorf("only %d messages were found: the test reads the files wrongly", messages)
	}
	for _, code := range []int{0, 1, 2, 3, 4, 130} {
		if !strings.Contains(string(text), fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("the page does not say what exit code %d asks for", code)
		}
	}
}

// verbs are where a message has what is not always the same.
var verbs = regexp.MustCompile(`%[a-z+]+`)

// errorTexts are the longest fixed pieces of the errors that a file makes.
func errorTexts(t *testing.T, file string) (texts []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		function, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains([]string{"New", "Errorf"}, function.Sel.Name) {
			return true
		}
		literal, ok := call.Args[0].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		format, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		longest := ""
		for _, piece := range verbs.Split(format, -1) {
			if len(piece) > len(longest) {
				longest = piece
			}
		}
		if len(longest) > len("exit: ") {
			texts = append(texts, longest)
		}
		return true
	})
	return texts
}
