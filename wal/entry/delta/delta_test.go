package delta_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"markr/wal/entry/delta"
)

// roundTrip takes a text apart, packs, unpacks and puts together, and returns how
// long the body is; 0 if the text was given up.
func roundTrip(t *testing.T, packer *delta.Packer, text []byte) int {
	t.Helper()
	var s, unpacked delta.Streams
	kept := bytes.Clone(text)
	if !s.Parse(text) {
		return 0
	}
	identity := s.Identity(len(text))
	body := packer.Append(nil, &s)
	if err := packer.Unpack(&unpacked, body, len(text)); err != nil {
		t.Fatalf("unpack %d bytes: %v", len(text), err)
	}
	if unpacked.Identity(len(text)) != identity {
		t.Fatalf("the streams of %d bytes came back as others", len(text))
	}
	built := make([]byte, len(text))
	if err := unpacked.Build(built); err != nil {
		t.Fatalf("build %d bytes: %v\n%q", len(text), err, text[:min(len(text), 2000)])
	}
	if !bytes.Equal(built, kept) {
		at := 0
		for built[at] == kept[at] {
			at++
		}
		t.Fatalf("%d bytes differ from %d on: %q instead of %q", len(text), at, built[at:min(at+40, len(built))], kept[at:min(at+40, len(kept))])
	}
	return len(body)
}

// Documents of every shape, and what becomes of them under scissors and glue, come
// back to the byte.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	r := random(t)
	packer := newPacker(t)
	taken := 0
	for range 600 {
		text := sheets(r, anyShape(r), r.IntN(12))
		for range r.IntN(4) {
			text = mutate(r, text)
		}
		if roundTrip(t, packer, text) > 0 {
			taken++
		}
	}
	if taken < 300 {
		t.Errorf("only %d of 600 were worth while", taken)
	}
}

// mutate does to a text what scanners, networks and people do.
func mutate(r *rand.Rand, text []byte) []byte {
	if len(text) == 0 {
		return text
	}
	from := r.IntN(len(text))
	to := min(len(text), from+r.IntN(1+min(3000, len(text))))
	text = bytes.Clone(text)
	switch r.IntN(7) {
	case 0:
		return text[:from]
	case 1:
		return append(text[:from], text[to:]...)
	case 2:
		piece := bytes.Clone(text[from:to])
		return append(append(text[:to:to], piece...), text[to:]...)
	case 3:
		text[from] = byte(r.Uint32())
	case 4:
		for i := from; i < to; i += 1 + r.IntN(40) {
			text[i] = byte(r.Uint32())
		}
	case 5:
		return append(text[:from:from], append([]byte(fmt.Sprintf("<!-- %d -->", r.Uint64())), text[from:]...)...)
	case 6:
		return append(text[to:len(text):len(text)], text[:to]...)
	}
	return text
}

// Texts that are no documents are given up or come back.
func TestRoundTripOther(t *testing.T) {
	t.Parallel()
	r := random(t)
	packer := newPacker(t)
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	texts := [][]byte{
		nil, []byte("<"), noise, noise[:70], make([]byte, 3<<20), delta.Prototype(),
		delta.Prototype()[:delta.TextBytesMin-1], delta.Prototype()[:delta.TextBytesMin],
		bytes.Repeat([]byte("<"), 200_000), bytes.Repeat([]byte("<a b=\"c\">d</a>"), 30_000),
		bytes.Repeat([]byte("<mcq-test-result "), 20_000), bytes.Repeat([]byte("ab<"), 100_000),
		append(bytes.Repeat([]byte("x"), 100_000), bytes.Repeat([]byte("<y"), 100_000)...),
		bytes.Repeat(delta.Prototype(), 500),
	}
	for _, text := range texts {
		roundTrip(t, packer, text)
	}
	for range 3000 {
		alphabet := "<\"a> \n0"[:2+r.IntN(6)]
		text := make([]byte, r.IntN(3000))
		for i := range text {
			text[i] = alphabet[r.IntN(len(alphabet))]
		}
		roundTrip(t, packer, text)
	}
}

// The streams of a document are part of the format: documents are known by their
// digest. If this fails, every document would be new to every vault there is.
func TestIdentityPinned(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		records int
		want    string
	}{{1, "1c1534c1f7e41690310b4f4a49da4889d20de178f83e47b06ed0ca2b65fdd3f7"}, {100, "60856405909399f55b38d050ec14c828c93742d8d07630bf1dafeebb63aeb84f"}} {
		text := sheets(r, tabs(), c.records)
		var s delta.Streams
		if !s.Parse(text) {
			t.Fatal("not parsed")
		}
		identity := s.Identity(len(text))
		if got := hex.EncodeToString(identity[:]); got != c.want {
			t.Errorf("%d records: %s, want %s", c.records, got, c.want)
		}
	}
}

