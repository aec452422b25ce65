package mcqxml

import (
	"bytes"
	"slices"

	"markr/engine/intake"
)

// A Cursor goes over an XML document for the decoder of another format. It holds the
// document to all that scanner documents are held to (well-formed to its end, no
// DOCTYPE, the limits, the encodings), and knows namespaces, which they have not.
//
//	if c.Open(doc, raw, charset) {
//		for c.Child() {
//			// c.Is(space, "name"), c.Attribute("name"), then one of
//			// c.Text(), c.Skip(), or a loop over c.Child() to its end
//		}
//	}
//	return c.Close()
//
// A Cursor is for one goroutine, and may be used again after Close.
type Cursor struct {
	reader   *reader
	bindings []binding // of the elements that are open, outermost first
	depth    int       // elements entered by Open and Child

	transcoded int // bytes of the text of the last document, if it was in another encoding
}

// LetGo lets go of the text of the document that was closed last, when its records have
// been added to doc; see [intake.Document.LetGo].
func (c *Cursor) LetGo(doc *intake.Document) {
	if c.transcoded > 0 {
		doc.LetGo(c.transcoded)
	}
}

// binding is a namespace declaration; prefix is empty for the default one.
type binding struct {
	depth         int
	prefix, space []byte
}

// NewCursor makes a cursor that keeps to limits; a limit of zero is its default.
func NewCursor(limits intake.Limits) *Cursor {
	return &Cursor{reader: newReader(limits.WithDefaults())}
}

// Open goes to the root element. False means that there is none; Close says why.
func (c *Cursor) Open(doc *intake.Document, raw []byte, charset string) bool {
	r := c.reader
	r.doc, r.records, r.record, r.wrong = doc, 0, 0, problem{}
	c.bindings, c.depth = c.bindings[:0], 0
	if !r.openDocument(doc, raw, charset) || !r.prolog() || r.startTag() != eventStart {
		return false
	}
	return c.enter()
}

// Record says which record what follows is about, counting from 1; 0 for none.
func (c *Cursor) Record(number int) { c.reader.record = number }

// enter notes the namespaces of the element whose start tag was just read.
func (c *Cursor) enter() bool {
	c.depth++
	r := c.reader
	for i := range r.attributes {
		name := r.of(r.attributes[i].name)
		prefix, declares := bytes.CutPrefix(name, []byte("xmlns:"))
		if declares || string(name) == "xmlns" {
			if !declares {
				prefix = nil
			}
			c.bindings = append(c.bindings, binding{c.depth, prefix, c.kept(&r.attributes[i])})
		}
	}
	return true
}

func (c *Cursor) leave() {
	c.depth--
	for len(c.bindings) > 0 && c.bindings[len(c.bindings)-1].depth > c.depth {
		c.bindings = c.bindings[:len(c.bindings)-1]
	}
}

// Child goes to the next child of the element that was entered last. It is false at
// that element's end, and when the document is broken.
func (c *Cursor) Child() bool {
	if c.reader.broken.found() {
		return false
	}
	if c.reader.next() == eventStart {
		return c.enter()
	}
	c.leave()
	return false
}

// Skip goes to behind the end of the element that was entered last.
func (c *Cursor) Skip() {
	c.leave()
	c.reader.skip()
}

// Text goes to behind the end of the element that was entered last and gives its text
// without white space around it, as scanner documents' is read. It is nil when the
// document is broken.
func (c *Cursor) Text() []byte {
	c.leave()
	text, _ := c.reader.fieldText()
	return text
}

// Space is the namespace of the element that was entered last; empty for none.
func (c *Cursor) Space() []byte {
	name := c.reader.of(c.reader.name)
	prefix, _, prefixed := bytes.Cut(name, []byte(":"))
	if !prefixed {
		prefix = nil
	}
	for _, b := range slices.Backward(c.bindings) {
		if bytes.Equal(b.prefix, prefix) {
			return b.space
		}
	}
	return nil
}

// Name is the name of the element that was entered last, without its prefix.
func (c *Cursor) Name() []byte { return localName(c.reader.of(c.reader.name)) }

// Is says whether the element that was entered last has this name.
func (c *Cursor) Is(space []byte, name string) bool {
	return string(c.Name()) == name && bytes.Equal(c.Space(), space)
}

// At is where the element that was entered last begins.
func (c *Cursor) At() int { return c.reader.tagStart() }

// Line is the line in which the element that was entered last begins, from 1.
func (c *Cursor) Line() int {
	line, _ := intake.LineColumn(c.reader.text, c.At())
	return line
}

// Attribute gives an attribute of the element that was entered last, and where it is.
// Attributes with a prefix have other names.
func (c *Cursor) Attribute(name string) (value []byte, at int, ok bool) {
	r := c.reader
	for i := range r.attributes {
		if string(r.of(r.attributes[i].name)) == name {
			return c.kept(&r.attributes[i]), r.attributes[i].name.start, true
		}
	}
	return nil, 0, false
}

// kept is the value of an attribute without white space around it, as long-lived as
// the document.
func (c *Cursor) kept(a *attribute) []byte {
	raw := c.reader.of(a.value)
	if isPlain(raw, attributeValue) {
		return slices.Clip(trim(raw))
	}
	joined := newJoiner(c.reader.doc)
	joined.add(raw, attributeValue)
	return c.reader.doc.Keep(joined.trimmed())
}

// Say records something wrong with what the document says, at a place; the first
// counts, and only if the document is well-formed to its end.
func (c *Cursor) Say(code intake.Code, at int, field string, value []byte, reason string) {
	c.reader.say(problem{code: code, at: at, field: field, value: intake.CutValue(value), reason: reason})
}

// Close reads what is left of the document and says what is wrong with it, nil if
// nothing is. It lets go of the document.
func (c *Cursor) Close() *intake.DocumentError {
	r := c.reader
	c.transcoded = 0
	if r.transcoded {
		c.transcoded = len(r.text)
	}
	defer func() {
		r.release()
		clear(c.bindings)
	}()
	for len(r.open) > 0 && !r.broken.found() {
		r.next()
	}
	if !r.broken.found() {
		r.epilog()
	}
	switch {
	case r.broken.found():
		r.broken.record = r.record
		return r.broken.documentError(r.text)
	case r.wrong.found():
		return r.wrong.documentError(r.text)
	}
	return nil
}
