package intake

import (
	"markr/engine/exam"
	"markr/engine/itemstats"
	"markr/engine/quality"
)

// Decoder reads one kind of document. It is safe for concurrent use.
type Decoder interface {
	// MediaTypes lists the media types this decoder reads: lower case, without
	// parameters, for example "text/xml+markr".
	MediaTypes() []string

	// Decode appends the records of raw to doc, which the caller has Reset.
	// charset is the charset parameter of the content type, lower case, or
	// empty. Slices in doc may point into raw: they are valid as long as raw
	// is unchanged and doc is not Reset.
	//
	// The error is a *DocumentError when the document is at fault; doc then
	// holds nothing that may be used.
	Decode(doc *Document, raw []byte, charset string) error
}

// A Chooser is a Decoder whose media type does not say everything: parameters of
// the content type beside charset decide how a document is read.
//
// A document is kept together with what decides how it is read, because it is read
// again at every start, by a program that may have been set up in another way. So
// what a parameter only names, such as a profile in a file, is spelled out in the
// parameters that are kept.
type Chooser interface {
	Decoder
	// Choose gives what reads documents with these parameters of the content type
	// (names in lower case; charset is among them), and the parameters to keep:
	// choosing by those gives a decoder that reads every document the same, in any
	// program that has this format, whatever else it is set up with. The error says
	// which parameter is not understood.
	Choose(params map[string]string) (d Decoder, kept map[string]string, err error)

	// Offers lists the content types to tell to those who send another one, without
	// charset, for example "text/csv" and "text/csv; profile=omr".
	Offers() []string
}

// Describer is a Decoder that can tell of a record what does not count: where it
// stands, whose it is, what was answered. It is for the few records somebody asks
// about.
type Describer interface {
	// Describe tells of the record with an index, from 0, in a document that Decode
	// accepts. The error is a *DocumentError, or [ErrNoRecord].
	Describe(raw []byte, charset string, record int) (Description, error)
}

// Description is what a document says of one record beside what counts. Texts are
// cut as by [CutValue]; they do not share memory with the document.
type Description struct {
	Line      int // where the record begins, from 1; 0 if lines mean nothing
	FirstName string
	LastName  string
	ScannedOn string // as it is written
}

// Document is a decoded document. It is made to be used again and again: after
// Reset a decoder reuses its memory.
type Document struct {
	Records  []exam.Record // see AddRecord
	Findings Findings
	// Answers are those of all records, one record's after the other's; see AddAnswer.
	Answers []exam.Answer
	// Inspection is what the answers say; the [Registry] makes it.
	Inspection quality.Inspection
	// Items are the answers made ready for item analysis, by whoever wants that.
	Items itemstats.Draft
	// Arena holds text that could not be used where it stood in the raw bytes:
	// pieces joined around comments, references, other encodings. Decoders own
	// its growth. Records may point into it.
	Arena []byte

	// Room is asked before memory is taken for the text of a document in another encoding,
	// which may have three times the bytes of the document; its error ends the decoding.
	// Nil: there is room for all. It is its owner's, and Reset takes it away.
	Room func(bytes int) error

	// MarksOnly is for those who look at nothing but whose marks in which test a record has,
	// and when it was scanned: answers, names and findings may be left out, and are not
	// inspected. What is refused, and why, is the same. It is its owner's, and Reset takes it
	// away.
	MarksOnly bool

	noRoom   error // Room's
	answered int   // answers of the records that are there
	texts    texts // the long ones
}

// Findings counts what is odd about an accepted document without making it
// wrong.
type Findings struct {
	BadScannedOn int // scanned-on present but not a date with a time zone
	BadAnswers   int // answers without a usable question number or marks
}

// Reset empties d and keeps its memory, unless it grew past what is worth keeping.
func (d *Document) Reset() {
	const recordsKept, answersKept, arenaKept = 4096, 64 << 10, 1 << 20
	if cap(d.Records) > recordsKept {
		d.Records = nil
	}
	if cap(d.Arena) > arenaKept {
		d.Arena = nil
	}
	if cap(d.Answers) > answersKept {
		d.Answers = nil
	}
	clear(d.Records)
	d.Records, d.Arena, d.Findings = d.Records[:0], d.Arena[:0], Findings{}
	d.Answers, d.answered = d.Answers[:0], 0
	d.Room, d.noRoom, d.MarksOnly = nil, nil, false
	d.texts.reset()
	d.Inspection.Reset()
	d.Items.Reset()
}

// Limits bound what a decoder accepts. The zero value of a field means its
// default.
type Limits struct {
	RecordsMax int // records in a document; default 100 000
	DepthMax   int // nested elements; default 64
}

// Defaults of [Limits].
const (
	RecordsMaxDefault = 100_000
	DepthMaxDefault   = 64
)

// WithDefaults returns l with defaults in place of zeros.
func (l Limits) WithDefaults() Limits {
	if l.RecordsMax <= 0 {
		l.RecordsMax = RecordsMaxDefault
	}
	if l.DepthMax <= 0 {
		l.DepthMax = DepthMaxDefault
	}
	return l
}
