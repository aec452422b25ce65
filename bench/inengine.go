package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"markr/bench/cohort"
	"markr/bench/load"
	"markr/engine"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/summary"
	"markr/wal/entry"
)

// The scenarios of the engine alone run in a process of their own, this program
// again, so that its memory and its collector are theirs. There is no disk and no
// XML: the log keeps nothing, and documents are twenty bytes that name a run of made-up
// records. What is left is what the engine itself does, through the door that the
// server uses.

// engineArgument, before a name and numbers, turns the program into one of them.
const engineArgument = "engine"

// engineScenario prepares one.
func engineScenario(name string, args ...string) preparation {
	return func(_ context.Context, b *bencher) ([]contender, func() error, error) {
		return []contender{{markrName, func(ctx context.Context, _ int) (measurement, error) {
			command := exec.CommandContext(ctx, b.self, append([]string{engineArgument, name}, args...)...)
			command.Stderr = os.Stderr
			out, err := command.Output()
			if err != nil {
				return measurement{}, err
			}
			var told []struct {
				Name  string
				Value float64
			}
			if err := json.Unmarshal(out, &told); err != nil {
				return measurement{}, fmt.Errorf("read figures: %w", err)
			}
			var m measurement
			for _, f := range told {
				m.figures = append(m.figures, figure{f.Name, f.Value})
			}
			return m, nil
		}}}, nothingToEnd, nil
	}
}

// runInEngine is the process itself: it prints its figures.
func runInEngine(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return errors.New("which engine scenario?")
	}
	numbers := make([]int, 0, len(args))
	for _, text := range args[1:] {
		var n int
		if _, err := fmt.Sscan(text, &n); err != nil {
			return fmt.Errorf("number %q: %w", text, err)
		}
		numbers = append(numbers, n)
	}
	scenarios := map[string]struct {
		numbers int
		run     func(ctx context.Context, numbers []int) ([]figure, error)
	}{"memory": {2, measureMemory}, "reads": {2, measureReads}, "rise": {1, measureRise}}
	s, known := scenarios[args[0]]
	if !known || len(numbers) != s.numbers {
		return fmt.Errorf("no engine scenario %q with %d numbers", args[0], len(numbers))
	}
	figures, err := s.run(ctx, numbers)
	if err != nil {
		return err
	}
	type told struct {
		Name  string
		Value float64
	}
	list := make([]told, 0, len(figures))
	for _, f := range figures {
		list = append(list, told{f.name, f.value})
	}
	return json.NewEncoder(stdout).Encode(list)
}

// emptyLog is a log that keeps nothing.
type emptyLog struct{ last atomic.Uint64 }

func (l *emptyLog) Append(entries []*entry.Entry) error {
	for _, e := range entries {
		e.Position = entry.Position(l.last.Add(1))
		e.Ordinal = uint64(e.Position)
	}
	return nil
}

func (*emptyLog) Writable() error        { return nil }
func (l *emptyLog) Last() entry.Position { return entry.Position(l.last.Load()) }

func (*emptyLog) DroppedThrough() entry.Position { return 0 }

func (*emptyLog) Replay(context.Context, entry.Position, func(*entry.Entry) error) error { return nil }

func (*emptyLog) At(entry.Position) (*entry.Entry, error) { return nil, entry.ErrNotFound }

func (*emptyLog) Find(uuid.UUID) (entry.Header, error) { return entry.Header{}, entry.ErrNotFound }

func (*emptyLog) Headers(entry.Position, entry.Outcome, int) ([]entry.Header, error) {
	return nil, nil
}

// run of records: test, first student, number of students, available, distinct marks.
const runType = "application/x-markr-bench-run"

// runDecoder makes the records that a run names. Students come in an order that has
// nothing to do with their numbers, as they do.
type runDecoder struct{ students uint64 }

func (runDecoder) MediaTypes() []string { return []string{runType} }

