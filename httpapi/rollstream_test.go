package httpapi_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"markr/engine"
	"markr/httpapi"
)

// enroll imports students of a test, numbered from first, by tables of at most 50,000.
func (b *border) enroll(t testing.TB, test string, first, students int, obtained func(i int) int) {
	t.Helper()
	const rows = 50_000
	for i := first; i < first+students; {
		var table strings.Builder
		table.WriteString("test-id,student-number,available,obtained\n")
		for end := min(i+rows, first+students); i < end; i++ {
			fmt.Fprintf(&table, "%s,%08d,1000,%d\n", test, i, obtained(i))
		}
		if _, err := b.engine.Import(t.Context(), engine.Submission{Raw: []byte(table.String()), MediaType: "text/csv", Source: "192.0.2.1"}); err != nil {
			t.Fatal(err)
		}
	}
}

// Readers who take nothing of an export hold as many as there may be and are cut off in
// time; others are told to come again, and imports and reads go on.
func TestSlowExports(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) {
		hurried(opts)
		opts.Limits.WriteTimeout = 2 * time.Second
		opts.Limits.BodyBytesPerSecondMin = 1 << 30 // no more time for what has been sent
	})
	b.enroll(t, "slow", 0, 100_000, func(i int) int { return i % 1001 }) // 18 MB: more than sockets take
	stop := b.bystander(t)
	statuses := make(map[string]int)
	for range 10 {
		s := dial(t, b.address)
		s.send(get("/results/slow/students"))
		line, err := s.reader.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		statuses[strings.Fields(line)[1]]++
	}
	if statuses["200"] != 4 || statuses["503"] != 6 {
		t.Errorf("%v, want as many 200 as there may be exports, and 503", statuses)
	}
	eventually(t, "they are cut off", func() bool { return b.ExportsUnderWay() == 0 })
	stop()
	b.get(t, "/results/slow/students?format=csv").want(t, 200)
}

// What does not fit into a block is streamed: in chunks, or with its length to who speaks
// HTTP/1.0 and knows no chunks; and uncompressed.
func TestExportsAreFramed(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	b.enroll(t, "m", 0, 2_000, func(i int) int { return i % 1001 })
	for _, format := range []string{"json", "ndjson", "csv"} {
		target := "/results/m/students?format=" + format
		want := b.get(t, target)
		want.want(t, 200)
		if want.ContentLength != -1 || len(want.body) < 100_000 {
			t.Fatalf("%d bytes, announced as %d", len(want.body), want.ContentLength)
		}
		s := dial(t, b.address)
		s.send("GET " + target + " HTTP/1.0\r\nHost: x\r\n\r\n")
		all, err := io.ReadAll(s.reader)
		if err != nil {
			t.Fatal(err)
		}
		header, body, _ := strings.Cut(string(all), "\r\n\r\n")
		if body != want.body || !strings.Contains(header, fmt.Sprintf("\r\nContent-Length: %d\r\n", len(body))) {
			t.Errorf("%s\n\n%d bytes, want %d", header, len(body), len(want.body))
		}
	}
	s := dial(t, b.address)
	s.send("GET /results/m/students HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, identity;q=0\r\n\r\n")
	if line, err := s.reader.ReadString('\n'); err != nil || !strings.Contains(line, " 406 ") {
		t.Errorf("%s, %v", line, err)
	}
	for range 10 { // More than there may be at once.
		if head := b.do(t, http.MethodHead, "/results/m/students", "").want(t, 200); head.body != "" || head.Header.Get("Markr-Position") == "" {
			t.Errorf("HEAD: %v", head.Header)
		}
	}
	eventually(t, "no export is under way", func() bool { return b.ExportsUnderWay() == 0 })
}

// Who goes away leaves nothing behind, and who is slow and steady gets all of it, in more
// time than an answer of no length has.
func TestExportsLeftAndTakenSlowly(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) {
		opts.Limits.WriteTimeout = time.Second
		opts.Limits.BodyBytesPerSecondMin = 4 << 20
	})
	b.enroll(t, "m", 0, 100_000, func(i int) int { return i % 1001 })
	for range 20 {
		s := dial(t, b.address)
		s.send(get("/results/m/students"))
		if _, err := s.reader.Peek(1000); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the export of who has left ends", func() bool { return b.ExportsUnderWay() == 0 })
	}
	began := time.Now()
	response, err := b.client.Get("http://" + b.address + "/results/m/students?format=ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines, pace := 0, time.NewTicker(100*time.Millisecond)
	defer pace.Stop()
	for scanner := bufio.NewScanner(response.Body); scanner.Scan(); lines++ {
		if lines%5000 == 0 {
			<-pace.C // 5,000 lines are 0.9 MB: 9 MB a second, faster than the slowest that may be.
		}
	}
	took := time.Since(began)
	if lines != 100_000 || took < 1500*time.Millisecond {
		t.Errorf("%d lines in %v", lines, took)
	}
}

