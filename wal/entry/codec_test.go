package entry_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"markr/wal/entry"
	"markr/wal/entry/delta"
)

// documents are of every kind a scanner or a hostile client may send.
func documents() map[string][]byte {
	noise := make([]byte, 300_000)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	return map[string][]byte{
		"empty": {},
		"byte":  []byte("<"),
		"short": []byte("<mcq-test-results></mcq-test-results>"),
		// A compressible document below 256 bytes: FuzzRaw found that its frame did
		// not state its size.
		"short-packed": []byte("0000000000000000000000000000000000000000"),
		"short-limit":  []byte(strings.Repeat("<a/>", 64)),
		"regular":      []byte(strings.Repeat("<mcq-test-result><student-number>002299</student-number></mcq-test-result>\n", 4000)),
		"noise":        noise,
		"zeros":        make([]byte, 8<<20),
	}
}

func TestSealRaw(t *testing.T) {
	t.Parallel()
	c := codec(t)
	for name, raw := range documents() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := bytes.Clone(raw)
			e := c.Seal(entry.Header{Outcome: entry.Accepted, Source: "here"}, raw)
			if e.Size != int64(len(kept)) || e.Source != "here" {
				t.Errorf("header %+v", e.Header)
			}
			// Only a document that goes into streams has their digest.
			if streamed := e.Body[0] == 3; streamed == (e.Digest == sha256.Sum256(kept)) {
				t.Errorf("codec %d, digest %x", e.Body[0], e.Digest)
			}
			if again := codec(t).Seal(entry.Header{}, kept); again.Digest != e.Digest {
				t.Errorf("another digest the next time: %x, %x", e.Digest, again.Digest)
			}
			if len(e.Body) > len(raw)+1 {
				t.Errorf("%d bytes became %d", len(raw), len(e.Body))
			}
			clear(raw) // Seal keeps nothing of it.
			for _, dst := range [][]byte{nil, make([]byte, 5, 10), make([]byte, 0, 1<<20)} {
				got, err := c.Raw(e, dst)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, kept) {
					t.Fatalf("%d bytes came back as %d others", len(kept), len(got))
				}
			}
		})
	}
}

// A body that is whole, but another document's of the same length, is not returned: the
// digest in the header is of one document only.
func TestRawOfAnother(t *testing.T) {
	t.Parallel()
	c := codec(t)
	for name, pair := range map[string][2]string{
		"as they are": {"one", "two"},
		"compressed":  {strings.Repeat("one ", 200), strings.Repeat("two ", 200)},
		"streams": {
			strings.Repeat("<mcq-test-result><student-number>002299</student-number></mcq-test-result>\n", 40),
			strings.Repeat("<mcq-test-result><student-number>002300</student-number></mcq-test-result>\n", 40),
		},
	} {
		one := c.Seal(entry.Header{Position: 9, Outcome: entry.Accepted}, []byte(pair[0]))
		two := c.Seal(entry.Header{Position: 9, Outcome: entry.Accepted}, []byte(pair[1]))
		if one.Body[0] != two.Body[0] {
			t.Fatalf("%s: kept in different ways", name)
		}
		one.Body = two.Body
		if raw, err := c.Raw(one, nil); !errors.Is(err, entry.ErrDamaged) {
			t.Errorf("%s: %q, %v", name, raw, err)
		}
	}
}

// A document that is written like what is hashed of another has another digest.
func TestDigestOfForgery(t *testing.T) {
	t.Parallel()
	c := codec(t)
	victim := documents()["regular"]
	digest := c.Seal(entry.Header{}, victim).Digest
	var s delta.Streams
	if !s.Parse(victim) {
		t.Fatal("it has no streams")
	}
	forged := []byte("delta 1\n")
	forged = binary.BigEndian.AppendUint64(forged, uint64(len(victim)))
	streams := [][]byte{s.Commands, s.Numbers, s.Singles, s.Texts}
	for _, stream := range streams {
		forged = binary.BigEndian.AppendUint64(forged, uint64(len(stream)))
	}
	forged = append(forged, bytes.Join(streams, nil)...)
	if sha256.Sum256(forged) != digest {
		t.Fatal("this is not what is hashed")
	}
	e := c.Seal(entry.Header{Outcome: entry.Accepted}, forged)
	if e.Digest == digest {
		t.Error("a document was written with the digest of another")
	}
	if raw, err := c.Raw(e, nil); err != nil || !bytes.Equal(raw, forged) {
		t.Errorf("it does not come back: %v", err)
	}
}

// Many goroutines share one codec, and each gets its own document back.
func TestCodecConcurrent(t *testing.T) {
	t.Parallel()
	c := codec(t)
	var all sync.WaitGroup
	for g := range 16 {
		all.Go(func() {
			var dst []byte
			for i := range 50 {
				raw := []byte(strings.Repeat(fmt.Sprintf("<goroutine>%d</goroutine><turn>%d</turn>", g, i), 1+i*20))
				got, err := c.Raw(c.Seal(entry.Header{}, raw), dst)
				if err != nil || !bytes.Equal(got, raw) {
					t.Errorf("goroutine %d turn %d: %d bytes, %v", g, i, len(got), err)
					return
				}
				dst = got
			}
		})
	}
	all.Wait()
}

