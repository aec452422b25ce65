package intake_test

import (
	"errors"
	"strings"
	"testing"

	"markr/engine/exam"
	"markr/engine/intake"
)

// echo is a format whose only record says what its decoder was given.
type echo []string

func (e echo) MediaTypes() []string { return e }

func (e echo) Decode(doc *intake.Document, raw []byte, charset string) error {
	if len(raw) == 0 {
		return &intake.DocumentError{Code: intake.CodeEmptyDocument, Reason: "nothing"}
	}
	doc.Records = append(doc.Records, exam.Record{Test: []byte(e[0]), Student: []byte(charset)})
	return nil
}

func TestRegistryFindsTheDecoder(t *testing.T) {
	t.Parallel()
	registry, err := intake.NewRegistry(echo{"text/xml+markr"}, echo{"text/csv", "application/csv"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ contentType, decoder, charset string }{
		{"text/xml+markr", "text/xml+markr", ""},
		{"TEXT/XML+Markr", "text/xml+markr", ""},
		{"text/xml+markr; charset=UTF-8", "text/xml+markr", "utf-8"},
		{"text/xml+markr;charset=\"Iso-8859-1\"", "text/xml+markr", "iso-8859-1"},
		{"Text/XML+markr ; Charset=utf-8; version=2", "text/xml+markr", "utf-8"},
		{"text/xml+markr;", "text/xml+markr", ""},
		{"text/xml+markr; charset", "text/xml+markr", ""},
		{"text/xml+markr; charset=", "text/xml+markr", ""},
		{"text/csv", "text/csv", ""},
		{"application/csv; header=present", "text/csv", ""},
	}
	for _, test := range tests {
		if err := registry.Reads(test.contentType); err != nil {
			t.Errorf("Reads(%q) = %v", test.contentType, err)
		}
		var doc intake.Document
		if err := registry.Decode(&doc, []byte("x"), test.contentType); err != nil {
			t.Errorf("Decode(%q) = %v", test.contentType, err)
			continue
		}
		if got := string(doc.Records[0].Test); got != test.decoder {
			t.Errorf("Decode(%q) went to %s", test.contentType, got)
		}
		if got := string(doc.Records[0].Student); got != test.charset {
			t.Errorf("Decode(%q) was told charset %q, want %q", test.contentType, got, test.charset)
		}
	}
}

func TestRegistryRefusesTheRest(t *testing.T) {
	t.Parallel()
	registry, err := intake.NewRegistry(echo{"text/xml+markr"})
	if err != nil {
		t.Fatal(err)
	}
	for _, contentType := range []string{
		"", "text/xml", "application/xml", "text/xml+markr2", "text/*", "*/*", "/", ";", "text/xml+markr,text/xml+markr",
		"text/xml+markr; charset=a; charset=b", "text/xml+markr charset=a", "\x00", strings.Repeat("a", 10_000),
	} {
		if err := registry.Reads(contentType); !errors.Is(err, intake.ErrUnknownMediaType) {
			t.Errorf("Reads(%.50q) = %v", contentType, err)
		}
		var doc intake.Document
		if err := registry.Decode(&doc, []byte("x"), contentType); !errors.Is(err, intake.ErrUnknownMediaType) || len(doc.Records) != 0 {
			t.Errorf("Decode(%.50q) = %v", contentType, err)
		}
	}
}

func TestRegistryPassesTheDecodersErrorOn(t *testing.T) {
	t.Parallel()
	registry, err := intake.NewRegistry(echo{"text/xml+markr"})
	if err != nil {
		t.Fatal(err)
	}
	var doc intake.Document
	err = registry.Decode(&doc, nil, "text/xml+markr")
	if documentError, ok := errors.AsType[*intake.DocumentError](err); !ok || documentError.Code != intake.CodeEmptyDocument {
		t.Errorf("got %v", err)
	}
}

func TestRegistryRefusesTwoDecodersForOneType(t *testing.T) {
	t.Parallel()
	if _, err := intake.NewRegistry(echo{"text/csv"}, echo{"text/xml+markr", "text/csv"}); err == nil {
		t.Error("two decoders for text/csv were taken")
	}
	if _, err := intake.NewRegistry(echo{"text/csv", "text/csv"}); err == nil {
		t.Error("one decoder for text/csv twice was taken")
	}
	registry, err := intake.NewRegistry()
	if err != nil {
		t.Fatal(err)
	}
	if err := registry.Reads("text/csv"); !errors.Is(err, intake.ErrUnknownMediaType) {
		t.Errorf("an empty registry: %v", err)
	}
}

// Not parallel, because allocations are counted.
func TestRegistryIsQuickForTheUsualType(t *testing.T) {
	registry, err := intake.NewRegistry(echo{"text/xml+markr"})
	if err != nil {
		t.Fatal(err)
	}
	if allocations := testing.AllocsPerRun(100, func() {
		if err := registry.Reads("text/xml+markr"); err != nil {
			t.Error(err)
		}
	}); allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}
