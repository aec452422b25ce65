package httpapi

import (
	"fmt"
	"html/template"
	"runtime"

	"github.com/valyala/fasthttp"
)

// content is what reads are answered with besides the engine's numbers. It is made
// once.
type content struct {
	compressor *compressor
	aggregates aggregates
	downloads  budget
	exports    chan struct{} // a token for each roll that is on its way out
	whatIfs    *whatIfTurns
	contract   fixed            // openapi.json
	docs       fixed            // the same as a page
	statistics fixed            // what each number means
	assets     map[string]fixed // the pages' files, by name
	page       *template.Template

	assetsVersion string // the fingerprint of all assets
	desk          *template.Template
}

func newContent(limits Limits) (*content, error) {
	compressor, err := newCompressor(runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, err
	}
	c := &content{
		compressor: compressor, downloads: budget{max: downloadsOfLargest * limits.DecodedBytesMax},
		exports: make(chan struct{}, exportsMax), whatIfs: newWhatIfTurns(),
	}
	if c.contract, err = newFixed(compressor, "application/json", openapiDocument); err != nil {
		return nil, fmt.Errorf("prepare openapi.json: %w", err)
	}
	if err := c.loadDashboard(); err != nil {
		return nil, fmt.Errorf("prepare dashboard: %w", err)
	}
	return c, nil
}

// fixed is a document that is part of the program, compressed once for all who
// will ask for it.
type fixed struct {
	contentType string
	tag         []byte
	bodies      [codings][]byte
}

func newFixed(compressor *compressor, contentType string, body []byte) (fixed, error) {
	f := fixed{contentType: contentType, tag: appendETag(nil, body)}
	for as := range f.bodies {
		encoded, err := compressor.append(nil, body, coding(as))
		if err != nil {
			return fixed{}, err
		}
		f.bodies[as] = encoded
	}
	return f, nil
}

// fixed answers a GET with a document that is part of the program, or with 304.
func (r *request) fixed(f *fixed, cacheControl string) error {
	if r.unchanged(f.tag, cacheControl) {
		return nil
	}
	chosen, err := r.negotiate(len(f.bodies[codingIdentity]))
	if err != nil {
		return err
	}
	return r.sendShared(fasthttp.StatusOK, f.contentType, f.bodies[chosen])
}
