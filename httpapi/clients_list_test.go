package httpapi_test

import (
	"fmt"
	"slices"
	"strings"

	"markr/httpapi"
)

// What the clients of the lists send.
const (
	ask = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
	// smuggled is a request that is never to be answered.
	smuggled = "GET /problems/not_found HTTP/1.1\r\nHost: smuggled\r\n\r\n"
)

// badClients are all lists.
func badClients() []badClient {
	return slices.Concat(slowClients(), lostClients(), clientsOfBadRequests(), clientsRefusedByHeader(),
		clientsOfBadBodies(), clientsOfUnreadBodies(), smugglers())
}

// slowClients are cut off, with an answer where there is somebody to answer.
func slowClients() []badClient {
	const late, chunked = "request_timeout", "Transfer-Encoding: chunked\r\n\r\n"
	return []badClient{
		{name: "silence", want: "408", code: late},
		{name: "silence after a request", sends: "GET /livez HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", want: "200"},
		{name: "a header drips in", sends: "GET / HTTP/1.1\r\nHost: x\r\n", drips: "X: y\r\n", want: "408", code: late},
		{name: "a request line drips in", sends: "GET /", drips: "x", want: "408", code: late},
		{name: "a header stops", sends: "GET / HTTP/1.1\r\nHost: x\r\n", want: "408", code: late},
		{name: "a second header stops", sends: ask + "GET / HTTP/1.1\r\nHost: x\r\n", want: "200 408", code: late},
		{name: "a body never begins", sends: typed + "Content-Length: 1000\r\n\r\n", want: "408", code: late},
		{name: "a body drips in", sends: typed + "Content-Length: 1000\r\n\r\n", drips: "<", want: "408", code: late, turned: late},
		{name: "a body stops", sends: typed + "Content-Length: 1000\r\n\r\n<mcq", want: "408", code: late, turned: late},
		{name: "chunks never begin", sends: typed + chunked, want: "408", code: late, turned: late},
		{name: "chunks drip in", sends: typed + chunked, drips: "1\r\n<\r\n", want: "408", code: late, turned: late},
		{name: "a chunk drips in", sends: typed + chunked + "1000\r\n", drips: "<", want: "408", code: late, turned: late},
		{name: "a chunk size drips in", sends: typed + chunked + "1", drips: ";x", want: "408", code: late, turned: late},
		{name: "trailers drip in", sends: typed + chunked + "0\r\n", drips: "X: y\r\n", want: "408", code: late, turned: late},
		{name: "a gzip body drips in", sends: typed + "Content-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x00", drips: "x", want: "408", code: late, turned: late},
		{name: "continue and then silence", sends: typed + "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n", want: "100 408", code: late},
	}
}

// The tests that documents are about whose senders did not stay. Each is counted.
const testLeft, testReset, testShut = "left", "reset", "shut"

// lostClients go away, or lose their way back.
func lostClients() []badClient {
	good := document(sheet("cut", "1", 1, 2)) // which is never sent whole
	whole := func(test string) string { return imported(document(sheet(test, "1", 1, 2))) }
	chunked := fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(good), good)
	return []badClient{
		{name: "connects and leaves", then: leaves},
		{name: "leaves in the request line", sends: "GE", then: leaves, unheard: "400"},
		{name: "leaves in the header", sends: "GET / HTTP/1.1\r\nHost: x\r\n", then: leaves, unheard: "400"},
		{name: "leaves in the body", sends: typed + "Content-Length: 1000\r\n\r\n<mcq", then: leaves, unheard: "400", turned: "malformed_xml"},
		{name: "leaves in a chunk", sends: typed + "Transfer-Encoding: chunked\r\n\r\n1000\r\n<mcq", then: leaves, unheard: "400", turned: "invalid_request"},
		{name: "leaves between the import and the answer", sends: whole(testLeft), then: leaves},
		{name: "resets in the body", sends: typed + "Content-Length: 1000\r\n\r\n<mcq", then: resets, unheard: "400", turned: "invalid_request"},
		{name: "resets between the import and the answer", sends: whole(testReset), then: resets},
		{name: "resets behind a read", sends: ask, then: resets},
		{name: "half closes at once", then: shuts},
		{name: "nothing but line ends", sends: strings.Repeat("\r\n", 9000)},
		{name: "half closes in the header", sends: "GET / HTTP/1.1\r\nHost: x\r\n", then: shuts, want: "400", code: "invalid_request"},
		{name: "half closes in the body", sends: typed + "Content-Length: 1000\r\n\r\n" + good, then: shuts, want: "400", code: "malformed_xml", turned: "malformed_xml"},
		{name: "half closes before the last chunk", sends: typed + chunked, then: shuts, want: "400", code: "invalid_request", turned: "invalid_request"},
		{name: "half closes in a gzip body", sends: typed + "Content-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n\x1f\x8b\x08", then: shuts, want: "400", code: "malformed_xml", turned: "malformed_xml"},
		{name: "half closes behind a whole request", sends: whole(testShut), then: shuts, want: "200"},
		{name: "announces one byte too many", sends: typed + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(good)+1) + good, then: shuts, want: "400", code: "malformed_xml", turned: "malformed_xml"},
	}
}

