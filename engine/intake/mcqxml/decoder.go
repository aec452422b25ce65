package mcqxml

import (
	"sync"

	"markr/engine/intake"
)

// MediaType is what scanners post.
const MediaType = "text/xml+markr"

// Decoder reads scanner documents. It is safe for concurrent use.
type Decoder struct {
	limits  intake.Limits
	readers sync.Pool // of *reader
}

var (
	_ intake.Decoder   = (*Decoder)(nil)
	_ intake.Describer = (*Decoder)(nil)
	_ intake.Salvager  = (*Decoder)(nil)
)

// New makes a decoder that keeps to limits; a limit of zero is its default.
func New(limits intake.Limits) *Decoder {
	return &Decoder{limits: limits.WithDefaults()}
}

// MediaTypes lists [MediaType].
func (d *Decoder) MediaTypes() []string { return []string{MediaType} }

// Decode appends the records of raw to doc, as [intake.Decoder] says. Records
// point into raw where the text stands there in one piece as UTF-8, and into
// doc.Arena where it does not.
func (d *Decoder) Decode(doc *intake.Document, raw []byte, charset string) error {
	r := d.reader()
	failure := r.decode(doc, raw, charset)
	r.release()
	d.readers.Put(r)
	// A nil *DocumentError in an error would not be nil.
	if failure != nil {
		return failure
	}
	return nil
}

// Describe tells of one record, as [intake.Describer] says.
func (d *Decoder) Describe(raw []byte, charset string, record int) (intake.Description, error) {
	r := d.reader()
	var doc intake.Document
	r.described = record + 1
	failure := r.decode(&doc, raw, charset)
	description := r.description
	r.described, r.description = 0, intake.Description{}
	r.release()
	d.readers.Put(r)
	switch {
	case failure != nil:
		return intake.Description{}, failure
	case record < 0 || record >= len(doc.Records):
		return intake.Description{}, intake.ErrNoRecord
	}
	return description, nil
}

func (d *Decoder) reader() *reader {
	if r, ok := d.readers.Get().(*reader); ok {
		return r
	}
	return newReader(d.limits)
}
