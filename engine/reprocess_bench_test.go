//go:build unix

package engine_test

import (
	"bytes"
	"flag"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
	"markr/engine/scoring"
	"markr/wal"
)

var benchMarks = flag.Int("bench.marks", 200_000, "marks that BenchmarkReprocess reads, in documents of 100")

// BenchmarkReprocess reads the same log by a recovery and by a reprocess, of scanners'
// documents. cpu-ns/record is what both cost on all cores together, collector
// included: a reprocess decodes on one core less, so as to leave one to imports.
func BenchmarkReprocess(b *testing.B) {
	const inDocument = 100
	fs := vfs.NewMem()
	formats, err := intake.NewRegistry(mcqxml.New(intake.Limits{}))
	if err != nil {
		b.Fatal(err)
	}
	opened := func() (*engine.Engine, *wal.Vault) {
		vault := openVault(b, fs)
		e, err := engine.Open(engine.Options{Log: vault, Intake: formats})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.WaitReady(b.Context()); err != nil {
			b.Fatal(err)
		}
		return e, vault
	}
	closed := func(e *engine.Engine, vault *wal.Vault) {
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
		if err := vault.Close(); err != nil {
			b.Fatal(err)
		}
	}
	e, vault := opened()
	var senders sync.WaitGroup
	next := make(chan int)
	for range 16 {
		senders.Go(func() {
			for first := range next {
				if _, err := e.Import(b.Context(), engine.Submission{Raw: scannerDocument(first, inDocument), MediaType: mcqxml.MediaType}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for first := 0; first < *benchMarks; first += inDocument {
		next <- first
	}
	close(next)
	senders.Wait()
	closed(e, vault)

	report := func(b *testing.B, took, cpu time.Duration) {
		b.Helper()
		records := float64(*benchMarks) * float64(b.N)
		b.ReportMetric(records/took.Seconds(), "records/s")
		b.ReportMetric(float64(cpu.Nanoseconds())/records, "cpu-ns/record")
	}
	b.Run("by=recovery", func(b *testing.B) {
		var took, cpu time.Duration
		for range b.N {
			runtime.GC()
			from, spent := time.Now(), processorTime(b)
			e, vault := opened()
			took, cpu = took+time.Since(from), cpu+processorTime(b)-spent
			if e.State().Marks() != *benchMarks {
				b.Fatal(e.State().Marks())
			}
			closed(e, vault)
		}
		report(b, took, cpu)
	})
	b.Run("by=reprocess", func(b *testing.B) {
		e, vault := opened()
		defer closed(e, vault)
		var took, cpu time.Duration
		for range b.N {
			runtime.GC()
			from, spent := time.Now(), processorTime(b)
			r, err := e.StartReprocess(scoring.Rule{Policy: scoring.First})
			if err != nil {
				b.Fatal(err)
			}
			// Sleeping costs no processor, as it would to look all the time.
			for r.Status().Phase != engine.PhaseReady {
				time.Sleep(time.Millisecond)
			}
			took, cpu = took+time.Since(from), cpu+processorTime(b)-spent
			if s := r.Status(); s.Records != uint64(*benchMarks) {
				b.Fatal(s)
			}
			if err := r.Cancel(); err != nil {
				b.Fatal(err)
			}
		}
		report(b, took, cpu)
	})
	// The past of one test in seven, under a rule that looks at what memory does not have.
	b.Run("by=past", func(b *testing.B) {
		e, vault := opened()
		defer closed(e, vault)
		var at []engine.RuleInForce
		for _, policy := range []scoring.Policy{scoring.Latest, scoring.Highest} {
			r, err := e.StartReprocess(scoring.Rule{Policy: policy})
			if err != nil {
				b.Fatal(err)
			}
			for r.Status().Phase != engine.PhaseReady {
				time.Sleep(time.Millisecond)
			}
			committed, err := r.Commit(b.Context(), engine.CommitOptions{})
			if err != nil {
				b.Fatal(err)
			}
			at = append(at, committed)
		}
		runtime.GC()
		b.ResetTimer()
		count, spent := 0, processorTime(b)
		for range b.N {
			test, err := e.TestAt(b.Context(), "0", at[0].Position)
			if err != nil {
				b.Fatal(err)
			}
			count += test.Count()
		}
		spent = processorTime(b) - spent
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(count/inDocument), "µs/document")
		b.ReportMetric(float64(spent.Microseconds())/float64(count/inDocument), "cpu-µs/document")
	})
}

// processorTime is what this process has used of all processors.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Skip("this system does not tell processor time:", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// scannerDocument is a document as scanners write it: so many students of one test,
// with twenty answers each.
func scannerDocument(first, n int) []byte {
	var b bytes.Buffer
	b.WriteString("<mcq-test-results>\n")
	for student := first; student < first+n; student++ {
		obtained := student * 2654435761 >> 7 % 21
		fmt.Fprintf(&b, "\t<mcq-test-result scanned-on=\"2017-12-04T12:12:10+11:00\">\n\t\t<first-name>Jane</first-name>\n"+
			"\t\t<last-name>Austen</last-name>\n\t\t<student-number>%08d</student-number>\n\t\t<test-id>%d</test-id>\n", student, first%7)
		for question := range 20 {
			fmt.Fprintf(&b, "\t\t<answer question=\"%d\" marks-available=\"1\" marks-awarded=\"%d\">%c</answer>\n",
				question, (student+question)%2, 'A'+byte(student*question%4))
		}
		fmt.Fprintf(&b, "\t\t<summary-marks available=\"20\" obtained=\"%d\" />\n\t</mcq-test-result>\n", obtained)
	}
	b.WriteString("</mcq-test-results>\n")
	return b.Bytes()
}
