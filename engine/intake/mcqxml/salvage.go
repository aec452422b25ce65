package mcqxml

import (
	"strings"

	"markr/engine/intake"
)

// Salvage tells what can be read of one record, as [intake.Salvager] says.
func (d *Decoder) Salvage(raw []byte, charset string, record int) []intake.Field {
	r := d.reader()
	defer d.readers.Put(r)
	defer r.release()
	r.doc = new(intake.Document)
	if record < 1 || !r.openDocument(r.doc, raw, charset) || !r.prolog() || r.startTag() != eventStart {
		return nil
	}
	for records := 0; r.next() == eventStart; {
		if string(r.of(r.name)) == nameRecord {
			records++
		}
		if records == record {
			return r.salvageRecord()
		}
		if !r.skip() {
			break
		}
	}
	return nil
}

// salvageRecord tells what stands in the record just begun, as far as it can be read.
func (r *reader) salvageRecord() []intake.Field {
	var fields []intake.Field
	tell := func(name, value string) {
		if len(fields) < intake.SalvagedMax {
			fields = append(fields, intake.Field{Name: name, Value: value})
		}
	}
	for _, a := range r.salvageAttributes() {
		tell(a.Name, a.Value)
	}
	for r.next() == eventStart {
		name := intake.CutValue(r.of(r.name))
		attributes := r.salvageAttributes()
		text, ok := r.fieldText()
		value := intake.CutValue(text)
		switch {
		case name == nameAnswer:
			tell(salvagedAnswer(attributes, value))
		case len(attributes) == 0 || value != "":
			tell(name, value)
			fallthrough
		default:
			for _, a := range attributes {
				tell(name+"/"+a.Name, a.Value)
			}
		}
		if !ok {
			break
		}
	}
	return fields
}

func (r *reader) salvageAttributes() []intake.Field {
	var fields []intake.Field
	for i := range r.attributes[:min(len(r.attributes), intake.SalvagedMax)] {
		a := &r.attributes[i]
		fields = append(fields, intake.Field{Name: intake.CutValue(r.of(a.name)), Value: intake.CutValue(r.value(a))})
	}
	return fields
}

// salvagedAnswer is an answer in one line.
func salvagedAnswer(attributes []intake.Field, given string) (name, value string) {
	name = nameAnswer
	parts := []string{given}
	for _, a := range attributes {
		if a.Name == nameQuestion {
			name += " " + a.Value
			continue
		}
		parts = append(parts, a.Name+" "+a.Value)
	}
	return name, strings.TrimPrefix(strings.Join(parts, ", "), ", ")
}
