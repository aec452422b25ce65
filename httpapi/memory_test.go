package httpapi_test

import (
	"context"
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"markr/httpapi"
	"markr/wal"
)

// What one document may take: memoryFactor times its bytes, as decoded, and
// memoryConstant for what does not depend on them.
const (
	memoryFactor   = 4
	memoryConstant = 8 << 20
)

// TestMemoryOfOneDocument has documents of every form that costs more than its bytes:
// in many records, in none, in other encodings, compressed, without a length, and such
// as cannot be compressed. The vault is on disk, so that what is kept is not counted.
// It measures the heap and so runs alone.
func TestMemoryOfOneDocument(t *testing.T) { //nolint:paralleltest // see above.
	const size = 12 << 20
	sheets := manySheets(size)
	random := newRandom(t)
	noise := make([]byte, size)
	for i := range noise {
		noise[i] = " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+"[random.IntN(64)]
	}
	anything := make([]byte, 17<<20) // just more than a buffer holds that grows by itself
	for i := range anything {
		anything[i] = byte(random.Uint32())
	}
	comment := document(sheet("memory", "1", 1, 2)) + "<!-- " + string(noise) + " -->"
	declared := func(encoding, text string) string {
		return `<?xml version="1.0" encoding="` + encoding + `"?>` + text
	}
	filled := func(filling string) string {
		return document(strings.Replace(sheet("memory", "2", 1, 2), "Jane", strings.Repeat(filling, size/len(filling)), 1))
	}
	for _, c := range []memoryCase{
		{name: "many records", body: sheets, status: 200},
		{name: "many records chunked", body: sheets, chunked: true, status: 200},
		{name: "many records one of which is bad", body: strings.Replace(sheets, "</mcq-test-results>", sheet("memory", "1", 3, 2)+"</mcq-test-results>", 1), status: 422},
		{name: "many records gzip", body: string(bodyCodings["gzip"](t, sheets)), coding: "gzip", decoded: len(sheets), status: 200},
		{name: "many records deflate", body: string(bodyCodings["deflate"](t, sheets)), coding: "deflate", decoded: len(sheets), status: 200},
		{name: "many records zstd", body: string(bodyCodings["zstd"](t, sheets)), coding: "zstd", decoded: len(sheets), status: 200},
		{name: "many records in UTF-16", body: inUTF16(sheets[:len(sheets)/2] + "-->"), status: 400},
		{name: "noise", body: comment, status: 200},
		{name: "noise chunked", body: comment, chunked: true, status: 200},
		{name: "noise zstd", body: string(bodyCodings["zstd"](t, comment)), coding: "zstd", decoded: len(comment), status: 200},
		{name: "noise that is no document", body: string(noise), status: 400},
		{name: "spaces", body: document(sheet("memory", "3", 1, 2)) + strings.Repeat(" ", size), status: 200},
		{name: "bytes chunked", body: string(anything), chunked: true, status: 400},
		{name: "windows-1252 full of euros chunked", body: declared("windows-1252", filled("\x80")+"<!--"+strings.Repeat("\x80", 5<<20)+"-->"), chunked: true, status: 200},
		{name: "windows-1252 with euros for ids", body: declared("windows-1252", sheetsOfEuros(size)), status: 200},
		{name: "windows-1252 full of euros", body: declared("windows-1252", filled("\x80")), status: 200},
		{name: "ISO-8859-1 full of umlauts", body: declared("ISO-8859-1", filled("\xe4\xf6\xfc")), status: 200},
		{name: "UTF-16 full of wide characters", body: inUTF16(filled("中")), status: 200},
		{name: "UTF-16 of ASCII", body: inUTF16(filled("x")), status: 200},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			vault, err := wal.Open(wal.Options{Dir: t.TempDir(), FreeBytesMin: -1})
			if err != nil {
				t.Fatal(err)
			}
			b := newBorderOn(t, vault, func(opts *httpapi.Options) { opts.Logger = nil })
			if err := b.engine.WaitReady(context.Background()); err != nil {
				t.Fatal(err)
			}
			b.post(t, document(sheet("warm", "1", 1, 2))).want(t, 200)
			request := []byte(c.request())
			before := heapBytes()
			var peak atomic.Uint64
			stop := watchLive(&peak)
			s := dial(t, b.address)
			if _, err := s.Write(request); err != nil {
				t.Log(err) // it may have heard enough
			}
			got := s.answer("POST")
			stop()
			got.want(t, c.status)
			input := max(c.decoded, len(c.body))
			grown, most := int64(peak.Load())-int64(before), int64(memoryFactor*input+memoryConstant)
			t.Logf("%.2f times the document of %d bytes and 8 MiB", float64(grown-memoryConstant)/float64(input), input)
			if grown > most {
				t.Errorf("the heap grew by %d bytes for a document of %d, and may by %d", grown, input, most)
			}
		})
	}
}

// sheetsOfEuros is a document whose ids are as long as they may be in UTF-8, in
// windows-1252, where they are a third of that.
func sheetsOfEuros(size int) string {
	var b strings.Builder
	b.WriteString("<mcq-test-results>")
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "<mcq-test-result><student-number>%06d%s</student-number><test-id>%s</test-id>"+
			"<summary-marks available='2' obtained='1'/></mcq-test-result>", i, strings.Repeat("\x80", 80), strings.Repeat("\x80", 85))
	}
	b.WriteString("</mcq-test-results>")
	return b.String()
}

// memoryCase is a document of a form, and its answer.
type memoryCase struct {
	name, body, coding string
	chunked            bool
	decoded            int // bytes; 0: those of body
	status             int
}

// request is the import of the document.
func (c *memoryCase) request() string {
	header := typed
	if c.coding != "" {
		header += "Content-Encoding: " + c.coding + "\r\n"
	}
	if c.chunked {
		return header + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(c.body), c.body)
	}
	return header + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(c.body), c.body)
}

// watchLive keeps the most that was ever held in peak until it is stopped: what the
// collector has found to be in use, and not what it has left lying about. It collects
// all the time meanwhile.
func watchLive(peak *atomic.Uint64) (stop func()) {
	percent := debug.SetGCPercent(5)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for {
			metrics.Read(live)
			peak.Store(max(peak.Load(), live[0].Value.Uint64()))
			select {
			case <-end:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() { close(end); <-ended; debug.SetGCPercent(percent) }
}

// manySheets is a document of many short records.
func manySheets(size int) string {
	var b strings.Builder
	b.WriteString("<mcq-test-results>")
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `<mcq-test-result><student-number>%d</student-number><test-id>memory</test-id>`+
			`<summary-marks available="2" obtained="1"/></mcq-test-result>`, i)
	}
	b.WriteString("</mcq-test-results>")
	return b.String()
}