// clientsOfBadRequests are answered by the server's core, and still with problems.
func clientsOfBadRequests() []badClient {
	const bad, long = "invalid_request", "header_too_large"
	seventeen := strings.Repeat("x", 17<<10)
	list := []badClient{
		{name: "no HTTP", sends: "smuggled\r\n\r\n"},
		{name: "TLS", sends: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"},
		{name: "HTTP 2", sends: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		{name: "HTTP 0.9", sends: "GET /\r\n\r\n"},
		{name: "no Host", sends: "GET / HTTP/1.1\r\n\r\n"},
		{name: "two Hosts", sends: "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
		{name: "a Host with a path", sends: "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
		{name: "a field without a name", sends: "GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n"},
		{name: "a line without a colon", sends: "GET / HTTP/1.1\r\nHost: a\r\nsmuggled\r\n\r\n"},
		{name: "a long request line", sends: "GET /" + seventeen + " HTTP/1.1\r\nHost: x\r\n\r\n", code: long},
		{name: "a long field", sends: "GET / HTTP/1.1\r\nHost: x\r\nX: " + seventeen + "\r\n\r\n", code: long},
		{name: "a long field name", sends: "GET / HTTP/1.1\r\nHost: x\r\n" + seventeen + ": y\r\n\r\n", code: long},
		{name: "101 fields", sends: "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 100) + "\r\n", code: long},
		{name: "endless fields", sends: "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 4000), code: long},
		{name: "100 fields", sends: "GET /livez HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 99) + "\r\n", want: "200", open: true},
		{name: "garbage behind a request", sends: ask + "smuggled\x00\xff\r\n\r\n", want: "200 400"},
		{name: "garbage behind an import", sends: imported("<x/>") + "\x00\x00\x00\x00\r\n\r\n", want: "422 400"},
	}
	for i := range list {
		c := &list[i]
		if c.code == "" && !c.open {
			c.code = bad
		}
		if c.want == "" {
			c.want = map[string]string{bad: "400", long: "431"}[c.code]
		}
	}
	return list
}

// clientsRefusedByHeader are answered at once, although most of the body never comes.
// A 100 Continue before that would be one answer too many.
func clientsRefusedByHeader() (list []badClient) {
	for _, c := range []struct{ name, header, want, code string }{
		{"4 GiB", typed + "Content-Length: 4294967296\r\n", "413", "too_large"},
		{"one byte over the limit", typed + "Content-Length: 33554433\r\n", "413", "too_large"},
		{"another content type", head + "Content-Type: text/plain\r\nContent-Length: 1000\r\n", "415", "unsupported_media_type"},
		{"no content type", head + "Content-Length: 1000\r\n", "415", "unsupported_media_type"},
		{"multipart", head + "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n", "415", "unsupported_media_type"},
		{"another content coding", typed + "Content-Encoding: br\r\nContent-Length: 1000\r\n", "415", "unsupported_media_type"},
		{"two content codings", typed + "Content-Encoding: gzip\r\nContent-Encoding: zstd\r\nContent-Length: 1000\r\n", "415", "unsupported_media_type"},
		{"both lengths", typed + "Content-Length: 1000\r\nTransfer-Encoding: chunked\r\n", "400", "invalid_request"},
		{"both lengths the other way", typed + "transfer-encoding: chunked\r\ncontent-length: 1000\r\n", "400", "invalid_request"},
		{"chunked and wrong type", head + "Transfer-Encoding: chunked\r\n", "415", "unsupported_media_type"},
	} {
		list = append(list,
			badClient{name: c.name, sends: c.header + "\r\n5\r\n<mcq", want: c.want, code: c.code, turned: c.code},
			badClient{name: c.name + " expecting", sends: c.header + "Expect: 100-continue\r\n\r\n", want: c.want, code: c.code, turned: c.code})
	}
	return list
}

// clientsOfBadBodies send bodies whose framing or coding is none.
func clientsOfBadBodies() []badClient {
	const bad, chunked = "invalid_request", "Transfer-Encoding: chunked\r\n\r\n"
	list := []badClient{
		{name: "a chunk size of letters", sends: typed + chunked + "xyz\r\n"},
		{name: "an empty chunk size", sends: typed + chunked + "\r\n"},
		{name: "a huge chunk size", sends: typed + chunked + "ffffffffffffffffffff\r\n"},
		{name: "a chunk size that overflows to 5", sends: typed + chunked + "10000000000000005\r\nsmugg\r\n0\r\n\r\n"},
		{name: "a signed chunk size", sends: typed + chunked + "+5\r\nsmugg\r\n0\r\n\r\n"},
		{name: "a negative chunk size", sends: typed + chunked + "-5\r\nsmugg\r\n0\r\n\r\n"},
		{name: "a chunk size with a prefix", sends: typed + chunked + "0x5\r\nsmugg\r\n0\r\n\r\n"},
		{name: "a chunk longer than its size", sends: typed + chunked + "1\r\nxyz\r\n0\r\n\r\n"},
		{name: "a chunk shorter than its size", sends: typed + chunked + "9\r\nsmugg\r\n0\r\n\r\n", then: shuts},
		{name: "a chunk size with a blank before", sends: typed + chunked + " 5\r\nsmugg\r\n0\r\n\r\n"},
		{name: "a bare line feed behind a chunk size", sends: typed + chunked + "5\nsmugg\r\n0\r\n\r\n"},
		{name: "a bare line feed in a chunk extension", sends: typed + chunked + "5;x\nsmugg\r\n0\r\n\r\n"},
		{name: "a bare line feed behind a chunk", sends: typed + chunked + "5\r\nsmugg\n0\r\n\r\n"},
		{name: "a bare carriage return behind a chunk size", sends: typed + chunked + "5\rsmugg\r\n0\r\n\r\n"},
		{name: "a broken trailer", sends: typed + chunked + "0\r\nsmuggled\r\n\r\n"},
		{name: "chunks over the limit", sends: typed + chunked + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", httpapi.BodyBytesMaxDefault+1, strings.Repeat(" ", httpapi.BodyBytesMaxDefault+1)), want: "413", code: "too_large"},
		{name: "a gzip body that is none", sends: typed + "Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\nsmuggled", code: "malformed_xml"},
	}
	for i := range list {
		c := &list[i]
		if c.code == "" {
			c.code = bad
		}
		if c.want == "" {
			c.want = "400"
		}
		c.turned = c.code
	}
	return list
}

// clientsOfUnreadBodies send bodies that nobody wants; none of them is the next
// request.
func clientsOfUnreadBodies() []badClient {
	long := strings.Repeat(smuggled, 10_000)
	length := func(body string) string {
		return fmt.Sprintf("Host: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	return []badClient{
		{name: "a body with GET", sends: "GET /livez HTTP/1.1\r\n" + length(smuggled), want: "200"},
		{name: "a long body with GET", sends: "GET /livez HTTP/1.1\r\n" + length(long), want: "200"},
		{name: "chunks with GET", sends: fmt.Sprintf("GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled), want: "200"},
		{name: "a body with HEAD", sends: "HEAD /livez HTTP/1.1\r\n" + length(smuggled), want: "200"},
		{name: "a body to no path", sends: "POST /nowhere HTTP/1.1\r\n" + length(smuggled), want: "404", code: "not_found"},
		{name: "a body with a wrong method", sends: "PUT /import HTTP/1.1\r\n" + length(smuggled), want: "405", code: "method_not_allowed"},
		{name: "a body of a wrong type", sends: "POST /import HTTP/1.1\r\n" + length(smuggled), want: "415", code: "unsupported_media_type", turned: "unsupported_media_type"},
		{name: "a long body of a wrong type", sends: "POST /import HTTP/1.1\r\n" + length(long), want: "415", code: "unsupported_media_type", turned: "unsupported_media_type"},
		{name: "a body longer than announced", sends: imported("<x/>") + smuggled, want: "422 200", open: true},
		{name: "a refused length and a request", sends: typed + "Content-Length: 4294967296\r\n\r\n" + smuggled, want: "413", code: "too_large", turned: "too_large"},
		{name: "a body that is refused and goes on", sends: typed + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(long)) + long, want: "400", code: "malformed_xml", turned: "malformed_xml"},
		{name: "chunks that are none and go on", sends: typed + "Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n" + smuggled, want: "400", code: "invalid_request", turned: "invalid_request"},
	}
}
