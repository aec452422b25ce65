package qtixml_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml/vectortest"
	"markr/engine/intake/qtixml"
)

var (
	seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 takes a new one")
	update   = flag.Bool("update", false, "write what the decoder says into testdata/vectors")
)

func registry(tb testing.TB, limits intake.Limits) *intake.Registry {
	tb.Helper()
	r, err := intake.NewRegistry(qtixml.New(limits))
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
		limits.DepthMax, _ = strconv.Atoi(v.Options["depth"])
		var doc intake.Document
		r, raw, contentType := registry(t, limits), v.Document(t), v.ContentType(qtixml.MediaType)
		err := r.Decode(&doc, raw, contentType)
		vectortest.CheckMarksOnly(t, &doc, err, func(marks *intake.Document) error { return r.Decode(marks, raw, contentType) })
		return vectortest.Told(&doc, err)
	})
	if cases < 50 {
		t.Errorf("only %d cases: were files lost?", cases)
	}
}

// resultOf is the result of one candidate.
func resultOf(student string, obtained, items int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>
<assessmentResult xmlns="http://www.imsglobal.org/xsd/imsqti_result_v2p1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <context sourcedId="%s"><sessionIdentifier sourceID="urn:x" identifier="a"/></context>
  <testResult identifier="9863" datestamp="2017-12-04T12:12:10+11:00">
    <outcomeVariable identifier="SCORE" cardinality="single" baseType="float"><value>%d</value></outcomeVariable>
    <outcomeVariable identifier="MAXSCORE" cardinality="single" baseType="float"><value>20</value></outcomeVariable>
  </testResult>
`, student, obtained)
	for i := range items {
		fmt.Fprintf(&b, `  <itemResult identifier="Q%d" datestamp="2017-12-04T12:12:10+11:00" sessionStatus="final">
    <responseVariable identifier="RESPONSE" cardinality="single" baseType="identifier"><candidateResponse><value>A</value></candidateResponse></responseVariable>
    <outcomeVariable identifier="SCORE" cardinality="single" baseType="float"><value>1</value></outcomeVariable>
  </itemResult>
`, i)
	}
	b.WriteString("</assessmentResult>\n")
	return b.String()
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	r := registry(t, intake.Limits{})
	raw := []byte(resultOf("002299", 13, 2))
	want := intake.Description{Line: 2, ScannedOn: "2017-12-04T12:12:10+11:00"}
	if got, err := r.Describe(raw, qtixml.MediaType, 0); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := r.Describe(raw, qtixml.MediaType, 1); !errors.Is(err, intake.ErrNoRecord) {
		t.Error(err)
	}
	if _, err := r.Describe([]byte("<a/>"), qtixml.MediaType, 0); err == nil {
		t.Error("another document was described")
	}
}

// TestCutAnywhere cuts a result short at every byte: none may be accepted.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	r := registry(t, intake.Limits{})
	for _, encoding := range []string{"", "utf-8 with mark", "utf-16be"} {
		document := vectortest.Encode(t, strings.TrimSpace(resultOf("é", 13, 2)), encoding)
		var doc intake.Document
		if err := r.Decode(&doc, document, qtixml.MediaType); err != nil {
			t.Fatal(err)
		}
		for end := range document {
			doc.Reset()
			err := r.Decode(&doc, slices.Clip(document[:end]), qtixml.MediaType)
			if e, ok := errors.AsType[*intake.DocumentError](err); !ok || e.Code != intake.CodeMalformedXML || len(doc.Records) > 0 {
				t.Fatalf("%q cut at %d: %v", encoding, end, err)
			}
		}
	}
}

// TestDamage changes bytes at random: what is accepted is what a record must be.
func TestDamage(t *testing.T) {
	t.Parallel()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("run again with -seed=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	r := registry(t, intake.Limits{})
	document := []byte(resultOf("002299", 13, 2))
	accepted := 0
	for range 20_000 {
		changed := bytes.Clone(document)
		for range 1 + random.IntN(3) {
			changed[random.IntN(len(changed))] = " \"<>/&;=a019.\x00\xc3"[random.IntN(15)]
		}
		if checkAnswer(t, r, changed) {
			accepted++
		}
	}
	if accepted == 0 || accepted == 20_000 {
		t.Errorf("%d accepted", accepted)
	}
}

// checkAnswer checks what every answer must be, and says whether it was yes.
func checkAnswer(t *testing.T, r *intake.Registry, document []byte) bool {
	t.Helper()
	var doc intake.Document
	err := r.Decode(&doc, document, qtixml.MediaType)
	if err == nil {
		if len(doc.Records) != 1 {
			t.Fatalf("%q: accepted with %d records", document, len(doc.Records))
		}
		if one := doc.Records[0]; exam.CheckID(one.Test) != nil || exam.CheckID(one.Student) != nil ||
			one.Available <= 0 || one.Available > exam.MarksMax || one.Obtained < 0 || one.Obtained > one.Available {
			t.Fatalf("%q: %+v", document, one)
		}
		return true
	}
	e, ok := errors.AsType[*intake.DocumentError](err)
	if !ok || e.Line < 1 || e.Column < 1 || e.Reason == "" || !slices.Contains(intake.Codes(), e.Code) ||
		!utf8.ValidString(e.Error()) || len(doc.Records) != 0 {
		t.Fatalf("%q: %+v", document, err)
	}
	return false
}

// FuzzDecode holds what is accepted against what a record must be.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/vectors/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		for _, v := range vectortest.Read(f, file) {
			if document := v.Document(f); len(document) < 4096 {
				f.Add(document)
			}
		}
	}
	r := registry(f, intake.Limits{})
	f.Fuzz(func(t *testing.T, document []byte) { checkAnswer(t, r, document) })
}

// Memory does not grow with what a result holds. Not parallel, because memory is
// measured.
func TestHostileResults(t *testing.T) {
	r := registry(t, intake.Limits{})
	const mib = 1 << 20
	const open = `<assessmentResult xmlns="http://www.imsglobal.org/xsd/imsqti_result_v3p0">`
	for name, document := range map[string]string{
		"deep":         open + strings.Repeat("<a>", mib),
		"wide":         open + strings.Repeat("<a/>", 2*mib) + "</assessmentResult>",
		"values":       open + `<testResult identifier="1"><outcomeVariable identifier="SCORE">` + strings.Repeat("<value>1</value>", mib/2),
		"a long value": open + `<testResult identifier="1"><outcomeVariable identifier="SCORE"><value>` + strings.Repeat("1", 8*mib),
		"pieces":       open + `<testResult identifier="1"><outcomeVariable identifier="SCORE"><value>` + strings.Repeat("1<!---->", mib),
		"a long name":  "<" + strings.Repeat("a", 8*mib) + "/>",
		"namespaces":   open + strings.Repeat(`<context xmlns:a="x" xmlns:b="y"><c/></context>`, mib/16) + "</assessmentResult>",
	} {
		raw := []byte(document)
		var doc intake.Document
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		err := r.Decode(&doc, raw, qtixml.MediaType)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if held := after.TotalAlloc - before.TotalAlloc; held > 1<<20 && !underRace {
			t.Errorf("%s: %d bytes for a document of %d", name, held, len(raw))
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, items := range []int{0, 20, 200} {
		b.Run(fmt.Sprintf("items=%d", items), func(b *testing.B) {
			r := registry(b, intake.Limits{})
			raw := []byte(resultOf("002299", 13, items))
			var doc intake.Document
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				doc.Reset()
				if err := r.Decode(&doc, raw, qtixml.MediaType); err != nil || len(doc.Records) != 1 {
					b.Fatal(err)
				}
			}
		})
	}
}
