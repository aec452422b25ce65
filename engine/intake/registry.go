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
}

// NewRegistry lists the formats a program reads. Two decoders for one media type
// are a programmer's error, and reported as one.
func NewRegistry(decoders ...Decoder) (*Registry, error) {
	r := &Registry{byMediaType: make(map[string]Decoder)}
	for _, d := range decoders {
		for _, mediaType := range d.MediaTypes() {
			if _, taken := r.byMediaType[mediaType]; taken {
				return nil, fmt.Errorf("two decoders for %q", mediaType)
			}
			r.byMediaType[mediaType] = d
		}
	}
	return r, nil
}

// Decode reads raw with the decoder for contentType, a Content-Type header's
// value, and inspects what it has read. The error wraps [ErrUnknownMediaType] or is a *DocumentError.
func (r *Registry) Decode(doc *Document, raw []byte, contentType string) error {
	decoder, charset, err := r.find(contentType)
	if err != nil {
		return err
	}
	if err := decoder.Decode(doc, raw, charset); err != nil {
		return err
	}
	doc.Inspection.Inspect(doc.Records, doc.Answers)
	return nil
}

// Describe tells of one record, as [Describer] does; the zero Description where the
// format has nothing to tell.
func (r *Registry) Describe(raw []byte, contentType string, record int) (Description, error) {
	decoder, charset, err := r.find(contentType)
	if err != nil {
		return Description{}, err
	}
	describer, ok := decoder.(Describer)
	if !ok {
		return Description{}, nil
	}
	return describer.Describe(raw, charset, record)
}

// Reads says whether there is a decoder for contentType; the error is nil or
// wraps [ErrUnknownMediaType].
func (r *Registry) Reads(contentType string) error {
	_, _, err := r.find(contentType)
	return err
}

// MediaTypes lists the media types that can be read, sorted.
func (r *Registry) MediaTypes() []string {
	return slices.Sorted(maps.Keys(r.byMediaType))
}

func (r *Registry) find(contentType string) (Decoder, string, error) {
	// The usual value needs no parser.
	if d, ok := r.byMediaType[contentType]; ok {
		return d, "", nil
	}
	mediaType, params, err := mime.ParseMediaType(contentType)
	// A parameter that cannot be read is as good as none: the media type is
	// what decides, and scanners cannot be changed.
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return nil, "", fmt.Errorf("content type %q: %w", contentType, ErrUnknownMediaType)
	}
	d, ok := r.byMediaType[mediaType]
	if !ok {
		return nil, "", fmt.Errorf("content type %q: %w", contentType, ErrUnknownMediaType)
	}
	return d, strings.ToLower(params["charset"]), nil
}
