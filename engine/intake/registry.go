package intake

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
)

// Registry finds the decoder for a content type. It is immutable.
type Registry struct {
	byMediaType map[string]Decoder
	plain       map[string]Decoder // those that no parameter is chosen for
}

// NewRegistry lists the formats a program reads. Two decoders for one media type
// are a programmer's error, and reported as one.
func NewRegistry(decoders ...Decoder) (*Registry, error) {
	r := &Registry{byMediaType: make(map[string]Decoder), plain: make(map[string]Decoder)}
	for _, d := range decoders {
		for _, mediaType := range d.MediaTypes() {
			if _, taken := r.byMediaType[mediaType]; taken {
				return nil, fmt.Errorf("two decoders for %q", mediaType)
			}
			r.byMediaType[mediaType] = d
			if _, chooses := d.(Chooser); !chooses {
				r.plain[mediaType] = d
			}
		}
	}
	return r, nil
}

// Decode reads raw with the decoder for contentType, a Content-Type header's
// value, and inspects what it has read. The error wraps [ErrUnknownMediaType], is a
// *DocumentError, or the one of doc.Room.
func (r *Registry) Decode(doc *Document, raw []byte, contentType string) error {
	// The usual value needs no parser.
	if decoder, ok := r.plain[contentType]; ok {
		return inspected(doc, decoder.Decode(doc, raw, ""))
	}
	found, err := r.find(contentType)
	if err != nil {
		return err
	}
	return inspected(doc, found.decoder.Decode(doc, raw, found.charset()))
}

// inspected finds what a document says beside what counts, if it was decoded.
func inspected(doc *Document, err error) error {
	if doc.noRoom != nil {
		return doc.noRoom // A decoder has seen no text.
	}
	if err == nil && !doc.MarksOnly {
		doc.Inspection.Inspect(doc.Records, doc.Answers)
	}
	return err
}

// Describe tells of one record, as [Describer] does; the zero Description where the
// format has nothing to tell.
func (r *Registry) Describe(raw []byte, contentType string, record int) (Description, error) {
	found, err := r.find(contentType)
	if err != nil {
		return Description{}, err
	}
	describer, ok := found.decoder.(Describer)
	if !ok {
		return Description{}, nil
	}
	return describer.Describe(raw, found.charset(), record)
}

// Reads says whether there is a decoder for contentType; the error is nil or
// wraps [ErrUnknownMediaType].
func (r *Registry) Reads(contentType string) error {
	if _, ok := r.plain[contentType]; ok {
		return nil
	}
	_, err := r.find(contentType)
	return err
}

// Kept is the content type to keep with a document that came with contentType: with
// it, any program that has the format reads the document as this one does now. For
// most formats it is contentType itself. decides says that it is more than a name for
// the bytes: the same bytes under another one are another document; see [Chooser].
// A contentType that is not read is given back as it is.
func (r *Registry) Kept(contentType string) (kept string, decides bool) {
	if _, ok := r.plain[contentType]; ok {
		return contentType, false
	}
	found, err := r.find(contentType)
	if err != nil || !found.chosen {
		return contentType, false
	}
	// A parameter that could not be written is none that could have been read.
	return mime.FormatMediaType(found.mediaType, found.params), true
}

// MediaTypes lists the media types that can be read, sorted.
func (r *Registry) MediaTypes() []string {
	return slices.Sorted(maps.Keys(r.byMediaType))
}

// Offers lists the content types to tell to those who send another one, sorted.
func (r *Registry) Offers() []string {
	var offers []string
	for mediaType, decoder := range r.byMediaType {
		if chooser, ok := decoder.(Chooser); ok {
			offers = append(offers, chooser.Offers()...)
		} else {
			offers = append(offers, mediaType)
		}
	}
	slices.Sort(offers)
	return slices.Compact(offers)
}

// found is what a content type leads to.
type found struct {
	decoder   Decoder
	mediaType string
	params    map[string]string
	chosen    bool // by the parameters
}

// charset is the charset parameter, lower case, or empty.
func (f *found) charset() string { return strings.ToLower(f.params["charset"]) }

func (r *Registry) find(contentType string) (found, error) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	unreadable := errors.Is(err, mime.ErrInvalidMediaParameter)
	if err != nil && !unreadable {
		return found{}, fmt.Errorf("content type %q: %w", contentType, ErrUnknownMediaType)
	}
	decoder, ok := r.byMediaType[mediaType]
	if !ok {
		return found{}, fmt.Errorf("content type %q: %w", contentType, ErrUnknownMediaType)
	}
	f := found{decoder: decoder, mediaType: mediaType, params: params}
	chooser, ok := decoder.(Chooser)
	if !ok {
		// A parameter that cannot be read is as good as none: the media type is
		// what decides, and scanners cannot be changed.
		return f, nil
	}
	if unreadable {
		return found{}, fmt.Errorf("content type %q: %w: %w", contentType, ErrUnknownMediaType, err)
	}
	f.chosen = true
	if f.decoder, f.params, err = chooser.Choose(params); err != nil {
		return found{}, fmt.Errorf("content type %q: %w: %w", contentType, ErrUnknownMediaType, err)
	}
	return f, nil
}
