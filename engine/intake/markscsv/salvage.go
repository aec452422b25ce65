package markscsv

import (
	"strconv"

	"markr/engine/intake"
)

var (
	_ intake.Salvager = (*Decoder)(nil)
	_ intake.Salvager = (*chosen)(nil)
)

// Salvage tells what stands in the line of one record, as [intake.Salvager] says.
func (d *Decoder) Salvage(raw []byte, charset string, record int) []intake.Field {
	return d.plain.Salvage(raw, charset, record)
}

// Salvage tells what stands in the line of one record, under what the header line calls
// it, as [intake.Salvager] says.
func (c *chosen) Salvage(raw []byte, charset string, record int) []intake.Field {
	r, _ := c.readers.Get().(*reader)
	defer c.readers.Put(r)
	defer r.release()
	doc := new(intake.Document)
	*r = reader{scanner: scanner{fields: r.fields}, doc: doc, recordsMax: c.limits.RecordsMax}
	if record < 1 || !r.open(doc, raw, charset) || !r.begin(c.layout) {
		return nil
	}
	start := placeStart
	var names []string
	if c.layout.hasHeader() {
		start = r.pos
		names = r.salvageNames()
	} else {
		for c := range columns {
			names = append(names, c.String())
		}
	}
	var told []intake.Field
	r.rows(start, func() {
		if r.record == record {
			told = r.salvageLine(names)
		}
	})
	if told == nil && r.record == record { // Its line is what breaks the table.
		told = r.salvageLine(names)
	}
	return told
}

// salvageNames are the names in the header line that was read last.
func (r *reader) salvageNames() []string {
	names := make([]string, min(len(r.fields), intake.SalvagedMax))
	for i := range names {
		names[i] = intake.CutValue(r.of(r.doc, r.fields[i]))
	}
	return names
}

// salvageLine tells the fields of the line that was read last. One without a name has its
// number.
func (r *reader) salvageLine(names []string) []intake.Field {
	var told []intake.Field
	for i, f := range r.fields[:min(len(r.fields), intake.SalvagedMax)] {
		name := ""
		if i < len(names) {
			name = names[i]
		}
		if name == "" {
			name = "column " + strconv.Itoa(i+1)
		}
		told = append(told, intake.Field{Name: name, Value: intake.CutValue(r.of(r.doc, f))})
	}
	return told
}
