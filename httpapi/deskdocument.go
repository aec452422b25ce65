package httpapi

import (
	"mime"
	"strings"

	"github.com/google/uuid"

	"markr/engine"
	"markr/engine/intake"
)

// How much of a document the desk shows.
const (
	contextLines   = 5         // before the offending line, and after it
	lineCharsMax   = 400       // of one line, on both sides of the offending place
	shownBytesMax  = 64 << 10  // of the whole document
	editedBytesMax = 512 << 10 // that can be edited on the page
	parsedBytesMax = 32 << 20  // that are looked through for lines and fields
)

// documentView is one refused document.
type documentView struct {
	ID                         uuid.UUID
	Refusal, Code              string
	Received                   pageTime
	Source, Size, MediaType    string
	DocumentHref               string
	CorrectsHref, ResolvedHref string
	CorrectAction, RetryAction string
	MediaTypeSent              string // without its charset
	Lines                      []shownLine
	Record                     int
	Fields                     []intake.Field
	Text, TextCut              string
	Editable                   string
	Unread                     string // why the document is not shown
}

// documentCopies is how often a document is in memory while it is shown: as it came, as
// UTF-8, which may be half as long again, and as valid text.
const documentCopies = 4

// documentView gathers what the desk shows of a refused document. It is paid for as a
// download is.
func (s *Server) documentView(found *engine.Import) (*documentView, error) {
	id := found.ID.String()
	v := &documentView{
		ID: found.ID, Received: newPageTime(found.Received),
		Source: visible(found.Source), Size: humanBytes(found.Size), MediaType: visible(found.MediaType),
		DocumentHref:  importHref(id) + "/document",
		CorrectAction: importHref(id) + "/corrections", RetryAction: importHref(id) + "/retry",
	}
	if base, params, err := mime.ParseMediaType(found.MediaType); err == nil {
		delete(params, "charset")
		v.MediaTypeSent = mime.FormatMediaType(base, params)
	}
	if found.Corrects != uuid.Nil {
		v.CorrectsHref = deskHref(found.Corrects)
	}
	if found.ResolvedBy.Position != 0 {
		v.ResolvedHref = importHref(found.ResolvedBy.ID.String())
	}
	if found.Refusal != nil {
		v.Refusal, v.Code, v.Record = visible(documentFault(found.Refusal)), string(found.Refusal.Code), found.Refusal.Record
	}
	if found.Size > parsedBytesMax {
		v.Unread = "The document is too long to be shown here."
		return v, nil
	}
	budget, held := &s.content.downloads, documentCopies*found.Size
	if !budget.take(held) {
		v.Unread = "The document is not shown because too many are being sent; look again in a moment."
		return v, nil
	}
	defer budget.give(held)
	raw, _, err := s.engine.Document(found.ID)
	if err != nil {
		return nil, err
	}
	s.showText(v, found, raw)
	return v, nil
}

// showText shows what is in a document.
func (s *Server) showText(v *documentView, found *engine.Import, raw []byte) {
	text, whole := documentText(raw, found.MediaType)
	if found.Refusal != nil && found.Refusal.Line > 0 {
		v.Lines = linesAround(text, found.Refusal.Line, found.Refusal.Column)
	}
	if v.Record > 0 {
		v.Fields = s.intake.Salvage(raw, found.MediaType, v.Record)
		for i, field := range v.Fields {
			v.Fields[i] = intake.Field{Name: visible(field.Name), Value: visible(field.Value)}
		}
	}
	if whole && len(text) <= editedBytesMax {
		v.Editable = text
	}
	shown := text
	if len(shown) > shownBytesMax {
		shown = strings.ToValidUTF8(shown[:shownBytesMax], "")
		v.TextCut = humanBytes(int64(len(shown)))
	}
	v.Text = visible(shown)
}
