package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"markr/engine"
	"markr/engine/intake"
	"markr/engine/itemstats"
	"markr/httpapi"
	"markr/wal/entry"
)

// Every sentinel of the rooms behind the border, and how it is answered.
var sentinelStatuses = map[string]struct {
	err    error
	status int
	code   string
}{
	"engine.ErrNotReady":           {engine.ErrNotReady, 503, "unavailable"},
	"engine.ErrLostPast":           {engine.ErrLostPast, 409, "past_unreadable"},
	"engine.ErrUnreadable":         {engine.ErrUnreadable, 503, "unavailable"},
	"engine.ErrOverloaded":         {engine.ErrOverloaded, 503, "overloaded"},
	"engine.ErrStalled":            {engine.ErrStalled, 503, "unavailable"},
	"engine.ErrClosed":             {engine.ErrClosed, 503, "unavailable"},
	"engine.ErrReprocessing":       {engine.ErrReprocessing, 409, "reprocess_conflict"},
	"engine.ErrNoReprocess":        {engine.ErrNoReprocess, 404, "no_reprocess"},
	"engine.ErrReprocessNotReady":  {engine.ErrReprocessNotReady, 409, "reprocess_conflict"},
	"engine.ErrUnknownTest":        {engine.ErrUnknownTest, 404, "unknown_test"},
	"engine.ErrUnknownStudent":     {engine.ErrUnknownStudent, 404, "unknown_student"},
	"engine.ErrItemsOff":           {engine.ErrItemsOff, 404, "item_analysis_off"},
	"engine.ItemsError":            {&engine.ItemsError{Position: 1, Last: 2}, 503, "unavailable"},
	"itemstats.ErrTooMuch":         {itemstats.ErrTooMuch, 404, "item_analysis_off"},
	"itemstats.ErrUnknownQuestion": {itemstats.ErrUnknownQuestion, 404, "unknown_question"},
	"engine.ErrRollGone":           {engine.ErrRollGone, 409, "cursor_expired"},
	"engine.ErrUnknownPosition":    {engine.ErrUnknownPosition, 404, "unknown_position"},
	"intake.ErrNoRecord":           {intake.ErrNoRecord, 500, "internal_error"},
	"engine.ErrNotRefused":         {engine.ErrNotRefused, 409, "not_refused"},
	"engine.ErrResolved":           {engine.ErrResolved, 409, "already_resolved"},
	"engine.ErrUnknownImport":      {engine.ErrUnknownImport, 404, "unknown_import"},
	"entry.ErrDamaged":             {&entry.DamagedError{Position: 7, What: "checksum"}, 500, "damaged"},
	"entry.ErrNotFound":            {entry.ErrNotFound, 404, "unknown_import"},
	"entry.ErrUnknownVersion":      {entry.ErrUnknownVersion, 500, "internal_error"},
	"entry.ErrInvalid":             {entry.ErrInvalid, 500, "internal_error"},
	"entry.ErrReadOnly":            {entry.ErrReadOnly, 503, "read_only"},
	"entry.ErrFailed":              {entry.ErrFailed, 503, "unavailable"},
	"entry.ErrSnapshots":           {entry.ErrSnapshots, 503, "overloaded"},
	"entry.ErrNoSnapshot":          {entry.ErrNoSnapshot, 404, "unknown_snapshot"},
	"entry.ErrNoLinks":             {entry.ErrNoLinks, 409, "no_hard_links"},
	"entry.ErrClosed":              {entry.ErrClosed, 503, "unavailable"},
	"intake.ErrUnknownMediaType":   {intake.ErrUnknownMediaType, 415, "unsupported_media_type"},
}

// Every code of a document, and its status by SPEC section 3.
var documentStatuses = map[intake.Code]int{
	intake.CodeMalformedXML:        400,
	intake.CodeUnsupportedEncoding: 400,
	intake.CodeDTDForbidden:        400,
	intake.CodeTooDeep:             400,
	intake.CodeTooLarge:            413,
	intake.CodeWrongDocument:       422,
	intake.CodeEmptyDocument:       422,
	intake.CodeMissingField:        422,
	intake.CodeRepeatedField:       422,
	intake.CodeInvalidValue:        422,
}