// Whatever bit of a body changes, its document is not returned.
func TestBodyBitFlips(t *testing.T) {
	t.Parallel()
	c := codec(t)
	for _, raw := range [][]byte{[]byte("plain"), []byte(strings.Repeat("<answer>D</answer>", 100))} {
		e := c.Seal(entry.Header{Position: 9, Outcome: entry.Accepted}, raw)
		for i := range len(e.Body) * 8 {
			e.Body[i/8] ^= 1 << (i % 8)
			if got, err := c.Raw(e, nil); err == nil && !bytes.Equal(got, raw) {
				t.Fatalf("bit %d flipped: %q", i, got)
			}
			e.Body[i/8] ^= 1 << (i % 8)
		}
		for n := range e.Body {
			cut := &entry.Entry{Header: e.Header, Body: e.Body[:n]}
			if _, err := c.Raw(cut, nil); !errors.Is(err, entry.ErrDamaged) {
				t.Fatalf("cut to %d bytes: %v", n, err)
			}
		}
	}
}

// A body that stands for more than the header says, or than it can hold, is
// refused before memory is taken for it. (Not parallel: it measures allocation.)
func TestRawBounded(t *testing.T) {
	c := codec(t)
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := c.Seal(entry.Header{Position: 5, Outcome: entry.Accepted}, make([]byte, 64<<20))
	f := func(what string, e *entry.Entry) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := c.Raw(e, nil); !errors.Is(err, entry.ErrDamaged) {
			t.Fatalf("%s: %v", what, err)
		}
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 4<<20 {
			t.Errorf("%s: %d bytes allocated", what, allocated)
		}
	}
	with := func(size int64, body []byte) *entry.Entry {
		h := bomb.Header
		h.Size = size
		return &entry.Entry{Header: h, Body: body}
	}
	f("smaller in the header", with(1000, bomb.Body))
	f("larger in the header", with(entry.DocumentBytesMax, bomb.Body))
	f("negative", with(-1, bomb.Body))
	f("second frame", with(1000, encoder.EncodeAll(make([]byte, 64<<20), encoder.EncodeAll(make([]byte, 1000), []byte{2}))))
	// A frame header that promises a gigabyte in a dozen bytes.
	// The same in streams: the digest is looked at first.
	streamed := c.Seal(entry.Header{Position: 5, Outcome: entry.Accepted}, documents()["regular"])
	f("streams of another size", with(1<<30, streamed.Body))
	f("promise", with(1<<30, []byte{2, 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x40, 1, 0, 0}))
}

func TestRawOfDuplicate(t *testing.T) {
	t.Parallel()
	e := &entry.Entry{Header: full()}
	if _, err := codec(t).Raw(e, nil); !errors.Is(err, entry.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestBodyStored(t *testing.T) {
	t.Parallel()
	b := entry.AppendBody(nil, 7, []byte("body"))
	got, err := entry.DecodeBody(7, b)
	if err != nil || string(got) != "body" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := entry.DecodeBody(8, b); !errors.Is(err, entry.ErrDamaged) {
		t.Errorf("at another position: %v", err)
	}
	for i := range len(b) * 8 {
		b[i/8] ^= 1 << (i % 8)
		if _, err := entry.DecodeBody(7, b); !errors.Is(err, entry.ErrDamaged) {
			t.Errorf("bit %d flipped: %v", i, err)
		}
		b[i/8] ^= 1 << (i % 8)
	}
	for n := range b {
		if _, err := entry.DecodeBody(7, b[:n]); !errors.Is(err, entry.ErrDamaged) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

// sample is a real document of 100 records if it is there, else one like it.
func sample(tb testing.TB) []byte {
	tb.Helper()
	b, err := os.ReadFile("../../../shared/sample_results.xml")
	if err != nil {
		b = documents()["regular"]
	}
	return b
}

func BenchmarkSeal(b *testing.B) {
	c := codec(b)
	whole := sample(b)
	for _, n := range []int{1800, 17_000, len(whole)} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			raw := whole[:n]
			b.SetBytes(int64(n))
			b.ReportAllocs()
			var e *entry.Entry
			for b.Loop() {
				e = c.Seal(entry.Header{}, raw)
			}
			b.ReportMetric(float64(len(e.Body)), "stored-bytes")
		})
	}
}

func BenchmarkRaw(b *testing.B) {
	c := codec(b)
	whole := sample(b)
	for _, n := range []int{1800, 17_000, len(whole)} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			e := c.Seal(entry.Header{Outcome: entry.Accepted}, whole[:n])
			b.SetBytes(int64(n))
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				got, err := c.Raw(e, dst)
				if err != nil {
					b.Fatal(err)
				}
				dst = got
			}
			if !bytes.Equal(dst, whole[:n]) {
				b.Fatal("another document")
			}
		})
	}
}

func BenchmarkHeader(b *testing.B) {
	h := full()
	b.Run("op=append", func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			dst = entry.AppendHeader(dst[:0], &h, h.Chain)
		}
		b.SetBytes(int64(len(dst)))
	})
	b.Run("op=decode", func(b *testing.B) {
		stored := entry.AppendHeader(nil, &h, entry.Chain{})
		b.SetBytes(int64(len(stored)))
		b.ReportAllocs()
		var got entry.Header
		for b.Loop() {
			var err error
			if got, err = entry.DecodeHeader(h.Position, stored); err != nil {
				b.Fatal(err)
			}
		}
		if diff := cmp.Diff(h, got); diff != "" {
			b.Fatal(diff)
		}
	})
}
