package entry

import "fmt"

// What an entry may measure. The engine's own limits are far below; these bound
// what a damaged length can make a reader allocate.
const (
	// DocumentBytesMax is the longest document: four times the default limit on
	// decoded bodies, so that the flag can be raised.
	DocumentBytesMax = 1 << 30
	// TextBytesMax is the longest Source and the longest MediaType: four times
	// the limit on a request's whole header.
	TextBytesMax = 64 << 10
	// DetailBytesMax is the longest Detail: a hundred test ids of 256 bytes,
	// escaped, and as many findings fit forty times over.
	DetailBytesMax = 4 << 20
)

// Check says whether a log can keep the entry as it is before it is appended:
// nil, or what is wrong with it, wrapping [ErrInvalid].
func (e *Entry) Check() error {
	switch {
	case e.Outcome != Accepted && e.Outcome != Refused && e.Outcome != Event:
		return fmt.Errorf("%w: outcome %d before it is appended", ErrInvalid, e.Outcome)
	case e.DuplicateOf != 0:
		return fmt.Errorf("%w: duplicate of %d before it is appended", ErrInvalid, e.DuplicateOf)
	case e.Size < 0 || e.Size > DocumentBytesMax:
		return fmt.Errorf("%w: document of %d bytes, at most %d", ErrInvalid, e.Size, DocumentBytesMax)
	case len(e.Body) == 0 || int64(len(e.Body)) > e.Size+1:
		return fmt.Errorf("%w: body of %d bytes for a document of %d", ErrInvalid, len(e.Body), e.Size)
	case len(e.Source) > TextBytesMax:
		return fmt.Errorf("%w: source of %d bytes, at most %d", ErrInvalid, len(e.Source), TextBytesMax)
	case len(e.MediaType) > TextBytesMax:
		return fmt.Errorf("%w: media type of %d bytes, at most %d", ErrInvalid, len(e.MediaType), TextBytesMax)
	case len(e.Detail) > DetailBytesMax:
		return fmt.Errorf("%w: detail of %d bytes, at most %d", ErrInvalid, len(e.Detail), DetailBytesMax)
	}
	return nil
}
