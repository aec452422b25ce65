package intake_test

import (
	"testing"

	"markr/engine/exam"
	"markr/engine/intake"
)

func TestDocumentReset(t *testing.T) {
	t.Parallel()
	doc := intake.Document{
		Records:  append(make([]exam.Record, 0, 100), exam.Record{Test: []byte("t")}),
		Arena:    append(make([]byte, 0, 1000), "text"...),
		Findings: intake.Findings{BadAnswers: 1, BadScannedOn: 2},
	}
	doc.Reset()
	if len(doc.Records) != 0 || len(doc.Arena) != 0 || doc.Findings != (intake.Findings{}) {
		t.Errorf("not empty: %+v", doc)
	}
	if cap(doc.Records) != 100 || cap(doc.Arena) != 1000 {
		t.Errorf("memory not kept: %d records, %d bytes", cap(doc.Records), cap(doc.Arena))
	}
	if doc.Records[:1][0].Test != nil {
		t.Error("an old document is held on to")
	}

	doc.Records, doc.Arena = make([]exam.Record, 0, 100_000), make([]byte, 0, 10<<20)
	doc.Reset()
	if cap(doc.Records) != 0 || cap(doc.Arena) != 0 {
		t.Errorf("too much memory kept: %d records, %d bytes", cap(doc.Records), cap(doc.Arena))
	}
}

func TestLimitsWithDefaults(t *testing.T) {
	t.Parallel()
	want := intake.Limits{RecordsMax: intake.RecordsMaxDefault, DepthMax: intake.DepthMaxDefault}
	if got := (intake.Limits{}).WithDefaults(); got != want {
		t.Errorf("got %+v", got)
	}
	if got := (intake.Limits{RecordsMax: -1, DepthMax: -1}).WithDefaults(); got != want {
		t.Errorf("got %+v", got)
	}
	set := intake.Limits{RecordsMax: 7, DepthMax: 8}
	if got := set.WithDefaults(); got != set {
		t.Errorf("got %+v", got)
	}
}