// An export is the state at its position, all of it, while documents arrive that raise
// marks and bring students.
func TestExportAmidImports(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	r := newRandom(t)
	seeds := [2]uint64{r.Uint64(), r.Uint64()}
	b.enroll(t, "m", 0, 3_000, func(i int) int { return i % 500 })
	over := make(chan struct{})
	var importing sync.WaitGroup
	for n, seed := range seeds {
		importing.Go(func() {
			for round := uint64(0); ; round++ {
				select {
				case <-over:
					return
				default:
				}
				scans := make([]scan, 20)
				for i := range scans {
					x := (seed + round*uint64(len(scans)) + uint64(i)) * 0x9E3779B97F4A7C15
					scans[i] = scan{"m", fmt.Sprintf("%08d", x>>32%4_000), fmt.Sprint(x % 1001), "1000"}
				}
				if got := b.post(t, scanned(scans...)); got.StatusCode != http.StatusOK {
					t.Errorf("import by %d: %s", n, got.body)
					return
				}
			}
		})
	}
	positions := make(map[string]bool)
	for range 6 {
		position := b.wantExport(t, "/results/m/students")
		positions[position] = true
	}
	close(over)
	importing.Wait()
	if len(positions) < 3 {
		t.Errorf("all exports were of the positions %v", positions)
	}
	// Once more, now that all of them are past.
	for position := range positions {
		b.wantExport(t, "/results/m/students?at="+position)
	}
}

// wantExport holds an export against the aggregate at its position, and returns that.
func (b *border) wantExport(t *testing.T, target string) (position string) {
	t.Helper()
	got := b.get(t, target)
	got.want(t, 200)
	var export struct {
		Position int
		Count    int
		Students []struct {
			Student    string
			Obtained   int64
			Percentage float64
		}
	}
	if err := json.Unmarshal([]byte(got.body), &export); err != nil {
		t.Fatal(err)
	}
	sum, most, seen := int64(0), 0.0, make(map[string]bool)
	for _, s := range export.Students {
		sum += s.Obtained
		most = max(most, s.Percentage)
		seen[s.Student] = true
	}
	mean, _ := big.NewRat(100*sum, 1000*int64(len(export.Students))).Float64()
	var figures struct {
		Mean, Max float64
		Count     int
	}
	position = fmt.Sprint(export.Position)
	aggregate := b.get(t, "/results/m/aggregate?at="+position)
	aggregate.want(t, 200)
	if err := json.Unmarshal([]byte(aggregate.body), &figures); err != nil {
		t.Fatal(err)
	}
	if len(seen) != figures.Count || len(export.Students) != figures.Count || export.Count != figures.Count || mean != figures.Mean || most != figures.Max {
		t.Errorf("the export at %s has %d students, %d different, mean %v and maximum %v; the aggregate %+v",
			position, len(export.Students), len(seen), mean, most, figures)
	}
	return position
}

// An export of very many students holds no memory, neither half-way nor for somebody who
// takes nothing, and does not keep imports waiting. Not parallel: it looks at the heap.
//
//nolint:paralleltest // It looks at the heap.
func TestExportHoldsNothing(t *testing.T) {
	// A third, or less, of what is exported: what else is going on in the process may be seen, too.
	students, most := 100_000, uint64(6<<20)
	if *long {
		students, most = 1_000_000, 8<<20
	}
	b := newBorder(t, nil)
	b.enroll(t, "m", 0, students, func(i int) int { return i * 7 % 1001 })
	b.enroll(t, "other", 0, 1, func(int) int { return 1 })
	before := liveHeap()
	response, err := b.client.Get("http://" + b.address + "/results/m/students?format=csv")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	began, lines := time.Now(), 0
	for scanner := bufio.NewScanner(response.Body); scanner.Scan(); lines++ {
		if lines != students/2 {
			continue
		}
		if held := liveHeap() - before; int64(held) > int64(most) {
			t.Errorf("half-way an export of %d students holds %d bytes", students, held)
		} else {
			t.Logf("half-way an export of %d students holds %d bytes", students, int64(held))
		}
		// It stands still here, and imports go on.
		for i := range 20 {
			b.post(t, document(sheet("m", fmt.Sprintf("%08d", i), 1000, 1000))).want(t, 200)
		}
	}
	t.Logf("%d lines in %v", lines, time.Since(began))
	if lines != students+1 {
		t.Errorf("%d lines of %d students", lines, students)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Error(err)
	}
}

// liveHeap is what the heap holds after a collection.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
