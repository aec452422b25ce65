package httpapi_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"markr/httpapi"
)

// BenchmarkBorder is what requests cost without the kernel, beside a fasthttp
// server that does nothing. Imports are of documents that are there already; most
// of what they cost is the engine's.
func BenchmarkBorder(b *testing.B) {
	markr := newBorder(b, func(opts *httpapi.Options) {
		opts.Logger = nil
		opts.Limits.RequestsPerConnectionMax = math.MaxInt
	})
	sheets := make([]string, 100)
	for i := range sheets {
		sheets[i] = sheet("bench", fmt.Sprint(i), i%21, 20)
	}
	small, usual := padded(1800, sheets[0]), padded(175_000, sheets...)
	markr.post(b, small).want(b, 200)
	markr.post(b, usual).want(b, 200)
	const aggregate = "/results/bench/aggregate"
	length := len(markr.get(b, aggregate).want(b, 200).body)
	answer := []byte(strings.Repeat("x", length))
	empty := &fasthttp.Server{MaxRequestBodySize: 64 << 20, Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("application/json")
		ctx.SetBody(answer)
	}}
	emptyListener := newMemoryListener()
	go func() { _ = empty.Serve(emptyListener) }()
	defer func() { _ = empty.Shutdown() }()
	for _, server := range []struct {
		name string
		ln   *memoryListener
	}{{"empty", emptyListener}, {"markr", markr.listenInMemory(b)}} {
		for _, c := range []struct{ name, request string }{
			{"route=aggregate", get(aggregate)},
			{"route=livez", get("/livez")},
			{"route=import/bytes=1800", imported(small)},
			{"route=import/bytes=175000", imported(usual)},
		} {
			b.Run("server="+server.name+"/"+c.name, func(b *testing.B) {
				b.ReportAllocs()
				if strings.HasPrefix(c.request, "POST") {
					b.SetBytes(int64(len(c.request)))
				}
				conn := newRepeater(c.request, b.N)
				b.ResetTimer()
				server.ln.conns <- conn
				<-conn.done
				if conn.answers != b.N || !bytes.HasPrefix(conn.last, []byte("HTTP/1.1 200 ")) {
					b.Fatalf("%d answers to %d requests, the last: %s", conn.answers, b.N, conn.last)
				}
			})
		}
	}
}

// imported is the request that imports a document.
func imported(body string) string {
	return typed + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

// padded is a document of so many bytes.
func padded(size int, sheets ...string) string {
	text := document(sheets...)
	return text + strings.Repeat(" ", size-len(text))
}