func TestEverySentinelHasAStatus(t *testing.T) {
	t.Parallel()
	for name, want := range sentinelStatuses {
		for _, err := range []error{want.err, fmt.Errorf("import: %w", want.err)} {
			if status, code := httpapi.ProblemOf(err); status != want.status || code != want.code {
				t.Errorf("%s: %d %s, want %d %s", name, status, code, want.status, want.code)
			}
		}
	}
	for _, of := range []string{"engine", "wal/entry", "engine/intake"} {
		for _, name := range exportedValues(t, "../"+of, "Err") {
			if _, ok := sentinelStatuses[name]; !ok {
				t.Errorf("%s has no line in this test's table", name)
			}
		}
	}
}

func TestEveryDocumentCodeHasAStatus(t *testing.T) {
	t.Parallel()
	for code, want := range documentStatuses {
		err := &engine.RefusedError{Document: &intake.DocumentError{Code: code, Reason: "is wrong"}}
		if status, got := httpapi.ProblemOf(err); status != want || got != string(code) {
			t.Errorf("%s: %d %s, want %d", code, status, got, want)
		}
	}
	if names := exportedValues(t, "../engine/intake", "Code"); len(names) != len(documentStatuses) {
		t.Errorf("intake has %d codes, this test %d: %v", len(names), len(documentStatuses), names)
	}
}

// TestUnreadableLog: what stands in the log is not the fault of whoever asks.
func TestUnreadableLog(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("%w: %w: %w", engine.ErrNotReady, engine.ErrUnreadable, &intake.DocumentError{Code: intake.CodeInvalidValue})
	if status, code := httpapi.ProblemOf(err); status != 503 || code != "unavailable" {
		t.Errorf("%d %s", status, code)
	}
}

func TestErrorsNobodyForesawAreInternal(t *testing.T) {
	t.Parallel()
	for _, err := range []error{errors.New("secret"), fmt.Errorf("wrapped: %w", errors.ErrUnsupported)} {
		if status, code := httpapi.ProblemOf(err); status != 500 || code != "internal_error" {
			t.Errorf("%v: %d %s", err, status, code)
		}
	}
	for _, err := range []error{context.Canceled, context.DeadlineExceeded} {
		if status, _ := httpapi.ProblemOf(err); status != 503 {
			t.Errorf("%v: %d", err, status)
		}
	}
}

// TestOnlyTransientProblemsAreNot4xx: a scanner gives up on 4xx and tries again
// on anything else.
func TestOnlyTransientProblemsAreNot4xx(t *testing.T) {
	t.Parallel()
	again := []string{"overloaded", "unavailable", "read_only", "internal_error", "damaged"}
	for code, status := range httpapi.Codes() {
		if got := status >= 500; got != slices.Contains(again, code) {
			t.Errorf("%s is %d", code, status)
		}
		if !slices.Contains(httpapi.Statuses(), status) {
			t.Errorf("%d has no series of its own", status)
		}
	}
	for _, code := range httpapi.TurnedAwayCodes() {
		if _, ok := httpapi.Codes()[code]; !ok {
			t.Errorf("documents are counted under %s, which is no code", code)
		}
	}
}

// exportedValues lists the package-level variables and constants of a package
// whose names begin with a prefix, as package.Name, from its source.
func exportedValues(t *testing.T, directory, prefix string) []string {
	t.Helper()
	files, err := parser.ParseDir(token.NewFileSet(), directory, nil, parser.SkipObjectResolution) //nolint:staticcheck // no build tags matter here.
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, pkg := range files {
		if strings.HasSuffix(name, "_test") {
			continue
		}
		for _, file := range pkg.Files {
			for _, declaration := range file.Decls {
				for _, found := range valuesOf(declaration) {
					if strings.HasPrefix(found, prefix) && found != prefix {
						names = append(names, name+"."+found)
					}
				}
			}
		}
	}
	if len(names) == 0 {
		t.Fatalf("%s declares nothing that begins with %s", directory, strconv.Quote(prefix))
	}
	return names
}

func valuesOf(declaration ast.Decl) []string {
	general, ok := declaration.(*ast.GenDecl)
	if !ok {
		return nil
	}
	var names []string
	for _, spec := range general.Specs {
		if values, ok := spec.(*ast.ValueSpec); ok {
			for _, name := range values.Names {
				names = append(names, name.Name)
			}
		}
	}
	return names
}
