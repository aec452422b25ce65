//go:build unix

package engine_test

import (
	"encoding/binary"
	"flag"
	"io"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/intake"
)

var benchStudents = flag.Int("bench.students", 200_000, "students of a test of 20 questions that BenchmarkItemsCheckpoint keeps")

// sheetRuns is a format of four bytes: the first of a hundred students, each with a sheet
// of twenty questions. Better students are right more often; one answer in fifty is left
// out.
type sheetRuns struct{}

const (
	sheetRunsType  = "application/x-sheet-runs"
	sheetRunLength = 100
	sheetQuestions = 20
)

func (sheetRuns) MediaTypes() []string { return []string{sheetRunsType} }

func (sheetRuns) Decode(doc *intake.Document, raw []byte, _ string) error {
	first := binary.BigEndian.Uint32(raw)
	for student := first; student < first+sheetRunLength; student++ {
		able := exam.Mix(uint64(student), 1) % 100
		record := exam.Record{
			Test: []byte("t"), Student: strconv.AppendUint(nil, 10_000_000+uint64(student), 10), Available: sheetQuestions * exam.MarksPerUnit,
		}
		for q := range uint64(sheetQuestions) {
			chance := exam.Mix(uint64(student), 2+q)
			key := q % 4
			response := key
			if chance%100 > able {
				response = chance >> 32 % 4
			}
			var name [2]byte
			question := strconv.AppendUint(name[:0], q, 10)
			switch {
			case chance>>16%50 == 0:
				doc.AddAnswer(question, nil, exam.MarksPerUnit, 0)
			case response == key:
				record.Obtained += exam.MarksPerUnit
				doc.AddAnswer(question, []byte{'A' + byte(response)}, exam.MarksPerUnit, exam.MarksPerUnit)
			default:
				doc.AddAnswer(question, []byte{'A' + byte(response)}, exam.MarksPerUnit, 0)
			}
		}
		doc.AddRecord(record)
	}
	return nil
}

// BenchmarkItemsCheckpoint keeps a test with and without item analysis. Memory is what the
// heap has afterwards, for each mark. Writing is that of the checkpoint alone, and what it
// allocates; saving is with the vault's compression; standstill is how long the committer
// takes for the view. Start is that of a
// server, from a checkpoint in memory: to ready, and to the first analysis.
func BenchmarkItemsCheckpoint(b *testing.B) {
	for _, items := range []bool{false, true} {
		b.Run("items="+strconv.FormatBool(items), func(b *testing.B) {
			fs := vfs.NewMem()
			opened := func() *house {
				vault := openVault(b, fs)
				e, err := engine.Open(engine.Options{
					Log: vault, Checkpoints: vault, CheckpointRecords: 1 << 40, Intake: registry(b, sheetRuns{}), ItemAnalysis: items,
				})
				if err != nil {
					b.Fatal(err)
				}
				if err := e.WaitReady(b.Context()); err != nil {
					b.Fatal(err)
				}
				return &house{e, vault}
			}
			h := opened()
			before := heapBytes()
			for first := 0; first < *benchStudents; first += sheetRunLength {
				raw := binary.BigEndian.AppendUint32(nil, uint32(first))
				if _, err := h.Import(b.Context(), engine.Submission{Raw: raw, MediaType: sheetRunsType}); err != nil {
					b.Fatal(err)
				}
			}
			figures := make(map[string]float64) // Told at the end: the loop forgets what was told before.
			perMark := func(n float64, unit string) { figures[unit+"/mark"] = n / float64(*benchStudents) }
			perMark(float64(heapBytes()-before), "heap-B")
			figures["standstill-µs"] = writing(b, h, perMark)
			from, spent := time.Now(), processorTime(b)
			if err := h.vault.SaveCheckpoint(h.State().Position(), func(w io.Writer) error { return h.Write(b.Context(), w, nil) }); err != nil {
				b.Fatal(err)
			}
			perMark(float64(time.Since(from).Nanoseconds()), "save-ns")
			perMark(float64((processorTime(b) - spent).Nanoseconds()), "save-cpu-ns")
			info, err := fs.Stat("data/checkpoint")
			if err != nil {
				b.Fatal(err)
			}
			perMark(float64(info.Size()), "file-B")
			h.close(b)
			var took, cpu time.Duration
			for b.Loop() {
				runtime.GC()
				from, spent := time.Now(), processorTime(b)
				h := opened()
				if h.Progress().Checkpoint == 0 {
					b.Fatal(h.Progress().CheckpointErr)
				}
				if _, _, err := h.Items("t"); items != (err == nil) {
					b.Fatal(err)
				}
				took, cpu = took+time.Since(from), cpu+processorTime(b)-spent
				h.close(b)
			}
			perMark(float64(took.Nanoseconds())/float64(b.N), "start-ns")
			perMark(float64(cpu.Nanoseconds())/float64(b.N), "start-cpu-ns")
			for unit, n := range figures {
				b.ReportMetric(n, unit)
			}
		})
	}
}

// writing writes checkpoints to nowhere, and returns how long the committer stands still
// for one, in µs.
func writing(b *testing.B, h *house, perMark func(float64, string)) float64 {
	b.Helper()
	const rounds = 5
	var standstill time.Duration
	var size countingWriter
	var was, is runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&was)
	from, spent := time.Now(), processorTime(b)
	for range rounds {
		if err := h.Write(b.Context(), &size, &standstill); err != nil {
			b.Fatal(err)
		}
	}
	perMark(float64(time.Since(from).Nanoseconds())/rounds, "write-ns")
	perMark(float64((processorTime(b)-spent).Nanoseconds())/rounds, "write-cpu-ns")
	runtime.ReadMemStats(&is)
	perMark(float64(is.TotalAlloc-was.TotalAlloc)/rounds, "write-alloc-B")
	perMark(float64(size)/rounds, "written-B")
	return float64(standstill.Microseconds()) / rounds
}

type countingWriter int

func (w *countingWriter) Write(p []byte) (int, error) {
	*w += countingWriter(len(p))
	return len(p), nil
}

func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
