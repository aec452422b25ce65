package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"

	"markr/bench/cohort"
	"markr/bench/load"
)

// tracedDocuments is how many of the newest documents a test is asked for as it was
// after.
const tracedDocuments = 10_000

// tracing prepares look-ups of single students, or of tests as they were, one after
// the other, in a server that holds a cohort.
func tracing(options cohort.Options, pathOf func(*cohort.Cohort, *rand.Rand) string) preparation {
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
		measure := func(ctx context.Context, run int) (m measurement, err error) {
			random := rand.New(rand.NewPCG(uint64(run), 0))
			report, err := load.Run(ctx, b.loadOptions(server, 1),
				load.GetEach(server.target, func() string { return pathOf(c, random) }))
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
func studentPath(c *cohort.Cohort, random *rand.Rand) string {
	o := c.Options()
	return "/results/" + c.TestID(random.IntN(o.Tests)) + "/students/" + c.StudentNumber(random.IntN(o.Students))
}

// pastPath is where a random test is as it was after one of the newest documents.
func pastPath(c *cohort.Cohort, random *rand.Rand) string {
	at := c.Documents() - random.IntN(min(tracedDocuments, c.Documents()/2))
	return fmt.Sprintf("/results/%s/aggregate?at=%d", c.TestID(random.IntN(c.Options().Tests)), at)
}
