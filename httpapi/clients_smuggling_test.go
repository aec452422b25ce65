package httpapi_test

import (
	"fmt"
	"slices"
)

// smugglers send requests that two programs may see differently: as one, or as a
// request and a part of the next. Those with a framing of their own are answered once,
// refused, and hung up on; where a framing is merely odd, both readings have to be the
// same, and the request behind it is answered as itself.
func smugglers() (list []badClient) {
	const body = "0\r\n\r\n" + smuggled
	post := func(fields string) string { return typed + fields + "\r\n" + body }
	both := func(coding string) string {
		return post(fmt.Sprintf("Content-Length: %d\r\n%s\r\n", len(body), coding))
	}
	refused := map[string]string{
		// Transfer-Encoding that another program overlooks, or sees where there is none.
		"length and chunked":               both("Transfer-Encoding: chunked"),
		"chunked in capitals":              both("TRANSFER-ENCODING: CHUNKED"),
		"chunked after a tab":              both("Transfer-Encoding:\tchunked"),
		"chunked with a blank before":      both("Transfer-Encoding : chunked"),
		"chunked with a tab before":        both("Transfer-Encoding\t: chunked"),
		"chunked in a folded line":         both("Transfer-Encoding:\r\n chunked"),
		"chunked with a vertical tab":      both("Transfer-Encoding: \x0bchunked"),
		"chunked with a NUL":               both("Transfer-Encoding: chunked\x00"),
		"chunked in quotes":                both(`Transfer-Encoding: "chunked"`),
		"chunked with a parameter":         both("Transfer-Encoding: chunked;x=y"),
		"chunked and identity":             both("Transfer-Encoding: chunked, identity"),
		"identity and chunked":             both("Transfer-Encoding: identity, chunked"),
		"gzip and chunked":                 both("Transfer-Encoding: gzip, chunked"),
		"chunked and chunked":              both("Transfer-Encoding: chunked, chunked"),
		"chunked twice":                    both("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
		"chunked and then identity":        both("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
		"xchunked":                         both("Transfer-Encoding: xchunked"),
		"an empty transfer coding":         both("Transfer-Encoding:"),
		"identity":                         both("Transfer-Encoding: identity"),
		"chunked behind a bare line feed":  both("X: y\nTransfer-Encoding: chunked"),
		"chunked behind a carriage return": both("X: y\rTransfer-Encoding: chunked"),
		"chunked behind a NUL":             both("X: y\x00\r\nTransfer-Encoding: chunked"),
		"a field name with a NUL":          post("Transfer\x00Encoding: chunked\r\nContent-Length: 1\r\n"),
		"chunked in HTTP 1.0":              "POST /import HTTP/1.0\r\nContent-Type: text/xml+markr\r\nTransfer-Encoding: chunked\r\n\r\n" + body,
		// Lengths that another program reads as another number.
		"two lengths":                       post("Content-Length: 5\r\nContent-Length: 5\r\n"),
		"two different lengths":             post(fmt.Sprintf("Content-Length: 5\r\nContent-Length: %d\r\n", len(body))),
		"a list of lengths":                 post("Content-Length: 5, 5\r\n"),
		"a signed length":                   post("Content-Length: +5\r\n"),
		"a negative length":                 post("Content-Length: -5\r\n"),
		"a length with a prefix":            post("Content-Length: 0x5\r\n"),
		"a length with a blank inside":      post("Content-Length: 5 5\r\n"),
		"a length with a vertical tab":      post("Content-Length: 5\x0b\r\n"),
		"a length with a fraction":          post("Content-Length: 5.0\r\n"),
		"an empty length":                   post("Content-Length:\r\n"),
		"an overflowing length":             post("Content-Length: 99999999999999999999\r\n"),
		"a length that overflows to 5":      post("Content-Length: 18446744073709551621\r\n"),
		"a length with a blank before":      post("Content-Length : 5\r\n"),
		"a length behind a bare line feed":  post("X: y\nContent-Length: 5\r\n"),
		"a length behind a carriage return": post("X: y\rContent-Length: 5\r\n"),
		"a length in a folded line":         post("X: y\r\n Content-Length: 5\r\n"),
		// Requests that begin or end elsewhere.
		"a blank before the request":         " " + ask + smuggled,
		"two blanks in the request line":     "GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled,
		"a tab in the request line":          "GET\t/livez HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled,
		"a version with more behind":         "GET /livez HTTP/1.1 x\r\nHost: x\r\n\r\n" + smuggled,
		"a version in small letters":         "GET /livez http/1.1\r\nHost: x\r\n\r\n" + smuggled,
		"a path with a NUL":                  "GET /livez\x00 HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled,
		"a header ended by carriage returns": "GET /livez HTTP/1.1\rHost: x\r\r" + smuggled,
	}
	// Those in which the core sees an import, which is then turned away by us. What it
	// cannot make a request of is not counted among the documents.
	understood := []string{
		"length and chunked", "chunked in capitals", "chunked after a tab", "chunked in a folded line",
		"chunked behind a bare line feed", "a length behind a bare line feed", "a length in a folded line",
		"identity",
	}
	for name, sends := range refused {
		c := badClient{name: name, sends: sends, want: "400", code: "invalid_request"}
		if slices.Contains(understood, name) {
			c.turned = c.code
		}
		list = append(list, c)
	}
	return append(list,
		badClient{name: "all lines end with a line feed", sends: "GET /livez HTTP/1.1\nHost: x\n\n" + smuggled, want: "200 200", open: true},
		badClient{name: "chunk extensions", sends: typed + "Transfer-Encoding: chunked\r\n\r\n4;x=\"smuggled\"\r\n<x/>\r\n0;y\r\n\r\n" + ask, want: "422 200", open: true},
		badClient{name: "leading zeros of a chunk size", sends: typed + "Transfer-Encoding: chunked\r\n\r\n0004\r\n<x/>\r\n000\r\n\r\n" + ask, want: "422 200", open: true},
		badClient{name: "a trailer with a length", sends: typed + "Transfer-Encoding: chunked\r\n\r\n4\r\n<x/>\r\n0\r\nContent-Length: 50\r\n\r\n" + smuggled, want: "400", code: "invalid_request", turned: "invalid_request"},
		badClient{name: "a length with blanks around", sends: typed + "Content-Length: \t 4 \t\r\n\r\n<x/>" + ask, want: "422 200", open: true},
		badClient{name: "a length with leading zeros", sends: typed + "Content-Length: 0004\r\n\r\n<x/>" + ask, want: "422 200", open: true},
		badClient{name: "an import without a length", sends: typed + "\r\n" + ask, want: "400 200", open: true},
		badClient{name: "a line end before the request", sends: "\r\n" + ask, want: "200", open: true},
		badClient{name: "a whole URL in the request line", sends: "GET http://smuggled/livez HTTP/1.1\r\nHost: x\r\n\r\n" + ask, want: "400 200", open: true},
		badClient{name: "encoded dots in the path", sends: "GET /x/..%2flivez HTTP/1.1\r\nHost: x\r\n\r\n" + ask, want: "404 200", open: true},
		badClient{name: "a fragment in the path", sends: "GET /livez#/../results HTTP/1.1\r\nHost: x\r\n\r\n" + ask, want: "400 200", open: true},
	)
}
