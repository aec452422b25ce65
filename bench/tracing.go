package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"markr/bench/cohort"
	"markr/bench/load"
)

// tracedDocuments is how many of the newest documents a test is asked for as it was
// after.
const tracedDocuments = 10_000

// paths prepares what is looked up in a server that holds a cohort, and gives where a
// random part of it is.
type paths func(context.Context, *child, *cohort.Cohort) (func(*rand.Rand) string, error)

// tracing prepares look-ups of single students, or of tests as they were, one after
// the other, in a server that holds a cohort.
func tracing(options cohort.Options, prepared paths) preparation {
	return func(ctx context.Context, b *bencher) ([]contender, func() error, error) {
		c, err := cohort.New(options)
		if err != nil {
			return nil, nil, err
		}
		server, err := b.startMarkr(ctx)
		if err != nil {
			return nil, nil, err
		}
		end := func() error { return errors.Join(server.stop(), os.RemoveAll(server.dataDir)) }
		const connections = 4
		if err := fillCohort(ctx, server, c, connections); err != nil {
			return nil, nil, errors.Join(err, end())
		}
		path, err := prepared(ctx, server, c)
		if err != nil {
			return nil, nil, errors.Join(err, end())
		}
		measure := func(ctx context.Context, run int) (m measurement, err error) {
			random := rand.New(rand.NewPCG(uint64(run), 0))
			report, err := load.Run(ctx, b.loadOptions(server, 1),
				load.GetEach(server.target, func() string { return path(random) }))
			if err == nil && report.Failed > 0 {
				err = fmt.Errorf("%d look-ups failed: %v", report.Failed, report.Statuses)
			}
			m.figures = []figure{
				{latencyP50, milliseconds(report.Latency.P50)},
				{latencyP99, milliseconds(report.Latency.P99)},
				{longest, milliseconds(report.Latency.Max)},
				{"server CPU us/read", microseconds(report.ServerCPUPerRequest())},
				{othersBusy, processors(report.OthersCPU, report.Elapsed)},
			}
			return m, err
		}
		return []contender{{markrName, measure}}, end, nil
	}
}

// studentPath is where a random student of a random test is.
func studentPath(_ context.Context, _ *child, c *cohort.Cohort) (func(*rand.Rand) string, error) {
	o := c.Options()
	return func(random *rand.Rand) string {
		return "/results/" + c.TestID(random.IntN(o.Tests)) + "/students/" + c.StudentNumber(random.IntN(o.Students))
	}, nil
}

// pastPath is where a random test is as it was after one of the newest documents.
func pastPath(_ context.Context, _ *child, c *cohort.Cohort) (func(*rand.Rand) string, error) {
	return func(random *rand.Rand) string {
		return aggregateAt(c, random, c.Documents()-random.IntN(min(tracedDocuments, c.Documents()/2)))
	}, nil
}

// pastRulePath is where a random test is as it was when a rule was in force that looks at
// what memory does not keep under the one of now.
func pastRulePath(ctx context.Context, server *child, c *cohort.Cohort) (func(*rand.Rand) string, error) {
	at, err := server.reprocess(ctx, "latest")
	if err == nil {
		_, err = server.reprocess(ctx, "highest")
	}
	return func(random *rand.Rand) string { return aggregateAt(c, random, at) }, err
}

func aggregateAt(c *cohort.Cohort, random *rand.Rand, at int) string {
	return fmt.Sprintf("/results/%s/aggregate?at=%d", c.TestID(random.IntN(c.Options().Tests)), at)
}

// reprocess puts another scoring rule in force, and tells from which position on.
func (c *child) reprocess(ctx context.Context, rule string) (position int, err error) {
	const path = "/admin/reprocess"
	if status, body, err := c.ask(ctx, http.MethodPost, path, `{"scoring":"`+rule+`"}`); err != nil || status != http.StatusOK {
		return 0, fmt.Errorf("start reprocess: %d %s: %w", status, body, err)
	}
	for {
		var told struct {
			InForce   struct{ Position int } `json:"in_force"`
			Reprocess struct{ Phase, Error string }
		}
		_, body, err := c.get(ctx, path)
		if err == nil {
			err = json.Unmarshal(body, &told)
		}
		switch {
		case err != nil:
			return 0, fmt.Errorf("look at reprocess: %w", err)
		case told.Reprocess.Error != "":
			return 0, errors.New(told.Reprocess.Error)
		case told.Reprocess.Phase == "committed":
			return told.InForce.Position, nil
		case told.Reprocess.Phase == "ready":
			if status, body, err := c.ask(ctx, http.MethodPost, path+"/commit", "{}"); err != nil || status != http.StatusOK {
				return 0, fmt.Errorf("commit reprocess: %d %s: %w", status, body, err)
			}
		default:
			const pause = 100 * time.Millisecond
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
	}
}
