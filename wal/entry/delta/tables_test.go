package delta_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/klauspost/compress/huff0"

	"markr/wal/entry/delta"
)

var writeTables = flag.Bool("tables", false, "write tables.go anew: another format")

// The shared tables are those of many short documents, with room for every byte
// that may occur. They are not made anew by a test, because they are part of the
// format; this one holds them to being good at what they are for.
func TestSharedTables(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	var streams [4]bytes.Buffer
	var s delta.Streams
	for range 300 {
		shape := tabs()
		if r.IntN(3) == 0 {
			shape = anyShape(r)
		}
		shape.folds = r.IntN(4) == 0
		if s.Parse(sheets(r, shape, 1+r.IntN(2))) {
			for kind, stream := range s.All() {
				streams[kind].Write(stream)
			}
		}
	}
	if *writeTables {
		trainTables(t, &streams)
		return
	}
	packer := newPacker(t)
	one := sheets(r, tabs(), 1)
	if !s.Parse(one) {
		t.Fatal("not parsed")
	}
	packed := packer.Append(nil, &s)
	plain := 0
	for _, stream := range s.All() {
		plain += len(stream)
	}
	t.Logf("a record of %d bytes: streams of %d, packed %d", len(one), plain, len(packed))
	if len(packed) > 100 {
		t.Errorf("a document of one record takes %d bytes", len(packed))
	}
}

func trainTables(t *testing.T, streams *[4]bytes.Buffer) {
	t.Helper()
	alphabets := [4]func(c int) bool{
		func(c int) bool { return c < 110 || c > 248 && c < 254 },
		func(c int) bool { return c < 192 },
		func(c int) bool { return c >= ' ' && c < 127 },
		func(c int) bool { return c == '\n' || c == '\r' || c == '\t' || c >= ' ' && c < 127 },
	}
	var text bytes.Buffer
	text.WriteString("package delta\n\n// sharedTables are the Huffman tables of short streams, by kind: commands, numbers,\n" +
		"// singles, texts. They are part of the format. TestSharedTables made them.\n//\n" +
		"//nolint:gochecknoglobals // A table, never written.\nvar sharedTables = [4]string{\n")
	for kind := range streams {
		data := streams[kind].Bytes()
		data = data[:min(len(data), 100<<10)]
		for c := range 256 {
			if alphabets[kind](c) {
				data = append(data, byte(c))
			}
		}
		scratch := &huff0.Scratch{Reuse: huff0.ReusePolicyNone, TableLog: 11}
		if _, _, err := huff0.Compress1X(data, scratch); err != nil {
			t.Fatal(kind, len(data), err)
		}
		t.Logf("kind %d: %d bytes to %d", kind, len(data), len(scratch.OutData))
		fmt.Fprintf(&text, "\t%q,\n", string(scratch.OutTable))
	}
	text.WriteString("}\n")
	if err := os.WriteFile("tables.go", text.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

func newPacker(tb testing.TB) *delta.Packer {
	tb.Helper()
	p, err := delta.NewPacker()
	if err != nil {
		tb.Fatal(err)
	}
	return p
}