func (d runDecoder) Decode(doc *intake.Document, raw []byte, _ string) error {
	if len(raw) != 20 {
		return &intake.DocumentError{Code: intake.CodeWrongDocument, Reason: "is not a run of records"}
	}
	field := func(i int) uint64 { return uint64(binary.BigEndian.Uint32(raw[4*i:])) }
	test, first, n, available, distinct := field(0), field(1), field(2), field(3), field(4)
	const digits = 8
	doc.Arena = slices.Grow(doc.Arena, int(n)*digits+digits)
	id := fmt.Appendf(nil, "test-%d", test)
	for i := range n {
		student := (first + i) * 7919 % d.students // 7919 is prime to the students: each comes once.
		at := len(doc.Arena)
		doc.Arena = fmt.Appendf(doc.Arena, "%08d", student+10_000_000)
		doc.Records = append(doc.Records, exam.Record{
			Test: id, Student: doc.Arena[at:len(doc.Arena):len(doc.Arena)],
			Obtained: exam.Marks(student * 2_654_435_761 >> 7 % distinct * (available / distinct)), Available: exam.Marks(available),
			ScannedOn: exam.ScannedOnUnknown,
		})
	}
	return nil
}

// openAlone opens an engine on an empty log.
func openAlone(ctx context.Context, students int) (*engine.Engine, error) {
	formats, err := intake.NewRegistry(runDecoder{uint64(students)})
	if err != nil {
		return nil, err
	}
	e, err := engine.Open(engine.Options{Log: &emptyLog{}, Intake: formats})
	if err != nil {
		return nil, err
	}
	return e, e.WaitReady(ctx)
}

// importRun imports a run.
func importRun(ctx context.Context, e *engine.Engine, test, first, n, available, distinct int) error {
	var raw []byte
	for _, field := range []int{test, first, n, available, distinct} {
		raw = binary.BigEndian.AppendUint32(raw, uint32(field))
	}
	_, err := e.Import(ctx, engine.Submission{Raw: raw, MediaType: runType})
	return err
}

// runRecords is how many records a run has: a document of the usual kind.
const runRecords = 100

const wholeMark = exam.MarksPerUnit

// measureMemory seats so many students in so many tests, and weighs the process.
func measureMemory(ctx context.Context, numbers []int) ([]figure, error) {
	students, tests := numbers[0], numbers[1]
	e, err := openAlone(ctx, students)
	if err != nil {
		return nil, err
	}
	before := heapBytes()
	const early = 1_000_000
	started := time.Now()
	var earlyRate float64
	var lastFrom time.Time
	marks, total := 0, students*tests
	for test := range tests {
		for first := 0; first < students; first += runRecords {
			if err := importRun(ctx, e, test, first, runRecords, 20*wholeMark, 20); err != nil {
				return nil, err
			}
			marks += runRecords
			if marks == early {
				earlyRate = float64(early) / time.Since(started).Seconds()
			}
			if marks == total-early {
				lastFrom = time.Now()
			}
		}
	}
	lateRate := float64(early) / time.Since(lastFrom).Seconds()
	if got := e.State().Marks(); got != total {
		return nil, fmt.Errorf("%d marks, not %d", got, total)
	}
	resident, err := residentBytes()
	if err != nil {
		return nil, err
	}
	const digits = 8
	heap := heapBytes() - before - int64(digits*students)
	var collections []float64
	for range 9 {
		from := time.Now()
		runtime.GC()
		collections = append(collections, milliseconds(time.Since(from)))
	}
	return []figure{
		{heapPerMark, float64(heap) / float64(total)},
		{residentMiB, float64(resident) / (1 << 20)},
		{collectionMS, median(collections)},
		{"marks/s, first million", earlyRate},
		{"marks/s, last million", lateRate},
		{lastPerFirst, lateRate / earlyRate},
	}, e.Close()
}

