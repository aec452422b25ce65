package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"markr/bench/cohort"
	"markr/bench/load"
)

// readConnections is enough to saturate both servers.
const readConnections = 64

// reading prepares reads of one aggregate of a test with so many students, beside
// a server that answers as many bytes without looking.
func reading(students int) preparation {
	return func(ctx context.Context, b *bencher) ([]contender, func() error, error) {
		markr, err := b.startMarkr(ctx)
		if err != nil {
			return nil, nil, err
		}
		path, err := fill(ctx, markr, students)
		if err != nil {
			return nil, nil, errors.Join(err, markr.stop())
		}
		empty, err := b.startBaseline(ctx)
		if err != nil {
			return nil, nil, errors.Join(err, markr.stop())
		}
		var contenders []contender
		for _, c := range []struct {
			name   string
			server *child
		}{{markrName, markr}, {emptyName, empty}} {
			contenders = append(contenders, contender{c.name, func(ctx context.Context, _ int) (measurement, error) {
				report, err := load.Run(ctx, b.loadOptions(c.server, readConnections), load.Get(c.server.target, path))
				return measurement{figures: readFigures(report), report: &report}, err
			}})
		}
		return contenders, endAll(markr, empty), nil
	}
}

func readFigures(r load.Report) []figure {
	return []figure{
		{readsPerSec, r.PerSecond},
		{"server CPU us/read", microseconds(r.ServerCPUPerRequest())},
		{"generator CPU us/read", microseconds(r.GeneratorCPUPerRequest())},
		{latencyP50, milliseconds(r.Latency.P50)},
		{latencyP99, milliseconds(r.Latency.P99)},
		{"max ms", milliseconds(r.Latency.Max)},
		{"failed", float64(r.Failed)},
		{othersBusy, processors(r.OthersCPU, r.Elapsed)},
	}
}

// fill imports a test with so many students, and returns the path of its
// aggregate.
func fill(ctx context.Context, server *child, students int) (path string, err error) {
	c, err := cohort.New(cohort.Options{Students: students, RecordsPerDocument: 10_000})
	if err != nil {
		return "", err
	}
	document := 0
	report, err := load.Run(ctx, load.Options{Target: server.target, Connections: 1, Duration: time.Hour},
		func(int) load.Feed {
			return func() []byte {
				if document == c.Documents() {
					return nil
				}
				body := c.AppendDocument(nil, document)
				document++
				return load.ImportRequest(server.target, body)
			}
		})
	if err != nil {
		return "", err
	}
	if report.Total != int64(c.Documents()) {
		return "", fmt.Errorf("%d of %d documents accepted: %v %v", report.Total, c.Documents(), report.Statuses, report.Errors)
	}
	path = "/results/" + c.TestID(0) + "/aggregate"
	return path, checkCount(ctx, server, path, students)
}

func checkCount(ctx context.Context, server *child, path string, students int) error {
	status, body, err := server.get(ctx, path)
	if err != nil {
		return err
	}
	var aggregate struct {
		Count int `json:"count"`
	}
	if err := json.Unmarshal(body, &aggregate); err != nil || status != http.StatusOK || aggregate.Count != students {
		return fmt.Errorf("aggregate of %d students: status %d, %s", students, status, body)
	}
	return nil
}
