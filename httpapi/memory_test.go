package httpapi_test

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"markr/engine/intake"
	"markr/engine/intake/markscsv"
	"markr/engine/intake/mcqxml"
	"markr/engine/intake/qtixml"
	"markr/httpapi"
	"markr/wal"
	"markr/wal/entry"
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
	cases := []memoryCase{
		{name: "many records", body: sheets, status: 200, waiting: 2.0},
		{name: "many records chunked", body: sheets, chunked: true, status: 200, waiting: 2.0, long: true},
		{name: "many records one of which is bad", body: strings.Replace(sheets, "</mcq-test-results>", sheet("memory", "1", 3, 2)+"</mcq-test-results>", 1), status: 422, waiting: 2.0, long: true},
		{name: "many records gzip", body: string(bodyCodings["gzip"](t, sheets)), coding: "gzip", decoded: len(sheets), status: 200, waiting: 2.0, long: true},
		{name: "many records deflate", body: string(bodyCodings["deflate"](t, sheets)), coding: "deflate", decoded: len(sheets), status: 200, waiting: 2.0, long: true},
		{name: "many records zstd", body: string(bodyCodings["zstd"](t, sheets)), coding: "zstd", decoded: len(sheets), status: 200, waiting: 2.0},
		{name: "many records in UTF-16", body: inUTF16(sheets[:len(sheets)/2] + "-->"), status: 400, waiting: 2.1, long: true},
		{name: "noise", body: comment, status: 200, waiting: 2.5},
		{name: "noise chunked", body: comment, chunked: true, status: 200, waiting: 2.5, long: true},
		{name: "noise zstd", body: string(bodyCodings["zstd"](t, comment)), coding: "zstd", decoded: len(comment), status: 200, waiting: 2.5},
		{name: "noise that is no document", body: string(noise), status: 400, waiting: 2.5, long: true},
		{name: "spaces", body: document(sheet("memory", "3", 1, 2)) + strings.Repeat(" ", size), status: 200, waiting: 1.5},
		{name: "bytes chunked", body: string(anything), chunked: true, status: 400, waiting: 2.4},
		{name: "windows-1252 full of euros chunked", body: declared("windows-1252", filled("\x80")+"<!--"+strings.Repeat("\x80", 5<<20)+"-->"), chunked: true, status: 200, waiting: 1.5},
		{name: "windows-1252 with euros for ids", body: declared("windows-1252", sheetsOfEuros(size)), status: 200, waiting: 3.7},
		{name: "windows-1252 full of euros", body: declared("windows-1252", filled("\x80")), status: 200, waiting: 1.5, long: true},
		{name: "ISO-8859-1 full of umlauts", body: declared("ISO-8859-1", filled("\xe4\xf6\xfc")), status: 200, waiting: 1.5},
		{name: "UTF-16 full of wide characters", body: inUTF16(filled("中")), status: 200, waiting: 1.6},
		{name: "UTF-16 of ASCII", body: inUTF16(filled("x")), status: 200, waiting: 1.3, long: true},
		{name: "table of many records", mediaType: "text/csv", body: manyRows(size, "memory"), status: 200, waiting: 2.2},
		{name: "table in windows-1252 full of euros", mediaType: "text/csv; charset=windows-1252", body: tableHeader + "memory,4,2,1," + strings.Repeat("\x80", size) + "\n", status: 200, waiting: 1.5},
		{name: "table in windows-1252 with euros for ids", mediaType: "text/csv; charset=windows-1252", body: manyRows(size, strings.Repeat("\x80", 85)), status: 200, waiting: 3.7},
		{name: "QTI full of euros", mediaType: "application/xml", body: declared("windows-1252", qtiResult("memory", "5", "<!--"+strings.Repeat("\x80", size)+"-->")), status: 200, waiting: 1.5},
		{name: "QTI in UTF-16", mediaType: "application/xml", body: inUTF16(qtiResult("memory", "6", "<!--"+strings.Repeat("中", size)+"-->")), status: 200, waiting: 1.3, long: true},
		{name: "QTI of many items", mediaType: "application/xml", body: qtiResult("memory", "7", manyItems(size, "")), status: 200, waiting: 1.7},
		{name: "QTI of items with long names", mediaType: "application/xml", body: qtiResult("memory", "8", manyItems(size, strings.Repeat("n", 200))), status: 200, waiting: 2.3},
	}
	for _, c := range cases {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			if c.long && !*long {
				t.Skip("with -long")
			}
			request := []byte(c.request())
			var over []string
			for range measurements {
				if over = c.measure(t, request); len(over) == 0 {
					break
				}
				t.Log(strings.Join(over, "; "))
			}
			// What the test holds is in the figures before and after: without this it would be
			// let go of in the middle, and be room for what the server holds.
			runtime.KeepAlive(request)
			runtime.KeepAlive(cases)
			for _, one := range over {
				t.Error(one)
			}
		})
	}
}

