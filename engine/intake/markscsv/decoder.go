package markscsv

import (
	"fmt"
	"strings"
	"sync"

	"markr/engine/intake"
)

// MediaType is what tables are sent as.
const MediaType = "text/csv"

// Parameters of the media type, beside charset. The first two are RFC 4180's and
// ours; the third is what a document with a profile is kept with.
const (
	paramHeader  = "header"  // present or absent: whether the first line has names
	paramProfile = "profile" // the name of a profile
	paramColumns = "columns" // a profile spelled out, see [Profile.Spelled]
)

// Decoder reads tables of marks. It is safe for concurrent use.
type Decoder struct {
	limits   intake.Limits
	profiles map[string]*Profile
	plain    *chosen
	readers  sync.Pool // of *reader
}

var _ intake.Chooser = (*Decoder)(nil)

// New makes a decoder that keeps to limits, a limit of zero being its default, and
// knows the profiles by their names. Documents that were kept need none of them.
func New(limits intake.Limits, profiles ...*Profile) *Decoder {
	d := &Decoder{limits: limits.WithDefaults(), profiles: make(map[string]*Profile)}
	for _, p := range profiles {
		d.profiles[p.name] = p
	}
	d.plain = &chosen{Decoder: d, layout: namedLayout{}}
	d.readers.New = func() any { return new(reader) }
	return d
}

// MediaTypes lists [MediaType].
func (d *Decoder) MediaTypes() []string { return []string{MediaType} }

// Offers lists the media type alone and with each profile.
func (d *Decoder) Offers() []string {
	offers := []string{MediaType}
	for name := range d.profiles {
		offers = append(offers, MediaType+"; "+paramProfile+"="+name)
	}
	return offers
}

// Decode reads a table that has the usual names in its header line.
func (d *Decoder) Decode(doc *intake.Document, raw []byte, charset string) error {
	return d.plain.Decode(doc, raw, charset)
}

// Choose gives the decoder for tables with or without a header line, or with a
// profile. What is kept of a profile is all of it, in the parameter columns, so a
// document does not depend on a file that may change. A client may spell out a
// profile in the same way.
func (d *Decoder) Choose(params map[string]string) (intake.Decoder, map[string]string, error) {
	kept := make(map[string]string)
	if charset := strings.ToLower(params["charset"]); charset != "" {
		kept["charset"] = charset
	}
	name, spelled := params[paramProfile], params[paramColumns]
	header := strings.ToLower(params[paramHeader])
	switch {
	case header != "" && header != headerPresent && header != headerAbsent:
		return nil, nil, fmt.Errorf("parameter header %q: must be present or absent", header)
	case name == "" && spelled != "":
		return nil, nil, fmt.Errorf("parameter columns without profile: a profile that is spelled out has a name, too")
	case name == "" && header == headerAbsent:
		kept[paramHeader] = headerAbsent
		return &chosen{Decoder: d, layout: orderedLayout{}}, kept, nil
	case name == "":
		return d.plain, kept, nil
	case header != "":
		return nil, nil, fmt.Errorf("parameter header %q beside a profile, which decides that", header)
	}
	profile, known := d.profiles[name]
	switch {
	case spelled != "":
		var err error
		if profile, err = ParseProfile(name, []byte(spelled)); err != nil {
			return nil, nil, err
		}
	case !known:
		return nil, nil, fmt.Errorf("profile %q is not known here", name)
	}
	kept[paramProfile], kept[paramColumns] = name, profile.Spelled()
	return &chosen{Decoder: d, layout: profile}, kept, nil
}

var _ intake.Describer = (*chosen)(nil)

// chosen is a decoder for tables of one layout.
type chosen struct {
	*Decoder

	layout layout
}

// Decode appends the records of raw to doc, as [intake.Decoder] says. Records point
// into raw where it is UTF-8 and no quote is written twice, and into doc.Arena where
// not.
func (c *chosen) Decode(doc *intake.Document, raw []byte, charset string) error {
	r, _ := c.readers.Get().(*reader)
	failure := r.decode(doc, raw, charset, c, 0)
	r.release()
	c.readers.Put(r)
	// A nil *DocumentError in an error would not be nil.
	if failure != nil {
		return failure
	}
	return nil
}

// Describe tells of one record, as [intake.Describer] says.
func (c *chosen) Describe(raw []byte, charset string, record int) (intake.Description, error) {
	r, _ := c.readers.Get().(*reader)
	var doc intake.Document
	failure := r.decode(&doc, raw, charset, c, record+1)
	description := r.description
	r.release()
	c.readers.Put(r)
	switch {
	case failure != nil:
		return intake.Description{}, failure
	case record < 0 || record >= len(doc.Records):
		return intake.Description{}, intake.ErrNoRecord
	}
	return description, nil
}