// The work is in proportion to the text, whatever the text: what is stored is
// bounded, and so is what is searched.
func TestGivenUpEarly(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 32<<20)
	r := random(t)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var s delta.Streams
	if s.Parse(noise) {
		t.Fatal("noise was taken")
	}
	if s.Cap() > len(noise) {
		t.Errorf("%d bytes of streams for a text of %d", s.Cap(), len(noise))
	}
}

// Bodies that are not what was packed are refused, or build another text; nothing
// else happens.
func TestDamaged(t *testing.T) {
	t.Parallel()
	r := random(t)
	packer := newPacker(t)
	text := sheets(r, tabs(), 3)
	var s delta.Streams
	if !s.Parse(text) {
		t.Fatal("not parsed")
	}
	identity := s.Identity(len(text))
	body := packer.Append(nil, &s)
	try := func(what string, body []byte) {
		t.Helper()
		built := make([]byte, len(text))
		err := packer.Unpack(&s, body, len(text))
		if err == nil && s.Identity(len(text)) == identity {
			t.Errorf("%s: not noticed", what)
		}
		if err == nil {
			err = s.Build(built)
		}
		if err != nil && !errors.Is(err, delta.ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range body {
		try(fmt.Sprintf("cut after %d", i), body[:i])
		for bit := range 8 {
			changed := bytes.Clone(body)
			changed[i] ^= 1 << bit
			// A bit of a table that no symbol uses changes nothing.
			if packer.Unpack(&s, changed, len(text)) == nil && s.Identity(len(text)) == identity {
				continue
			}
			try(fmt.Sprintf("bit %d of byte %d", bit, i), changed)
		}
	}
}

func FuzzBuild(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 5))
	packer := newPacker(f)
	for range 4 {
		text := sheets(r, anyShape(r), 1+r.IntN(2))
		var s delta.Streams
		if s.Parse(text) {
			f.Add(packer.Append(nil, &s), len(text))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, size int) {
		if size < 0 || size > 1<<20 {
			return
		}
		var s delta.Streams
		if err := newPacker(t).Unpack(&s, body, size); err != nil {
			return
		}
		if s.Cap() > 8*(4<<10+size) {
			t.Fatalf("%d bytes of streams for a text of %d", s.Cap(), size)
		}
		if err := s.Build(make([]byte, size)); err != nil && !errors.Is(err, delta.ErrDamaged) {
			t.Fatal(err)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 6 {
		f.Add(sheets(r, anyShape(r), 1+r.IntN(2)))
	}
	packer := newPacker(f)
	f.Fuzz(func(t *testing.T, text []byte) { roundTrip(t, packer, text) })
}

// texts are what the benchmarks are about: real scanner output if it is there.
func texts(tb testing.TB) map[string][]byte {
	tb.Helper()
	r := rand.New(rand.NewPCG(3, 3))
	all := map[string][]byte{
		"records=1": sheets(r, tabs(), 1), "records=10": sheets(r, tabs(), 10), "records=100": sheets(r, tabs(), 100),
	}
	noise := make([]byte, 170_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	all["text=noise"] = noise
	if sample, err := os.ReadFile("../../../../shared/sample_results.xml"); err == nil {
		all["text=sample"] = sample
	}
	return all
}

// BenchmarkPack measures what a body costs, beside the general compressors.
func BenchmarkPack(b *testing.B) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
	if err != nil {
		b.Fatal(err)
	}
	packer := newPacker(b)
	var s delta.Streams
	for name, text := range texts(b) {
		for _, c := range []struct {
			name string
			pack func(dst []byte) []byte
		}{
			{"delta", func(dst []byte) []byte {
				if !s.Parse(text) {
					return append(dst, text...)
				}
				return packer.Append(dst, &s)
			}},
			{"zstd", func(dst []byte) []byte { return encoder.EncodeAll(text, dst) }},
			{"s2", func(dst []byte) []byte { return s2.Encode(dst[:cap(dst)], text) }},
		} {
			b.Run(name+"/by="+c.name, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				dst := make([]byte, 0, s2.MaxEncodedLen(len(text)))
				n := 0
				for b.Loop() {
					n = len(c.pack(dst))
				}
				b.ReportMetric(float64(n), "packed-bytes")
				b.ReportMetric(float64(len(text))/float64(n), "ratio")
			})
		}
	}
}

// BenchmarkUnpack measures what reading a document back costs.
func BenchmarkUnpack(b *testing.B) {
	packer := newPacker(b)
	for name, text := range texts(b) {
		var s delta.Streams
		if !s.Parse(text) {
			continue
		}
		body := packer.Append(nil, &s)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			built := make([]byte, len(text))
			for b.Loop() {
				if err := packer.Unpack(&s, body, len(text)); err != nil {
					b.Fatal(err)
				}
				if err := s.Build(built); err != nil {
					b.Fatal(err)
				}
			}
			if !bytes.Equal(built, text) {
				b.Fatal("another text")
			}
		})
	}
}
