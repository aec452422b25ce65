package mcqxml_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"
	"weak"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/engine/intake/mcqxml/vectortest"
)

// sampleFile is real scanner output, where a checkout has it beside it.
const sampleFile = "../../../../shared/sample_results.xml"

func TestSample(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(sampleFile)
	if err != nil {
		t.Skipf("no sample: %v", err)
	}
	var doc intake.Document
	if err := mcqxml.New(intake.Limits{}).Decode(&doc, raw, ""); err != nil {
		t.Fatal(err)
	}
	students := make(map[string]bool)
	obtained := exam.Marks(0)
	for i, r := range doc.Records {
		students[string(r.Student)] = true
		obtained += r.Obtained
		if string(r.Test) != "9863" || r.Available != 20*exam.MarksPerUnit || r.ScannedOn == exam.ScannedOnUnknown {
			t.Errorf("record %d: %+v", i+1, r)
		}
	}
	if len(doc.Records) != 100 || len(students) != 81 || obtained != 992*exam.MarksPerUnit {
		t.Errorf("%d records of %d students with %v marks", len(doc.Records), len(students), obtained)
	}
	if doc.Findings != (intake.Findings{}) {
		t.Errorf("%+v", doc.Findings)
	}
	checkDifferential(t, mcqxml.New(intake.Limits{}), raw)
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	registry, err := intake.NewRegistry(mcqxml.New(intake.Limits{}))
	if err != nil {
		t.Fatal(err)
	}
	var doc intake.Document
	if err := registry.Decode(&doc, []byte(smallDocument), "Text/XML+Markr; charset=UTF-8"); err != nil || len(doc.Records) != 1 {
		t.Errorf("%v, %+v", err, doc.Records)
	}
}

// TestGenerated checks the documents that are measured below.
func TestGenerated(t *testing.T) {
	t.Parallel()
	decoder := mcqxml.New(intake.Limits{})
	for _, layout := range []string{usualLayout, otherLayout, joinedLayout} {
		document := generate(rand.New(rand.NewPCG(1, 2)), 50, layout)
		var doc intake.Document
		if err := decoder.Decode(&doc, document, ""); err != nil {
			t.Errorf("%s: %v", layout, err)
			continue
		}
		for i, r := range doc.Records {
			if string(r.Test) != "9863" || string(r.Student) != fmt.Sprint(1000+i) ||
				r.Obtained != exam.Marks(i%21)*exam.MarksPerUnit || r.Available != 20*exam.MarksPerUnit {
				t.Errorf("%s: record %d: %+v", layout, i+1, r)
			}
		}
		if len(doc.Records) != 50 || doc.Findings != (intake.Findings{}) {
			t.Errorf("%s: %d records, %+v", layout, len(doc.Records), doc.Findings)
		}
		checkDifferential(t, decoder, document)
	}
}

// TestNoAllocations decodes documents again and again: once a decoder and a
// Document are warm, nothing is allocated, whatever the layout and the encoding.
// Not parallel, because allocations are counted.
func TestNoAllocations(t *testing.T) {
	if underRace {
		t.Skip("for one goroutine, and long or counting allocations")
	}
	random := rand.New(rand.NewPCG(1, 2))
	usual := string(generate(random, 50, usualLayout))
	latin := strings.Replace(usual, "UTF-8", "ISO-8859-1", 1)
	documents := map[string][]byte{
		"usual":             []byte(usual),
		"other":             generate(random, 50, otherLayout),
		"joined":            generate(random, 500, joinedLayout),
		"utf-16":            vectortest.Encode(t, usual, "utf-16le"),
		"iso-8859-1":        vectortest.Encode(t, latin, "iso-8859-1"),
		"joined, in utf-16": vectortest.Encode(t, string(generate(random, 50, joinedLayout)), "utf-16be"),
	}
	decoder := mcqxml.New(intake.Limits{})
	for name, document := range documents {
		var doc intake.Document
		if allocations := testing.AllocsPerRun(20, func() {
			doc.Reset()
			if err := decoder.Decode(&doc, document, ""); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}); allocations != 0 {
			t.Errorf("%s: %v allocations", name, allocations)
		}
	}
}

// TestRecordsPointIntoTheDocument checks what is and what is not copied.
func TestRecordsPointIntoTheDocument(t *testing.T) {
	t.Parallel()
	raw := []byte(`<mcq-test-results><mcq-test-result><student-number><!-- --> 521 </student-number>` +
		`<test-id>1<!-- -->2</test-id><summary-marks available="20" obtained="13"/></mcq-test-result></mcq-test-results>`)
	var doc intake.Document
	if err := mcqxml.New(intake.Limits{}).Decode(&doc, raw, ""); err != nil {
		t.Fatal(err)
	}
	r := doc.Records[0]
	at := bytes.Index(raw, []byte("521"))
	if unsafe.SliceData(r.Student) != &raw[at] || cap(r.Student) != 3 {
		t.Errorf("the student number does not stand in the document, or may be appended into it: %q", r.Student[:cap(r.Student)])
	}
	if unsafe.SliceData(r.Test) != &doc.Arena[0] || string(doc.Arena) != "12" || cap(r.Test) != 2 {
		t.Errorf("the test id does not stand in the arena %q", doc.Arena)
	}
}

// TestJoinedTextsStay checks that texts in the arena stay as they are while it
// grows.
func TestJoinedTextsStay(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"", "utf-16be"} {
		raw := vectortest.Encode(t, string(generate(rand.New(rand.NewPCG(1, 2)), 5000, joinedLayout)), encoding)
		var doc intake.Document
		decoder := mcqxml.New(intake.Limits{})
		for range 2 {
			doc.Reset()
			if err := decoder.Decode(&doc, raw, ""); err != nil {
				t.Fatal(err)
			}
			for i, r := range doc.Records {
				if string(r.Student) != fmt.Sprint(1000+i) || string(r.Test) != "9863" {
					t.Fatalf("record %d: %+v", i+1, r)
				}
			}
		}
	}
}

// TestDecoderLetsGo checks that a decoder at rest does not keep a document in
// memory. Not parallel, because others would empty the pool.
func TestDecoderLetsGo(t *testing.T) {
	decoder := mcqxml.New(intake.Limits{})
	raw := []byte(smallDocument)
	held := weak.Make(&raw[0])
	var doc intake.Document
	if err := decoder.Decode(&doc, raw, ""); err != nil {
		t.Fatal(err)
	}
	doc.Reset()
	raw = nil //nolint:wastedassign // So that nobody but the decoder could hold it.
	runtime.GC()
	if held.Value() != nil {
		t.Error("the document is still in memory")
	}
	runtime.KeepAlive(decoder)
}

// TestDecodersAreShared uses one decoder from many sides at once, for documents
// good and bad; the race detector watches.
func TestDecodersAreShared(t *testing.T) {
	t.Parallel()
	decoder := mcqxml.New(intake.Limits{})
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			var doc intake.Document
			for round := range 50 {
				records := 1 + (worker+round)%7
				raw := generate(rand.New(rand.NewPCG(uint64(worker), uint64(round))), records, []string{usualLayout, joinedLayout}[round%2])
				doc.Reset()
				if err := decoder.Decode(&doc, raw, ""); err != nil || len(doc.Records) != records {
					t.Errorf("%d records: %v", len(doc.Records), err)
				}
				doc.Reset()
				if err := decoder.Decode(&doc, raw[:len(raw)/2], ""); err == nil {
					t.Error("half a document was accepted")
				}
			}
		})
	}
	group.Wait()
}