func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// residentBytes is what this process has in memory, as the kernel counts.
func residentBytes() (int64, error) {
	kib := factOf("/proc/self/status", "VmRSS")
	var n int64
	if _, err := fmt.Sscan(kib, &n); err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	return n << 10, nil
}

// measureReads times the order statistics of a test with so many students at so many
// distinct scores.
func measureReads(ctx context.Context, numbers []int) ([]figure, error) {
	students, distinct := numbers[0], numbers[1]
	e, err := openAlone(ctx, students)
	if err != nil {
		return nil, err
	}
	for first := 0; first < students; first += 10_000 {
		if err := importRun(ctx, e, 1, first, min(10_000, students-first), distinct*10, distinct); err != nil {
			return nil, err
		}
	}
	test, err := e.Test("test-1")
	if err != nil {
		return nil, err
	}
	var set []summary.Percent
	for _, text := range []string{"10", "25", "50", "75", "99.9"} {
		p, err := summary.ParsePercent(text)
		if err != nil {
			return nil, err
		}
		set = append(set, p)
	}
	const rounds = 200_000
	values := make([]float64, 0, len(set))
	from := time.Now()
	for range rounds {
		values = test.Percentiles(values[:0], set...)
	}
	took := time.Since(from)
	if values[2] <= 0 || test.Count() != students {
		return nil, errors.New("the percentiles are not those of the test")
	}
	return []figure{
		{fivePercentiles, float64(took.Nanoseconds()) / rounds},
		{"ns for one", float64(took.Nanoseconds()) / rounds / float64(len(set))},
	}, e.Close()
}

// measureRise has the available marks of a test with so many students rise again and
// again, and times how long it takes to be seen, while readers read on.
func measureRise(ctx context.Context, numbers []int) ([]figure, error) {
	students := numbers[0]
	e, err := openAlone(ctx, students)
	if err != nil {
		return nil, err
	}
	for first := 0; first < students; first += 10_000 {
		if err := importRun(ctx, e, 1, first, 10_000, 20*wholeMark, 20); err != nil {
			return nil, err
		}
	}
	var longest atomic.Int64
	reading, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for reading.Err() == nil {
			from := time.Now()
			if test, err := e.Test("test-1"); err != nil || test.Aggregate().Count < students {
				return
			}
			longest.Store(max(longest.Load(), time.Since(from).Nanoseconds()))
			time.Sleep(50 * time.Microsecond) // A reader, not a second load.
		}
	}()
	var rises []float64
	for i := range 101 {
		available := (21 + i) * wholeMark
		from := time.Now()
		if err := importRun(ctx, e, 1, rand.IntN(students), 1, available, 20); err != nil {
			return nil, err
		}
		test, err := e.Test("test-1")
		if err != nil || test.Available != exam.Marks(available) || test.Aggregate().Count != students {
			return nil, errors.Join(err, errors.New("the rise is not visible"))
		}
		rises = append(rises, milliseconds(time.Since(from)))
	}
	stop()
	<-done
	return []figure{
		{"ms until visible", median(rises)},
		{"ms until visible, longest", slices.Max(rises)},
		{"longest read meanwhile ms", milliseconds(time.Duration(longest.Load()))},
	}, e.Close()
}

// fillCohort imports a whole cohort over HTTP.
func fillCohort(ctx context.Context, server *child, c *cohort.Cohort, connections int) error {
	var next atomic.Int64
	report, err := load.Run(ctx, load.Options{Target: server.target, Connections: connections, Duration: time.Hour},
		func(int) load.Feed {
			var body, request []byte
			return func() []byte {
				document := int(next.Add(1)) - 1
				if document >= c.Documents() {
					return nil
				}
				body = c.AppendDocument(body[:0], document)
				request = load.ImportRequest(server.target, body)
				return request
			}
		})
	if err != nil {
		return err
	}
	if report.Total != int64(c.Documents()) {
		return fmt.Errorf("%d of %d documents accepted: %v %v", report.Total, c.Documents(), report.Statuses, report.Errors)
	}
	return nil
}
