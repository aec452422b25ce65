package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// What documents are sent as: what a scanner says it sends, and tables.
const (
	mediaType      = "text/xml+markr"
	mediaTypeTable = "text/csv"
)

// Retries start quickly, because a server that restarts is back within a second,
// and slow down so that many waiting senders do not keep it down.
const (
	retryFirst = 100 * time.Millisecond
	retryMax   = 5 * time.Second
)

// expectContinueBytes is the size from which on the server is asked before a body
// is sent: a body over the limit is then refused without travelling.
const expectContinueBytes = 1 << 20

// sender delivers documents to one server.
type sender struct {
	client   *client
	retryFor time.Duration
	to       []string // the path that documents are posted to
	sendAs   string   // every document; empty: what its name says
	stderr   io.Writer
	waiting  sync.Once // says once that it is waiting, not once per document
}

// newSender makes a sender of documents, or of a correction of a refused import.
func newSender(c *client, o *importOptions, stderr io.Writer) *sender {
	s := &sender{client: c, retryFor: o.retryFor, sendAs: o.sendAs, stderr: stderr, to: []string{"import"}}
	if o.corrects != "" {
		s.to = []string{"imports", o.corrects, "corrections"}
	}
	return s
}

// importID says whether a text is an import id.
func importID(text string) error {
	if _, err := uuid.Parse(text); err != nil {
		return fmt.Errorf("%q is no import id", text)
	}
	return nil
}

// typeOf is the content type of a document.
func (s *sender) typeOf(name string) string {
	switch {
	case s.sendAs != "":
		return s.sendAs
	case strings.EqualFold(filepath.Ext(name), ".csv"):
		return mediaTypeTable
	}
	return mediaType
}

// receipt is the server's answer to an accepted document, as far as it is shown.
type receipt struct {
	ImportID      string  `json:"import_id"`
	Records       int     `json:"records"`
	StudentsAdded int     `json:"students_added"`
	MarksRaised   int     `json:"marks_raised"`
	Unchanged     int     `json:"unchanged"`
	DuplicateOf   *string `json:"duplicate_of"`
}

// result is what became of a document.
type result struct {
	name    string
	retried bool    // it was no file
	answer  answer  // status 0 when there was none
	receipt receipt // when it was accepted
	err     error   // why not, otherwise
}

// ends says whether the others need not be tried: their fate would be the same.
func (r result) ends() bool { return r.err != nil && !errors.Is(r.err, errRefused) }

// text tells it to a person.
func (r result) text() string {
	switch {
	case errors.Is(r.err, errRefused):
		return "refused, " + r.err.Error()
	case r.receipt.DuplicateOf != nil:
		return fmt.Sprintf("accepted, the same bytes as import %s: nothing changed", *r.receipt.DuplicateOf)
	}
	return fmt.Sprintf("accepted, %s: %s added, %d marks raised, %d unchanged (import %s)",
		counted(r.receipt.Records, "record"), counted(r.receipt.StudentsAdded, "student"), r.receipt.MarksRaised, r.receipt.Unchanged, r.receipt.ImportID)
}

// resultJSON tells it to a program.
type resultJSON struct {
	File    string          `json:"file,omitempty"`
	Retries string          `json:"retries,omitempty"` // the import that was tried again, instead of a file
	Status  int             `json:"status"`            // HTTP status, 0 when there was no answer
	Answer  json.RawMessage `json:"answer,omitempty"`  // the server's, unchanged
	Error   string          `json:"error,omitempty"`   // when there was none
}

func (r result) json() resultJSON {
	wire := resultJSON{File: r.name, Status: r.answer.status}
	if r.retried {
		wire.File, wire.Retries = "", r.name
	}
	if json.Valid(r.answer.body) {
		wire.Answer = r.answer.body
	} else if r.err != nil {
		wire.Error = r.err.Error()
	}
	return wire
}

// send delivers a document, again and again while that may help.
func (s *sender) send(ctx context.Context, d document) result {
	started := time.Now()
	for pause := retryFirst; ; pause = min(2*pause, retryMax) {
		r := s.sendOnce(ctx, d)
		if !errors.Is(r.err, errUnreachable) {
			return r
		}
		wait := max(pause, r.answer.retryAfter)
		if time.Since(started)+wait > s.retryFor {
			return r
		}
		s.waiting.Do(func() {
			note(s.stderr, "markr: %v; trying again for %v", r.err, s.retryFor)
		})
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return result{name: d.name, err: ctx.Err()}
		}
	}
}

// sendOnce posts a document and sorts the answer: accepted, refused for good, or
// worth another try.
func (s *sender) sendOnce(ctx context.Context, d document) result {
	r := result{name: d.name, retried: d.to != nil}
	body, size, err := d.open()
	if err != nil {
		r.err = err
		return r
	}
	defer body.Close() //nolint:errcheck // It was only read.
	to := s.to
	if d.to != nil {
		to = d.to
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.client.url(nil, to...), body)
	if err != nil {
		r.err = err
		return r
	}
	request.ContentLength = size
	if size != 0 || d.to == nil {
		request.Header.Set("Content-Type", s.typeOf(d.name))
	}
	if size > expectContinueBytes {
		request.Header.Set("Expect", "100-continue")
	}
	if r.answer, r.err = s.client.do(request); r.err != nil {
		return r
	}
	switch status := r.answer.status; {
	case status == http.StatusOK:
		if err := json.Unmarshal(r.answer.body, &r.receipt); err != nil || r.receipt.ImportID == "" {
			r.err = withHint(fmt.Errorf("%s: status 200 without a receipt", s.client.base), "is this a Markr server?")
		}
	case isRefusal(status), d.to != nil && (status == http.StatusNotFound || status == http.StatusConflict):
		p := readProblem(r.answer)
		// The detail says record, line and reason to somebody with the paper in
		// hand.
		r.err = &kindError{fmt.Errorf("%s: %w", cmp.Or(p.Code, http.StatusText(p.Status)), p), errRefused}
	default:
		r.err = s.client.failure(r.answer)
	}
	return r
}

// isRefusal says whether a status is about the document: it would be the same again.
func isRefusal(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// memoryDocument is one that is in memory.
func memoryDocument(name string, body []byte) document {
	return document{name: name, open: func() (io.ReadCloser, int64, error) {
		return io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	}}
}

// stdinDocument reads standard input once and can then be sent again.
func stdinDocument(stdin io.Reader) document {
	read := sync.OnceValues(func() ([]byte, error) {
		raw, err := io.ReadAll(io.LimitReader(stdin, stdinBytesMax+1))
		if err == nil && len(raw) > stdinBytesMax {
			err = fmt.Errorf("standard input is longer than %s", formatSize(stdinBytesMax))
		}
		return raw, err
	})
	return document{name: "-", open: func() (io.ReadCloser, int64, error) {
		raw, err := read()
		return io.NopCloser(bytes.NewReader(raw)), int64(len(raw)), err
	}}
}
