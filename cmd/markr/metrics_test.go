package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// seriesMax bounds what a scrape of an idle server costs Prometheus; histograms by
// route are most of it.
const seriesMax = 1600

// Names and types of the metrics of the whole program are part of its interface,
// and what clients send never makes another series.
func TestMetrics(t *testing.T) {
	t.Parallel()
	client := newHTTPClient(t)
	p := serve(t, t.TempDir())
	scrape := func() (families string, series []string) {
		t.Helper()
		status, body, err := get(client, p.url+"/metrics")
		if err != nil || status != http.StatusOK {
			t.Fatalf("GET /metrics: %d, %v", status, err)
		}
		for line := range strings.Lines(string(body)) {
			if family, ok := strings.CutPrefix(line, "# TYPE "); ok {
				if strings.HasPrefix(family, "markr_") { // The others are their libraries'.
					families += family
				}
			} else if !strings.HasPrefix(line, "#") {
				series = append(series, line[:strings.LastIndexByte(line, ' ')])
			}
		}
		return families, series
	}
	families, before := scrape()
	golden(t, filepath.Join("testdata", "metrics.txt"), families)
	if len(before) > seriesMax {
		t.Errorf("%d series, more than %d", len(before), seriesMax)
	}

	for number := range 40 {
		document := newPaper(4, number)
		if _, _, err := post(client, p.url, document.raw); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/results/" + document.ownTest() + "/aggregate", fmt.Sprintf("/no/such/path/%d", number)} {
			if _, _, err := get(client, p.url+path); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, method := range []string{"PUT", "BREW", "X-1"} {
		request, err := http.NewRequest(method, p.url+"/import", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := read(client.Do(request)); err != nil {
			t.Fatal(err)
		}
	}
	_, after := scrape()
	// A status is a label once it has been answered; there are few, and their
	// routes are templates.
	late := 0
	for _, one := range after {
		switch {
		case slices.Contains(before, one), strings.HasPrefix(one, "go_"), strings.HasPrefix(one, "promhttp_"):
		case strings.HasPrefix(one, "markr_http_requests_total{"):
			late++
		default:
			t.Errorf("a series that was not there before: %s", one)
		}
	}
	const lateMax = 10
	if late > lateMax {
		t.Errorf("%d more series of requests, want at most %d", late, lateMax)
	}
}
