package httpapi_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"markr/wal/entry"
)

// stowaway is a request that is only ever sent within a body, and what an answer to it
// would be known by.
const (
	stowawayID = "smuggled-7f3a"
	stowaway   = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: " + stowawayID + "\r\n\r\n"
)

// FuzzPipeline sends two imports and a question, one behind the other on one connection.
// The first import is framed rightly, by its length or in chunks, and has header fields
// and parts of a body from the fuzzer; the body has a whole request in it. Whatever the
// fields are, no byte of a body is answered as a request, the answers come in order and
// parse, every import that is answered 200 is in the vault with the bytes that were sent,
// and all memory is given back.
func FuzzPipeline(f *testing.F) {
	for _, fields := range []string{
		"", "Expect: 100-continue", "Content-Length: 0", "Content-Length: 7", "Transfer-Encoding: chunked",
		"Transfer-Encoding: identity", "Transfer-Encoding : chunked", "Transfer-Encoding: gzip, chunked",
		"transfer-encoding: xchunked", "Content-Length : 5", "Content-Length: +5", " Content-Length: 3",
		"Content-Encoding: gzip", "Connection: close", "Connection: keep-alive, Content-Length", "Upgrade: h2c",
		"Content-Length: 5, 5", "Content_Length: 5", "X: y\x00Content-Length: 5", ":admission: 1", "Trailer: Content-Length",
	} {
		for _, way := range []byte{0, 1, 9} {
			f.Add(fields, []byte("<!-- -->"), way)
		}
	}
	f.Add("", []byte("not XML"), byte(0))
	f.Add("", []byte{}, byte(255))
	codec, err := entry.NewCodec()
	if err != nil {
		f.Fatal(err)
	}
	b := newFuzzed(f)
	f.Fuzz(func(t *testing.T, fields string, piece []byte, way byte) {
		// What ends a line would end the header and begin another request, by rights.
		fields = strings.NewReplacer("\r", "", "\n", "").Replace(fields)
		if len(fields)+len(piece) > 8<<10 {
			return
		}
		body := slices.Concat(piece, []byte(strings.Replace(document(sheet("p", "1", 1, 2)), "\n", "\n<!--"+stowaway+"-->", 1)))
		second := []byte(document(sheet("p", fmt.Sprint("s", way), 1, 2)))
		sent := slices.Concat(framed("first", fields, body, way), framed("second", "", second, way/16),
			[]byte("GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: third\r\n\r\n"))
		c := &script{in: bytes.NewReader(sent)}
		_ = b.ServeConn(c) // what it thinks of the connection is its own business
		answers, rest := answersOf(t, c.out.Bytes())
		if rest != "" {
			t.Fatalf("after %d answers: %q\nsent: %q", len(answers), rest, sent)
		}
		if len(answers) == 0 || len(answers) > 3 {
			t.Fatalf("%d answers to %q", len(answers), sent)
		}
		for i, a := range answers {
			ids, documents := []string{"first", "second", "third"}, [][]byte{body, second, nil}
			// The fuzzer may have named the first one otherwise.
			if id := a.Header.Get("X-Request-Id"); id == stowawayID || i > 0 && id != ids[i] {
				t.Fatalf("answer %d is to %q: %v %s\nsent: %q", i, id, a.Status, a.body, sent)
			}
			if a.StatusCode == http.StatusInternalServerError {
				t.Fatalf("answer %d: %v %s\nsent: %q", i, a.Status, a.body, sent)
			}
			if a.StatusCode == http.StatusOK && documents[i] != nil && !keptAs(t, b, codec, a.body, documents[i]) {
				t.Fatalf("answer %d names no import: %s\nsent: %q", i, a.body, sent)
			}
		}
		if held := b.HeldBytes(); held != 0 {
			t.Fatalf("%d bytes are still held after %q", held, sent)
		}
	})
}

// framed is an import with a request id and further header fields, framed by its length
// if way is even, and otherwise in chunks of about way bytes.
func framed(id, fields string, body []byte, way byte) []byte {
	head := "POST /import HTTP/1.1\r\nHost: x\r\nContent-Type: " + scannerType + "\r\nX-Request-Id: " + id + "\r\n"
	if fields != "" {
		fields += "\r\n"
	}
	if way%2 == 0 {
		return fmt.Appendf(nil, "%s%sContent-Length: %d\r\n\r\n%s", head, fields, len(body), body)
	}
	sent := fmt.Appendf(nil, "%s%sTransfer-Encoding: chunked\r\n\r\n", head, fields)
	for chunk := range slices.Chunk(body, int(way)) {
		sent = fmt.Appendf(sent, "%x\r\n%s\r\n", len(chunk), chunk)
	}
	return append(sent, "0\r\n\r\n"...)
}

// answersOf are the final answers in what a server has sent, none of which is to a HEAD,
// and what is left over.
func answersOf(t *testing.T, out []byte) (answers []reply, rest string) {
	t.Helper()
	reader := bufio.NewReader(bytes.NewReader(out))
	for {
		if _, err := reader.Peek(1); errors.Is(err, io.EOF) {
			return answers, ""
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			left, _ := io.ReadAll(reader)
			return answers, fmt.Sprintf("%v, before %q", err, left)
		}
		if response.StatusCode == http.StatusContinue {
			continue
		}
		answers = append(answers, read(t, response))
	}
}
