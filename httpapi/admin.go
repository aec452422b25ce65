package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/valyala/fasthttp"

	"markr/engine/audit"
)

// What an administrator may do changes what everybody sees, so these routes are never
// for strangers, on whatever listener they are served:
//
//   - who has presented a token, or has to, needs one with the scope admin;
//   - where nobody is asked, only this machine may: a loopback address or a socket
//     file, and no proxy between;
//   - a page of another site may not, though it is in a browser of this machine.
//
// The two that read a body read a few words of JSON, whose length is declared.

// adminBodyBytesMax is far above what there is to say.
const adminBodyBytesMax = 4096

// isAdmin says whether a request is for a route that reads an administrator's words.
func isAdmin(header *fasthttp.RequestHeader) bool {
	if !header.IsPost() {
		return false
	}
	path, _, _ := cut(header.RequestURI(), '?')
	return string(path) == reprocessPattern || string(path) == commitPattern
}

// fromOperator says whether a request that has found an administrator's route may use
// it.
func (r *request) fromOperator() error {
	err := r.checkOperator()
	if err != nil && r.ctx.Request.Header.ContentLength() != 0 {
		r.lingerAfter() // Its body is not read.
	}
	return err
}

func (r *request) checkOperator() error {
	if err := r.fromHere(); err != nil {
		return err
	}
	switch {
	case r.grant != nil: // Of the listener that asks everybody.
		return nil
	case r.local():
		return nil
	case r.server.guard != nil: // The operators' listener asks those from elsewhere.
		return r.authorize(r.server.guard)
	}
	return refuse(codeForbidden, "Without a token this is answered to this machine alone, and to no proxy; give the server --token-file.")
}

// local says whether the request was made on this machine, as far as one can tell: a
// proxy on it, which may speak for anybody, says so in a header.
func (r *request) local() bool {
	header := &r.ctx.Request.Header
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if len(header.Peek(name)) > 0 {
			return false
		}
	}
	if _, tcp := r.ctx.RemoteAddr().(*net.TCPAddr); !tcp {
		return true // A socket file, whose owner and mode say who may.
	}
	return r.address().IsLoopback()
}

// operator says who an administrator is: a token has a name, and who may use a socket file
// owns this server's directory.
func (r *request) operator() string {
	if _, tcp := r.ctx.RemoteAddr().(*net.TCPAddr); r.grant == nil && !tcp {
		return audit.Operator
	}
	return r.source()
}

// words reads the JSON body of a request into a value, all of whose members are known.
// Without a body the value stays as it is.
func (r *request) words(into any) error {
	length := r.ctx.Request.Header.ContentLength()
	if r.closing { // It was cut off from its body; see headerReceived.
		return refuse(codeTooLarge, "The body must be JSON of at most %d bytes, with a Content-Length.", adminBodyBytesMax)
	}
	if length <= 0 {
		return nil
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r.server.newWire(r), body); err != nil {
		r.lingerAfter()
		return refuse(codeInvalidRequest, "The body could not be received.")
	}
	r.received = int64(length)
	if mediaType, _, _ := bytes.Cut(r.ctx.Request.Header.ContentType(), []byte(";")); string(bytes.TrimSpace(mediaType)) != "application/json" {
		return refuse(codeUnsupportedMediaType, "The body must be application/json.")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows it")
		}
	}
	if err != nil {
		return refuse(codeInvalidParameter, "The body is not the JSON that is expected here: %v.", err)
	}
	return nil
}

// answerJSON answers with what holds now and may not a moment later.
func (r *request) answerJSON(value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	r.setHeader(fasthttp.HeaderCacheControl, "no-store")
	return r.json(fasthttp.StatusOK, body)
}
