package intake

// Salvager is a Decoder that can tell what stands in a record of a document it
// refuses, for somebody who enters it by hand.
type Salvager interface {
	// Salvage tells what can be read of a record, from 1, as far as the document can be
	// read; nothing if that is not so far. At most [SalvagedMax] fields are told, their
	// values cut as by [CutValue].
	Salvage(raw []byte, charset string, record int) []Field
}

// Field is something that stands in a record, for people.
type Field struct{ Name, Value string }

// SalvagedMax is how many fields of a record are told: an exam's answers, and the rest.
const SalvagedMax = 300

// Salvage tells what can be read of a record of a refused document, as [Salvager] does;
// nothing where the format has nothing to tell.
func (r *Registry) Salvage(raw []byte, contentType string, record int) []Field {
	found, err := r.find(contentType)
	if err != nil {
		return nil
	}
	if salvager, ok := found.decoder.(Salvager); ok {
		return salvager.Salvage(raw, found.charset(), record)
	}
	return nil
}