// measurements is how often a document may be measured that takes too much: what the
// collector has not got to yet is counted, too, and is never there each time.
const measurements = 3

// measure posts the document to a server of its own and says what it takes too much.
func (c *memoryCase) measure(t *testing.T, request []byte) (over []string) {
	t.Helper()
	vault, err := wal.Open(wal.Options{Dir: t.TempDir(), FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	log := &weighingLog{Vault: vault}
	b := newBorderReading(t, log, func(opts *httpapi.Options) { opts.Logger = nil },
		settling{mcqxml.New(intake.Limits{})}, settlingChooser{markscsv.New(intake.Limits{})}, settling{qtixml.New(intake.Limits{})})
	if err := b.engine.WaitReady(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.post(t, document(sheet("warm", "1", 1, 2))).want(t, 200)
	before := settledHeap()
	log.weigh.Store(true)
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
	waiting, grown := int64(log.live.Load())-int64(before), int64(peak.Load())-int64(before)
	t.Logf("%.2f times the document of %d bytes while it waits for the disk; at most %.2f times, and 8 MiB",
		float64(waiting)/float64(input), input, float64(grown-memoryConstant)/float64(input))
	if most := int64(c.waiting*float64(input)) + waitingConstant; waiting > most {
		over = append(over, fmt.Sprintf("%d bytes are held for a document of %d while it waits for the disk, and may be %d", waiting, input, most))
	}
	if most := int64(memoryFactor*input + memoryConstant); grown > most {
		over = append(over, fmt.Sprintf("the heap grew by %d bytes for a document of %d, and may by %d", grown, input, most))
	}
	return over
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
	mediaType          string // empty: a scanner's
	chunked            bool
	decoded            int // bytes; 0: those of body
	status             int
	long               bool // only with -long: another case is like it
	// waiting is how many times its bytes are held while it waits for the disk, which may
	// take long, at most: itself, what is stored, and its records.
	waiting float64
}

// waitingConstant is for what does not depend on the document.
const waitingConstant = 1 << 20

// settledHeap is what is in use when nothing more is let go of: what has a finalizer, or
// is in a pool, takes several collections.
func settledHeap() uint64 {
	const few = 64 << 10
	held := heapBytes()
	for same := 0; same < 3; {
		now := heapBytes()
		if same++; held > now+few {
			same = 0
		}
		held = min(held, now)
	}
	return held
}

// settling is a decoder before and after which the collector has its way: else what it has let go of
// would be counted together with what is made next, if a collection has begun before the
// one and ends after the other.
type settling struct{ intake.Decoder }

func (s settling) Decode(doc *intake.Document, raw []byte, charset string) error {
	runtime.GC()
	err := s.Decoder.Decode(doc, raw, charset)
	runtime.GC()
	return err
}

type settlingChooser struct{ intake.Chooser }

func (s settlingChooser) Choose(params map[string]string) (intake.Decoder, map[string]string, error) {
	d, kept, err := s.Chooser.Choose(params)
	return settling{d}, kept, err
}

// weighingLog finds out what is in use while a document waits for the disk, exactly:
// everybody who has to do with it waits here.
type weighingLog struct {
	*wal.Vault

	weigh atomic.Bool
	live  atomic.Uint64
}

func (l *weighingLog) Append(entries []*entry.Entry) error {
	if l.weigh.Load() {
		l.live.Store(settledHeap())
	}
	return l.Vault.Append(entries)
}

// request is the import of the document.
func (c *memoryCase) request() string {
	header := typed
	if c.mediaType != "" {
		header = head + "Content-Type: " + c.mediaType + "\r\n"
	}
	if c.coding != "" {
		header += "Content-Encoding: " + c.coding + "\r\n"
	}
	if c.chunked {
		return header + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(c.body), c.body)
	}
	return header + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(c.body), c.body)
}

// tableHeader is that of a table with a column that nobody reads.
const tableHeader = "test-id,student-number,available,obtained,remark\n"

// manyRows is a table of many short lines about a test.
func manyRows(size int, test string) string {
	var b strings.Builder
	b.WriteString(tableHeader)
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "%s,%d,2,1,some words that nobody reads and that make the line as long as those are that schools have who write remarks\n", test, i)
	}
	return b.String()
}

// manyItems are answers of a result of QTI whose names end alike.
func manyItems(size int, name string) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `<itemResult identifier="%d%s"><outcomeVariable identifier="SCORE"><value>1</value></outcomeVariable></itemResult>`, i, name)
	}
	return b.String()
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
