package mcqxml_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/engine/intake/mcqxml/vectortest"
)

// BenchmarkDecode compares the decoder with what one would write with
// encoding/xml, on the same documents in the same run. What each reads out is
// checked. DESIGN.md says how to run it and what it gave.
func BenchmarkDecode(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	documents := []struct {
		name string
		raw  []byte
	}{
		{"usual", generate(random, 100, usualLayout)},
		{"other", generate(random, 100, otherLayout)},
		{"joined", generate(random, 100, joinedLayout)},
		{"usual-10MB", generate(random, 5800, usualLayout)},
	}
	if sample, err := os.ReadFile(sampleFile); err == nil {
		documents = append(documents[:1:1], documents...)
		documents[0].name, documents[0].raw = "sample", sample
	}
	decoder := mcqxml.New(intake.Limits{})
	var doc intake.Document
	readers := []struct {
		name string
		read func(raw []byte) (total, error)
	}{
		{"mcqxml", func(raw []byte) (total, error) { return readOurs(decoder, &doc, raw) }},
		{"encoding-xml-token", readTokens},
		{"encoding-xml-unmarshal", readUnmarshal},
	}
	for _, document := range documents {
		want, err := readUnmarshal(document.raw)
		if err != nil || want.records == 0 {
			b.Fatal(want, err)
		}
		for _, reader := range readers {
			b.Run("document="+document.name+"/reader="+reader.name, func(b *testing.B) {
				b.SetBytes(int64(len(document.raw)))
				b.ReportAllocs()
				for b.Loop() {
					if got, err := reader.read(document.raw); err != nil || got != want {
						b.Fatalf("got %+v, %v; want %+v", got, err, want)
					}
				}
			})
		}
	}
}

// BenchmarkEncodings shows what transcoding costs.
func BenchmarkEncodings(b *testing.B) {
	usual := string(generate(rand.New(rand.NewPCG(1, 2)), 100, usualLayout))
	decoder := mcqxml.New(intake.Limits{})
	for _, encoding := range []string{"utf-8", "utf-16le", "iso-8859-1", "windows-1252"} {
		b.Run("encoding="+encoding, func(b *testing.B) {
			raw, charset := []byte(usual), encoding
			if encoding != "utf-8" {
				raw = vectortest.Encode(b, usual, encoding)
			}
			var doc intake.Document
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				doc.Reset()
				if err := decoder.Decode(&doc, raw, charset); err != nil || len(doc.Records) != 100 {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMarkup shows the slowest and the fastest kinds of what a document may
// be full of.
func BenchmarkMarkup(b *testing.B) {
	decoder := mcqxml.New(intake.Limits{})
	for _, kind := range []struct{ name, filling string }{
		{"text", "some text of no interest "},
		{"wide-text", "ничего интересного "},
		{"references", "&amp;&#233;"},
		{"elements", "<a/><b></b>"},
		{"attributes", `<x one="1" two="2" three="3" four="4"/>`},
		{"comments", "<!-- something -->"},
		{"cdata", "<![CDATA[some text]]>"},
	} {
		b.Run("kind="+kind.name, func(b *testing.B) {
			raw := []byte("<mcq-test-results>")
			for len(raw) < 1<<20 {
				raw = append(raw, kind.filling...)
			}
			raw = append(raw, "</mcq-test-results>"...)
			var doc intake.Document
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				doc.Reset()
				err := decoder.Decode(&doc, raw, "")
				if e, ok := errors.AsType[*intake.DocumentError](err); !ok || e.Code != intake.CodeEmptyDocument {
					b.Fatal(err)
				}
			}
		})
	}
}

// total is what was read out of a document.
type total struct {
	records  int
	obtained exam.Marks
}

func readOurs(decoder *mcqxml.Decoder, doc *intake.Document, raw []byte) (total, error) {
	doc.Reset()
	err := decoder.Decode(doc, raw, "")
	sum := total{records: len(doc.Records)}
	for i := range doc.Records {
		sum.obtained += doc.Records[i].Obtained
	}
	return sum, err
}

// readTokens reads the fields that count with the tokens of encoding/xml, as
// simply as it can be done.
func readTokens(raw []byte) (total, error) {
	var sum total
	var text, student, test string
	for decoder := xml.NewDecoder(bytes.NewReader(raw)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			text = ""
			if token.Name.Local != "summary-marks" {
				continue
			}
			for _, a := range token.Attr {
				if a.Name.Local == "obtained" {
					marks, err := strconv.Atoi(a.Value)
					if err != nil {
						return sum, err
					}
					sum.obtained += exam.Marks(marks) * exam.MarksPerUnit
				}
			}
		case xml.CharData:
			text += string(token)
		case xml.EndElement:
			switch token.Name.Local {
			case "student-number":
				student = text
			case "test-id":
				test = text
			case "mcq-test-result":
				if student == "" || test == "" {
					return sum, errors.New("a field is missing")
				}
				sum.records++
			}
		}
	}
}

// readUnmarshal reads a document into structs with encoding/xml.
func readUnmarshal(raw []byte) (total, error) {
	var document struct {
		XMLName xml.Name `xml:"mcq-test-results"`
		Records []struct {
			ScannedOn string `xml:"scanned-on,attr"`
			Student   string `xml:"student-number"`
			Test      string `xml:"test-id"`
			Summary   struct {
				Available int `xml:"available,attr"`
				Obtained  int `xml:"obtained,attr"`
			} `xml:"summary-marks"`
		} `xml:"mcq-test-result"`
	}
	err := xml.Unmarshal(raw, &document)
	sum := total{records: len(document.Records)}
	for _, r := range document.Records {
		sum.obtained += exam.Marks(r.Summary.Obtained) * exam.MarksPerUnit
	}
	return sum, err
}
