package main_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"markr/bench/cohort"
	"markr/bench/load"
	"markr/engine"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/engine/summary"
	"markr/httpapi"
	"markr/wal"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 takes a new one")

// The benchmarks here need several rooms at once; those of one room are in it. A
// vault is on the disk that holds the temporary directory, and every import is
// flushed to it.

// openHouse puts a vault and an engine together, as the program does.
func openHouse(tb testing.TB, options wal.Options) (*engine.Engine, *intake.Registry) {
	tb.Helper()
	formats, err := intake.NewRegistry(mcqxml.New(intake.Limits{}))
	if err != nil {
		tb.Fatal(err)
	}
	options.FreeBytesMin = -1 // no floor
	vault, err := wal.Open(options)
	if err != nil {
		tb.Fatal(err)
	}
	house, err := engine.Open(engine.Options{Log: vault, Intake: formats})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := house.Close(); err != nil {
			tb.Error(err)
		}
		if err := vault.Close(); err != nil {
			tb.Error(err)
		}
	})
	if err := house.WaitReady(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return house, formats
}

// newImports are documents no two of which are the same.
func newImports(b *testing.B, records, connections int) *load.Imports {
	b.Helper()
	opts := cohort.Default()
	opts.Tests, opts.Students, opts.RecordsPerDocument = 100, 100_000, records
	c, err := cohort.New(opts)
	if err != nil {
		b.Fatal(err)
	}
	target := load.Target{Address: netip.MustParseAddrPort("127.0.0.1:80"), Host: "bench"}
	imports, err := load.NewImports(target, c, connections)
	if err != nil {
		b.Fatal(err)
	}
	return imports
}

// bodyOf is the document in a request.
func bodyOf(b *testing.B, request []byte) []byte {
	b.Helper()
	_, body, found := bytes.Cut(request, []byte("\r\n\r\n"))
	if !found {
		b.Fatal("no document left")
	}
	return body
}

// students is how many there are over all tests.
func students(e *engine.Engine) (sum int64) {
	for _, test := range e.State().List("", "", 1000) {
		sum += int64(test.Count())
	}
	return sum
}

// TestHouseAgainstOracle sends cohorts through the rooms, documents in any order,
// and compares every figure with what the cohort itself expects.
func TestHouseAgainstOracle(t *testing.T) {
	t.Parallel()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("run again with -seed=%d", seed)
	opts := cohort.Default()
	opts.Seed, opts.Tests, opts.Students, opts.RecordsPerDocument = seed, 7, 333, 20
	c, err := cohort.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	house, _ := openHouse(t, wal.Options{Dir: "data", FS: vfs.NewMem()})
	for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(c.Documents()) {
		_, err := house.Import(t.Context(), engine.Submission{Raw: c.AppendDocument(nil, i), MediaType: mcqxml.MediaType})
		if err != nil {
			t.Fatal(err)
		}
	}
	for test := range opts.Tests {
		e := c.Expected(test)
		got, err := house.Test(exam.TestID(e.TestID))
		if err != nil {
			t.Fatal(err)
		}
		want := summary.Aggregate{
			Mean: e.Mean, StdDev: e.StdDev, Min: e.Min, Max: e.Max, P25: e.P25, P50: e.P50, P75: e.P75, Count: e.Count,
		}
		if got.Aggregate() != want || got.Available != exam.Marks(e.Available)*exam.MarksPerUnit {
			t.Errorf("test %s: %+v of %v, want %+v of %d", e.TestID, got.Aggregate(), got.Available, want, e.Available)
		}
	}
}

