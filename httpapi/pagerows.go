package httpapi

import (
	"strconv"

	"markr/engine"
	"markr/engine/exam"
	"markr/wal/entry"
)

// pageTest is a row of the table of tests.
type pageTest struct {
	ID                                    exam.TestID
	Href                                  string
	Students                              string
	Mean, StdDev, Min, P25, P50, P75, Max string
	Spread                                *pageSpread
	Last                                  pageTime
	LastHref                              string
}

// pageSpread places the five-number summary on a scale of 0 to 100.
type pageSpread struct{ Min, Max, P25, Quartiles, P50 string }

func newPageTest(test *engine.Test) pageTest {
	figures := test.Aggregate()
	return pageTest{
		ID:       test.ID,
		Href:     testHref(test.ID),
		Students: grouped(uint64(figures.Count)),
		Mean:     oneDecimal(figures.Mean),
		StdDev:   oneDecimal(figures.StdDev),
		Min:      oneDecimal(figures.Min),
		P25:      oneDecimal(figures.P25),
		P50:      oneDecimal(figures.P50),
		P75:      oneDecimal(figures.P75),
		Max:      oneDecimal(figures.Max),
		Spread: &pageSpread{
			Min:       oneDecimal(figures.Min),
			Max:       oneDecimal(figures.Max),
			P25:       oneDecimal(figures.P25),
			Quartiles: oneDecimal(figures.P75 - figures.P25),
			P50:       oneDecimal(figures.P50),
		},
		Last:     newPageTime(test.Last.Received),
		LastHref: importHref(test.Last.ID.String()),
	}
}

// pageImport is a row of the table of imports.
type pageImport struct {
	Href, DocumentHref string
	Received           pageTime
	Outcome            string
	Refusal            string
	TestIDs            []exam.TestID
	MoreTests          int
	Records            string
	Size               string
	Source             string
}

func newPageImport(found *engine.Import) pageImport {
	id := found.ID.String()
	row := pageImport{
		Href:         importHref(id),
		DocumentHref: importHref(id) + "/document",
		Received:     newPageTime(found.Received),
		Outcome:      found.Outcome.String(),
		TestIDs:      found.TestIDs[:min(len(found.TestIDs), pageTestIDs)],
		MoreTests:    len(found.TestIDs) - min(len(found.TestIDs), pageTestIDs),
		Records:      grouped(uint64(found.Records)),
		Size:         humanBytes(found.Size),
		Source:       found.Source,
	}
	if found.Outcome == entry.Refused {
		row.Href = deskHref(found.ID)
	}
	if found.Outcome == entry.Refused && found.Refusal != nil {
		row.Refusal = documentFault(found.Refusal)
	}
	return row
}

func importHref(id string) string { return "/imports/" + id }

// oneDecimal is a percentage as people read it; the JSON has it exact.
func oneDecimal(value float64) string { return strconv.FormatFloat(value, 'f', 1, 64) }

// humanBytes is a size with two or three digits and a unit.
func humanBytes(n int64) string {
	const step = 1000
	if n < step {
		return strconv.FormatInt(n, 10) + " B"
	}
	byteUnits := [...]string{"B", "kB", "MB", "GB"}
	value, unit := float64(n), 0
	for value >= step && unit < len(byteUnits)-1 {
		value /= step
		unit++
	}
	decimals := 0
	if value < 10 {
		decimals = 1
	}
	return strconv.FormatFloat(value, 'f', decimals, 64) + " " + byteUnits[unit]
}
