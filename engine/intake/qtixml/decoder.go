package qtixml

import (
	"sync"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

// What results are sent as. The specification registers no media type: servers send
// XML, and some the second, which says more.
const (
	MediaType       = "application/xml"
	MediaTypeNarrow = "application/vnd.ims.qti.result+xml"
)

// Decoder reads results of QTI. It is safe for concurrent use.
type Decoder struct {
	cursors sync.Pool // of *mcqxml.Cursor
}

var (
	_ intake.Decoder   = (*Decoder)(nil)
	_ intake.Describer = (*Decoder)(nil)
)

// New makes a decoder that keeps to limits; a limit of zero is its default.
func New(limits intake.Limits) *Decoder {
	d := &Decoder{}
	d.cursors.New = func() any { return mcqxml.NewCursor(limits) }
	return d
}

// MediaTypes lists [MediaType] and [MediaTypeNarrow].
func (d *Decoder) MediaTypes() []string { return []string{MediaType, MediaTypeNarrow} }

// Decode appends the record of raw to doc, as [intake.Decoder] says.
func (d *Decoder) Decode(doc *intake.Document, raw []byte, charset string) error {
	_, err := d.decode(doc, raw, charset)
	return err
}

// Describe tells of the record, as [intake.Describer] says. A result has no names.
func (d *Decoder) Describe(raw []byte, charset string, record int) (intake.Description, error) {
	var doc intake.Document
	description, err := d.decode(&doc, raw, charset)
	switch {
	case err != nil:
		return intake.Description{}, err
	case record != 0:
		return intake.Description{}, intake.ErrNoRecord
	}
	return description, nil
}

func (d *Decoder) decode(doc *intake.Document, raw []byte, charset string) (intake.Description, error) {
	cursor, _ := d.cursors.Get().(*mcqxml.Cursor)
	defer d.cursors.Put(cursor)
	r := reader{Cursor: cursor, doc: doc, record: exam.Record{ScannedOn: exam.ScannedOnUnknown}}
	if r.Open(doc, raw, charset) {
		r.description.Line = r.Line()
		r.result()
	}
	if failure := r.Close(); failure != nil {
		return intake.Description{}, failure
	}
	doc.AddRecord(r.record)
	cursor.LetGo(doc)
	return r.description, nil
}
