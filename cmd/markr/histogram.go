package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// barCharsMax is how long the longest bar of a histogram is.
const barCharsMax = 40

// histogramShown is what the server says of a histogram, as far as it is shown.
type histogramShown struct {
	Bins []struct {
		From  json.Number `json:"from"`
		To    json.Number `json:"to"`
		Count int         `json:"count"`
	} `json:"bins"`
}

// showHistogram draws the scores of one test.
func showHistogram(ctx context.Context, std streams, c *client, test string, bins int, asJSON bool) error {
	body, err := c.get(ctx, c.url(url.Values{"bins": {strconv.Itoa(bins)}}, "results", test, "histogram"))
	if err != nil {
		return explainResult(err, test)
	}
	if asJSON {
		_, err := fmt.Fprintf(std.out, "%s\n", body)
		return err
	}
	var histogram histogramShown
	if err := readAnswer(body, &histogram); err != nil {
		return err
	}
	most := 1
	for _, bin := range histogram.Bins {
		most = max(most, bin.Count)
	}
	if _, err := fmt.Fprintln(std.out); err != nil {
		return err
	}
	table := newTable(std.out)
	table.row("FROM %", "TO %", "STUDENTS")
	for _, bin := range histogram.Bins {
		// Whoever is there is seen, were it one among a million.
		length := (bin.Count*barCharsMax + most - 1) / most
		table.row(bin.From, bin.To, bin.Count, strings.Repeat("#", length))
	}
	return table.flush()
}
