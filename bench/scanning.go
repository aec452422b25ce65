package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"math"
	"runtime"
	"strconv"
	"time"

	"markr/bench/cohort"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/intake/mcqxml"
)

// scanning prepares Markr's decoder beside the standard library's, used as most
// would: unmarshalling into a struct with what counts in it.
func scanning(_ context.Context, b *bencher) ([]contender, func() error, error) {
	options := cohort.Default()
	c, err := cohort.New(options)
	if err != nil {
		return nil, nil, err
	}
	document := c.AppendDocument(nil, 0)
	decoder := mcqxml.New(intake.Limits{})
	var decoded intake.Document
	ours := func() (scanned, error) {
		decoded.Reset()
		err := decoder.Decode(&decoded, document, "")
		return sumOf(&decoded), err
	}
	stdlib := func() (scanned, error) { return unmarshal(document) }
	if err := sameScan(ours, stdlib); err != nil {
		return nil, nil, err
	}
	return []contender{
		{markrName, b.timed(document, ours)},
		{stdlibName, b.timed(document, stdlib)},
	}, nothingToEnd, nil
}

// scanned is what a scan found, to compare scans by.
type scanned struct {
	records             int
	obtained, available int64
}

func sumOf(doc *intake.Document) scanned {
	s := scanned{records: len(doc.Records)}
	for i := range doc.Records {
		s.obtained += int64(doc.Records[i].Obtained)
		s.available += int64(doc.Records[i].Available)
	}
	return s
}

func unmarshal(document []byte) (scanned, error) {
	var parsed struct {
		XMLName xml.Name `xml:"mcq-test-results"`
		Results []struct {
			ScannedOn string `xml:"scanned-on,attr"`
			Student   string `xml:"student-number"`
			Test      string `xml:"test-id"`
			Summary   struct {
				Available string `xml:"available,attr"`
				Obtained  string `xml:"obtained,attr"`
			} `xml:"summary-marks"`
		} `xml:"mcq-test-result"`
	}
	if err := xml.NewDecoder(bytes.NewReader(document)).Decode(&parsed); err != nil {
		return scanned{}, err
	}
	s := scanned{records: len(parsed.Results)}
	for i := range parsed.Results {
		summary := &parsed.Results[i].Summary
		obtained, obtainedErr := strconv.Atoi(summary.Obtained)
		available, availableErr := strconv.Atoi(summary.Available)
		if err := errors.Join(obtainedErr, availableErr); err != nil {
			return scanned{}, err
		}
		s.obtained += int64(obtained) * exam.MarksPerUnit
		s.available += int64(available) * exam.MarksPerUnit
	}
	return s, nil
}

// sameScan refuses to time scanners that disagree.
func sameScan(scans ...func() (scanned, error)) error {
	var first scanned
	for i, scan := range scans {
		s, err := scan()
		if err != nil {
			return err
		}
		if i == 0 {
			first = s
		}
		if s != first || s.records == 0 {
			return errors.New("the scanners do not find the same")
		}
	}
	return nil
}

// allocationRuns is how many documents allocations are counted over.
const allocationRuns = 100

// timed runs a scan again and again.
func (b *bencher) timed(document []byte, scan func() (scanned, error)) func(context.Context, int) (measurement, error) {
	repeat := func(d time.Duration) (scans int, took time.Duration, err error) {
		from := time.Now()
		for took < d && err == nil {
			_, err = scan()
			scans++
			took = time.Since(from)
		}
		return scans, took, err
	}
	return func(context.Context, int) (measurement, error) {
		if _, _, err := repeat(b.warmUp); err != nil {
			return measurement{}, err
		}
		scans, took, err := repeat(b.duration)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range allocationRuns {
			if _, err := scan(); err != nil {
				return measurement{}, err
			}
		}
		runtime.ReadMemStats(&after)
		// Whole ones: a stray one of the runtime's is not the scanner's.
		allocations := math.Floor(float64(after.Mallocs-before.Mallocs) / allocationRuns)
		return measurement{figures: []figure{
			{megabytes, float64(scans) * float64(len(document)) / 1e6 / took.Seconds()},
			{"us/document", microseconds(took) / float64(scans)},
			{allocsPerDocument, allocations},
		}}, err
	}
}
