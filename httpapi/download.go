package httpapi

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"markr/engine"
)

// downloadsOfLargest is how many of the largest documents may be on their way out
// at once: more than one, so that one slow reader of one of them does not keep
// everybody else from theirs.
const downloadsOfLargest = 2

// errDownloads: documents on their way out hold all the memory they may.
var errDownloads = refuse(codeOverloaded, "Too many documents are being sent; nothing else is affected.")

// download answers with a stored document. It is held in memory until the last
// byte has left, at the pace of a client that may be slow or many, so it is paid
// for from a budget. Imports have another one: readers never keep scanners out.
func (r *request) download(found *engine.Import) error {
	budget := &r.server.content.downloads
	if !budget.take(found.Size) {
		return errDownloads
	}
	held := &heldDocument{budget: budget, size: found.Size}
	leaves := false
	defer func() {
		if !leaves {
			held.release()
		}
	}()
	raw, mediaType, err := r.server.engine.Document(found.ID)
	if err != nil {
		return err
	}
	encoded, err := r.encode(raw)
	if err != nil {
		return err
	}
	held.Reset(encoded)
	r.ctx.SetStatusCode(fasthttp.StatusOK)
	r.ctx.SetContentType(mediaType)
	r.ctx.SetBodyStream(held, len(encoded))
	leaves = true
	return nil
}

// heldDocument is a body that is paid for until it is closed, which the core does
// once, however the response ends.
type heldDocument struct {
	bytes.Reader

	budget *budget
	size   int64
}

// Close gives the memory back.
func (h *heldDocument) Close() error {
	h.Reset(nil)
	h.release()
	return nil
}

func (h *heldDocument) release() { h.budget.give(h.size) }
