package markscsv_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"markr/engine/intake"
	"markr/engine/intake/markscsv"
	"markr/engine/intake/mcqxml/vectortest"
)

var (
	long   = flag.Bool("long", false, "run the long tests")
	update = flag.Bool("update", false, "write what the decoder says into testdata/vectors")
)

// profiles reads those of testdata.
func profiles(tb testing.TB) []*markscsv.Profile {
	tb.Helper()
	files, err := filepath.Glob("testdata/profiles/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no profiles: %v", err)
	}
	var all []*markscsv.Profile
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		p, err := markscsv.ParseProfile(strings.TrimSuffix(filepath.Base(file), ".json"), content)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// registry knows the format and the profiles of testdata.
func registry(tb testing.TB, limits intake.Limits) *intake.Registry {
	tb.Helper()
	r, err := intake.NewRegistry(markscsv.New(limits, profiles(tb)...))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// TestVectors runs the cases in testdata/vectors.
func TestVectors(t *testing.T) {
	t.Parallel()
	cases := vectortest.Run(t, "testdata/vectors", *update, func(t *testing.T, v *vectortest.Vector) string {
		t.Helper()
		var limits intake.Limits
		limits.RecordsMax, _ = strconv.Atoi(v.Options["records"])
		r := registry(t, limits)
		var doc intake.Document
		raw, contentType := v.Document(t), v.ContentType(markscsv.MediaType)
		err := r.Decode(&doc, raw, contentType)
		vectortest.CheckMarksOnly(t, &doc, err, func(marks *intake.Document) error { return r.Decode(marks, raw, contentType) })
		got := vectortest.Told(&doc, err)
		checkKept(t, raw, contentType, r, got)
		return got
	})
	if cases < 120 {
		t.Errorf("only %d cases: were files lost?", cases)
	}
}

// checkKept checks that a document says the same when it is read as it is kept, by a
// program that knows none of the profiles.
func checkKept(t *testing.T, raw []byte, contentType string, r *intake.Registry, want string) {
	t.Helper()
	later, err := intake.NewRegistry(markscsv.New(intake.Limits{RecordsMax: 1 << 30}))
	if err != nil {
		t.Fatal(err)
	}
	kept, decides := r.Kept(contentType)
	var doc intake.Document
	err = later.Decode(&doc, raw, kept)
	if got := vectortest.Told(&doc, err); got != want && !strings.Contains(want, "the limit of") || !decides {
		t.Errorf("as %s:\n%s\nkept as %s:\n%s", contentType, want, kept, got)
	}
}

// A parameter that is not understood is not guessed at.
func TestChooseRefuses(t *testing.T) {
	t.Parallel()
	r := registry(t, intake.Limits{})
	for _, contentType := range []string{
		"text/csv; header=maybe", "text/csv; profile=unknown", "text/csv; profile=keyed; header=absent", "text/csv; profile",
		`text/csv; columns="{}"`, `text/csv; profile=own; columns="{}"`, `text/csv; profile="a b"; columns="{}"`,
		`text/csv; profile=keyed; columns=nonsense`,
	} {
		var doc intake.Document
		if err := r.Decode(&doc, []byte("1,2,3,4\n"), contentType); !errors.Is(err, intake.ErrUnknownMediaType) {
			t.Errorf("%s: %v", contentType, err)
		}
	}
}

func TestOffers(t *testing.T) {
	t.Parallel()
	want := "[text/csv text/csv; profile=keyed text/csv; profile=paired text/csv; profile=points " +
		"text/csv; profile=position text/csv; profile=quiz text/csv; profile=totals]"
	if got := fmt.Sprint(registry(t, intake.Limits{}).Offers()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