func BenchmarkEngineImport(b *testing.B) {
	for _, records := range []int{1, 100} {
		for _, parallel := range []int{1, 64} {
			b.Run(fmt.Sprintf("records=%d/parallel=%d", records, parallel), func(b *testing.B) {
				house, _ := openHouse(b, wal.Options{Dir: b.TempDir()})
				imports := newImports(b, records, parallel)
				b.SetBytes(imports.BodyBytes())
				submit := func(feed load.Feed) {
					receipt, err := house.Import(b.Context(), engine.Submission{
						Raw: bodyOf(b, feed()), MediaType: mcqxml.MediaType, Source: "bench",
					})
					if err != nil || receipt.Records == 0 {
						b.Errorf("receipt %+v, error %v", receipt, err)
					}
				}
				if parallel == 1 {
					feed := imports.Feed(0)
					for b.Loop() {
						submit(feed)
					}
				} else {
					var connection atomic.Int64
					b.SetParallelism((parallel + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
					b.ResetTimer()
					b.RunParallel(func(pb *testing.PB) {
						feed := imports.Feed(int(connection.Add(1)-1) % parallel)
						for pb.Next() {
							submit(feed)
						}
					})
				}
				b.StopTimer()
				if got := students(house); got != imports.Students() {
					b.Errorf("%d students counted, %d sent", got, imports.Students())
				}
			})
		}
	}
}

func BenchmarkEngineAggregate(b *testing.B) {
	for _, size := range []int{81, 100_000} {
		b.Run(fmt.Sprintf("students=%d", size), func(b *testing.B) {
			house, _ := openHouse(b, wal.Options{Dir: b.TempDir()})
			id := fillHouse(b, house, size)
			var count int
			for b.Loop() {
				test, err := house.Test(id)
				if err != nil {
					b.Fatal(err)
				}
				count = test.Aggregate().Count
			}
			if count != size {
				b.Errorf("count %d, want %d", count, size)
			}
		})
	}
}

// fillHouse imports a test with so many students.
func fillHouse(b *testing.B, house *engine.Engine, size int) exam.TestID {
	b.Helper()
	c, err := cohort.New(cohort.Options{Students: size, RecordsPerDocument: 10_000})
	if err != nil {
		b.Fatal(err)
	}
	for _, document := range c.All() {
		_, err := house.Import(b.Context(), engine.Submission{Raw: document, MediaType: mcqxml.MediaType})
		if err != nil {
			b.Fatal(err)
		}
	}
	return exam.TestID(c.TestID(0))
}

// serveHouse answers HTTP over connections in memory: what is measured is the
// border, not the system's sockets.
func serveHouse(b *testing.B, house *engine.Engine, formats *intake.Registry) *fasthttp.HostClient {
	b.Helper()
	server, err := httpapi.New(httpapi.Options{Engine: house, Intake: formats})
	if err != nil {
		b.Fatal(err)
	}
	listener := fasthttputil.NewInmemoryListener()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	b.Cleanup(func() {
		// The client keeps its connection, and b.Context is done by now.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			b.Error(err)
		}
		if err := <-served; err != nil {
			b.Error(err)
		}
	})
	return &fasthttp.HostClient{
		Addr: "bench",
		Dial: func(string) (net.Conn, error) { return listener.Dial() },
	}
}

func BenchmarkHTTPAggregate(b *testing.B) {
	house, formats := openHouse(b, wal.Options{Dir: b.TempDir()})
	id := fillHouse(b, house, 81)
	client := serveHouse(b, house, formats)
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	request.SetRequestURI("http://bench/results/" + string(id) + "/aggregate")
	for b.Loop() {
		if err := client.Do(request, response); err != nil {
			b.Fatal(err)
		}
	}
	if response.StatusCode() != http.StatusOK || !bytes.Contains(response.Body(), []byte(`"count":81`)) {
		b.Errorf("%d %s", response.StatusCode(), response.Body())
	}
}

func BenchmarkHTTPImport(b *testing.B) {
	for _, records := range []int{1, 100} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			house, formats := openHouse(b, wal.Options{Dir: b.TempDir()})
			imports := newImports(b, records, 1)
			client := serveHouse(b, house, formats)
			feed := imports.Feed(0)
			request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			request.SetRequestURI("http://bench/import")
			request.Header.SetMethod(http.MethodPost)
			request.Header.SetContentType(mcqxml.MediaType)
			b.SetBytes(imports.BodyBytes())
			for b.Loop() {
				request.SetBodyRaw(bodyOf(b, feed()))
				if err := client.Do(request, response); err != nil {
					b.Fatal(err)
				}
				if response.StatusCode() != http.StatusOK {
					b.Fatalf("%d %s", response.StatusCode(), response.Body())
				}
			}
			if got := students(house); got != imports.Students() {
				b.Errorf("%d students counted, %d sent", got, imports.Students())
			}
		})
	}
}
