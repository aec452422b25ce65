package main

import "errors"

// Names of contenders, and of figures that have goals.
const (
	markrName    = "markr"
	emptyName    = "empty handler"
	stdlibName   = "encoding/xml"
	perSecond    = "documents/s"
	readsPerSec  = "reads/s"
	megabytes    = "MB/s"
	serverCPU    = "server CPU us/document"
	latencyP50   = "p50 ms"
	latencyP99   = "p99 ms"
	othersBusy   = "processors busy elsewhere"
	rawPerStored = "raw bytes per stored byte"
)

// scenarios is the list of what is measured. A peer is one more contender in it.
func scenarios() []scenario {
	return []scenario{
		{
			name: "import-large",
			what: "documents of 100 records (20 answers each), 64 connections, as fast as they go, each on disk before it is acknowledged",
			goals: []goal{
				{figure: perSecond, atLeast: 1500},
				{figure: perSecond, atLeast: 4000},
				{figure: serverCPU, atMost: 250},
				{figure: rawPerStored, atLeast: 20},
			},
			prepare: importing(importShape{records: 100, connections: 64, withEmpty: true}),
		},
		{
			name: "import-small",
			what: "documents of 1 record, 256 connections, as fast as they go",
			goals: []goal{
				{figure: perSecond, atLeast: 30_000},
				{figure: rawPerStored, atLeast: 8},
			},
			prepare: importing(importShape{records: 1, connections: 256, withEmpty: true}),
		},
		{
			name:    "import-alone",
			what:    "documents of 100 records, 1 connection: the latency of an idle server",
			goals:   []goal{{figure: latencyP50, atMost: 0.6}},
			prepare: importing(importShape{records: 100, connections: 1}),
		},
		{
			name:    "import-paced",
			what:    "documents of 100 records, 64 connections, due at half the rate reached just before; latency from when each was due",
			goals:   []goal{{figure: latencyP99, atMost: 10}},
			prepare: importing(importShape{records: 100, connections: 64, pacedAt: 0.5}),
		},
		{
			name: "read-aggregate",
			what: "GET of the aggregate of a test with 81 students, 64 connections, as fast as they go",
			goals: []goal{
				{figure: readsPerSec, against: emptyName, atLeast: 0.8},
				{figure: readsPerSec, against: emptyName, atLeast: 0.9},
			},
			prepare: reading(81),
		},
		{
			name: "read-aggregate-large",
			what: "the same of a test with 200 000 students",
			goals: []goal{
				{figure: readsPerSec, against: emptyName, atLeast: 0.8},
				{figure: readsPerSec, against: emptyName, atLeast: 0.9},
			},
			prepare: reading(200_000),
		},
		{
			name: "scanner",
			what: "records out of a document of 100, on one core, in this process; Markr checks all of XML 1.0 it may contain",
			goals: []goal{
				{figure: megabytes, against: stdlibName, atLeast: 10},
				{figure: megabytes, against: stdlibName, atLeast: 40},
				{figure: megabytes, atLeast: 2000},
			},
			prepare: scanning,
		},
	}
}

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.name)
	}
	return names
}

// nothingToEnd ends contenders that leave nothing running.
func nothingToEnd() error { return nil }

// endAll stops children.
func endAll(children ...*child) func() error {
	return func() error {
		errs := make([]error, 0, len(children))
		for _, c := range children {
			errs = append(errs, c.stop())
		}
		return errors.Join(errs...)
	}
}
