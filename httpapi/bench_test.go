package httpapi_test

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"markr/httpapi"
)

// BenchmarkRequests compares what our handlers take with a fasthttp server that
// does nothing, over the same connections: one a processor, answers included.
func BenchmarkRequests(b *testing.B) {
	markr := newBorder(b, func(opts *httpapi.Options) { opts.Logger = nil })
	sheets := make([]string, 100)
	for i := range sheets {
		sheets[i] = sheet("bench", fmt.Sprint(i), i%21, 20)
	}
	body := document(sheets...)
	markr.post(b, body).want(b, 200)
	const aggregate = "/results/bench/aggregate"
	length := len(markr.get(b, aggregate).want(b, 200).body)

	b.Run("server=empty", func(b *testing.B) {
		answer := []byte(strings.Repeat("x", length))
		empty := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBody(answer) }}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		go func() { _ = empty.Serve(ln) }()
		defer func() { _ = empty.Shutdown() }()
		repeat(b, ln.Addr().String(), get(aggregate), 200)
	})
	b.Run("server=markr/route=aggregate", func(b *testing.B) { repeat(b, markr.address, get(aggregate), 200) })
	b.Run("server=markr/route=livez", func(b *testing.B) { repeat(b, markr.address, get("/livez"), 200) })
	b.Run("server=markr/route=unknown", func(b *testing.B) { repeat(b, markr.address, get("/nothing"), 404) })
	b.Run("server=markr/route=import", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		repeat(b, markr.address, typed+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body), 200)
	})
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }

// repeat sends a request again and again over one connection a processor.
func repeat(b *testing.B, address, request string, status int) {
	b.Helper()
	b.ReportAllocs()
	text := []byte(request)
	b.RunParallel(func(pb *testing.PB) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		buffer := make([]byte, 4096)
		for pb.Next() {
			if _, err := c.Write(text); err != nil {
				b.Error(err)
				return
			}
			if got, err := skipAnswer(c, buffer); err != nil || got != status {
				b.Errorf("status %d: %v", got, err)
				return
			}
		}
	})
}

// skipAnswer reads one short answer, as cheaply as can be: the benchmark is about
// the server.
func skipAnswer(c net.Conn, buffer []byte) (status int, err error) {
	for n := 0; ; {
		more, err := c.Read(buffer[n:])
		if err != nil {
			return 0, err
		}
		n += more
		header, body, complete := bytes.Cut(buffer[:n], []byte("\r\n\r\n"))
		if !complete {
			continue
		}
		_, rest, _ := bytes.Cut(header, []byte("\r\nContent-Length: "))
		line, _, _ := bytes.Cut(rest, []byte("\r\n"))
		if length := number(line); len(body) == length {
			return number(header[len("HTTP/1.1 "):][:3]), nil
		}
	}
}

func number(digits []byte) int {
	n := 0
	for _, digit := range digits {
		n = n*10 + int(digit-'0')
	}
	return n
}
