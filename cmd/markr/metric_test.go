package main_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// metric reads a metric without labels.
func metric(client *http.Client, server, name string) (float64, error) {
	status, body, err := get(client, server+"/metrics")
	if err != nil || status != http.StatusOK {
		return 0, fmt.Errorf("GET /metrics: status %d, %w", status, err)
	}
	for line := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}

// awaitMetric waits until a metric has a value.
func awaitMetric(t tester, client *http.Client, server, name string, want float64) {
	t.Helper()
	awaitMetricThat(t, client, server, name, func(got float64) bool { return got == want })
}

// awaitAtLeast waits until a metric has reached a value.
func awaitAtLeast(t tester, client *http.Client, server, name string, least float64) {
	t.Helper()
	awaitMetricThat(t, client, server, name, func(got float64) bool { return got >= least })
}

func awaitMetricThat(t tester, client *http.Client, server, name string, is func(float64) bool) {
	t.Helper()
	err := eventually(func() error {
		got, err := metric(client, server, name)
		if err == nil && !is(got) {
			err = fmt.Errorf("%s is %v", name, got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// awaitStatus waits until a path has a status.
func awaitStatus(t tester, client *http.Client, url string, want int) {
	t.Helper()
	err := eventually(func() error {
		status, body, err := get(client, url)
		if err == nil && status != want {
			err = fmt.Errorf("GET %s: status %d, want %d: %s", url, status, want, body)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
