package wal_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"markr/wal"
	"markr/wal/entry"
)

// sealed makes entries whose bodies are stored as they are, so that their length
// is exact: what an append costs does not depend on what is in a body.
func sealed(tb testing.TB, n, bodyBytes int, seed uint64) []*entry.Entry {
	tb.Helper()
	codec, err := entry.NewCodec()
	if err != nil {
		tb.Fatal(err)
	}
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 1})
	entries := make([]*entry.Entry, n)
	for i := range entries {
		raw := make([]byte, bodyBytes)
		_, _ = source.Read(raw)
		entries[i] = codec.Seal(entry.Header{
			Received:  time.Unix(1_800_000_000, 0),
			Source:    "192.0.2.17",
			MediaType: "text/xml+markr",
			Outcome:   entry.Accepted,
			Detail:    []byte(`{"records":100,"test_ids":["9863"],"findings":{}}`),
		}, raw)
	}
	return entries
}

// BenchmarkAppend is what the committer does: one Append at a time, of groups.
func BenchmarkAppend(b *testing.B) {
	for _, body := range []int{400, 7000} {
		for _, group := range []int{1, 8, 64, 256} {
			b.Run(fmt.Sprintf("body=%d/group=%d", body, group), func(b *testing.B) {
				v, err := wal.Open(wal.Options{Dir: b.TempDir(), FreeBytesMin: -1})
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = v.Close() }()
				entries := sealed(b, group, body, 1)
				b.SetBytes(int64(group * body))
				var n uint64
				for b.Loop() {
					// A new digest each time; the body is not read.
					for _, e := range entries {
						n++
						e.Outcome, e.DuplicateOf = entry.Accepted, 0
						for i := range 8 {
							e.Digest[i] = byte(n * 0x9E3779B97F4A7C15 >> (8 * i))
						}
					}
					if err := v.Append(entries); err != nil {
						b.Fatal(err)
					}
				}
				if v.Last() != entry.Position(n) {
					b.Fatalf("%d entries appended, last is %d", n, v.Last())
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
			})
		}
	}
}

// BenchmarkReplay reads everything back, without decompressing it.
func BenchmarkReplay(b *testing.B) {
	for _, body := range []int{400, 7000} {
		b.Run(fmt.Sprintf("body=%d", body), func(b *testing.B) {
			v, err := wal.Open(wal.Options{Dir: b.TempDir(), FreeBytesMin: -1})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = v.Close() }()
			n := 140_000_000 / body
			for i := 0; i < n; i += 500 {
				entries := sealed(b, 500, body, uint64(i))
				if err := v.Append(entries); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(n * body))
			b.ReportAllocs()
			for b.Loop() {
				seen := 0
				err := v.Replay(b.Context(), 1, func(*entry.Entry) error {
					seen++
					return nil
				})
				if err != nil || seen != n {
					b.Fatalf("%d of %d entries: %v", seen, n, err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

var snapshotTables = flag.Int("snapshot.tables", 1000, "tables of the vault that BenchmarkSnapshot takes snapshots of; each is half a megabyte on disk")

// BenchmarkSnapshot takes snapshots of a vault of many tables while others append: the
// pause is what an append waits at most.
func BenchmarkSnapshot(b *testing.B) {
	registry := prometheus.NewRegistry()
	v, err := wal.Open(wal.Options{Dir: b.TempDir(), FreeBytesMin: -1, Registerer: registry})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	seed := uint64(0)
	grow := func() {
		seed++
		if err := v.Append(sealed(b, 32, 256<<10, seed)); err != nil {
			b.Fatal(err)
		}
	}
	take := func() (tables int) {
		s, err := v.TakeSnapshot()
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range s.Files {
			if f.Frozen {
				tables++
			}
		}
		if _, err := v.ReleaseSnapshot(s.ID); err != nil {
			b.Fatal(err)
		}
		return tables
	}
	tables := 0
	for i := 0; tables < *snapshotTables; i++ {
		if grow(); i%64 == 63 {
			tables = take()
		}
	}
	pauses := func() (sum float64, count uint64) {
		h := gathered(b, registry)["markr_wal_snapshot_pause_seconds"].GetMetric()[0].GetHistogram()
		return h.GetSampleSum(), h.GetSampleCount()
	}
	began, before := pauses()
	for b.Loop() {
		grow()
		tables = take()
	}
	sum, count := pauses()
	b.ReportMetric(1e3*(sum-began)/float64(count-before), "pause-ms")
	b.ReportMetric(float64(tables), "tables")
}
