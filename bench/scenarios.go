package main

import (
	"errors"
	"slices"

	"markr/bench/cohort"
)

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

	writtenPerByte    = "bytes written per byte of entries"
	p99PerP50         = "p99 : p50"
	readP99           = "read p99 ms"
	longest           = "max ms"
	readySeconds      = "s until ready"
	marksPerCore      = "marks/s per core"
	allocsPerDocument = "allocations/document"
	fivePercentiles   = "ns for five percentiles"
	heapPerMark       = "bytes/mark in the heap"
	collectionMS      = "full collection ms"
	residentMiB       = "resident MiB"
	lastPerFirst      = "last million : first"

	eventP50          = "event p50 ms"
	eventP99          = "event p99 ms"
	subscribedName    = "with subscribers"
	unsubscribedName  = "without"
	subscribersTake   = "processors the subscribers take"
	perProcessorsLeft = "documents/s per processor they leave"
)

// scenarios is the list of what is measured.
func scenarios() []scenario {
	return slices.Concat(importScenarios(), readScenarios(), eventScenarios(), engineScenarios())
}

func importScenarios() []scenario {
	return []scenario{
		{
			name: "import-large",
			what: "documents of 100 records (20 answers each), 64 connections, as fast as they go, each on disk before it is acknowledged",
			goals: []goal{
				{figure: perSecond, atLeast: 4000},
				{figure: serverCPU, atMost: 250},
				{figure: rawPerStored, atLeast: 20},
				{figure: writtenPerByte, atMost: 2.5},
			},
			prepare: importing(importShape{records: 100, connections: 64, withEmpty: true}),
		},
		{
			name:    "import-peers",
			what:    "the same documents into what a user would pick instead (-against): the store alone, without HTTP and XML",
			goals:   []goal{{figure: perSecond, against: "PostgreSQL", atLeast: 4}},
			prepare: importing(importShape{records: 100, connections: 64, withPeers: true}),
			peers:   true,
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
			goals:   []goal{{figure: latencyP50, atMost: 0.6}, {figure: p99PerP50, atMost: 5}},
			prepare: importing(importShape{records: 100, connections: 1}),
		},
		{
			name:    "import-paced",
			what:    "documents of 100 records, 64 connections, due at half the rate reached just before; latency from when each was due",
			goals:   []goal{{figure: latencyP99, atMost: 10}},
			prepare: importing(importShape{records: 100, connections: 64, pacedAt: 0.5}),
		},
		{
			name:    "import-rescans",
			what:    "documents of 100 records about 100 000 students who are scanned again and again, 64 connections",
			prepare: importing(importShape{records: 100, connections: 64, again: true}),
		},
		{
			name:    "import-many-tests",
			what:    "documents of 100 records about 10 000 tests, 64 connections",
			prepare: importing(importShape{records: 100, connections: 64, tests: 10_000}),
		},
		{
			name:    "import-one-test",
			what:    "documents of 100 records about one test, 64 connections",
			prepare: importing(importShape{records: 100, connections: 64, tests: 1}),
		},
	}
}

func readScenarios() []scenario {
	ofEmpty := []goal{{figure: readsPerSec, against: emptyName, atLeast: 0.9}}
	return []scenario{
		{
			name:    "read-aggregate",
			what:    "GET of the aggregate of a test with 81 students, 64 connections, as fast as they go",
			goals:   ofEmpty,
			prepare: reading(81),
		},
		{
			name:    "read-aggregate-large",
			what:    "the same of a test with 2 million students",
			goals:   ofEmpty,
			prepare: reading(2_000_000),
		},
		{
			name:    "read-mixed",
			what:    "500 reads of an aggregate a second while imports run at half the rate reached just before",
			goals:   []goal{{figure: readP99, atMost: 5}},
			prepare: mixing,
		},
		{
			name:    "read-peers",
			what:    "aggregates of a test with 100 000 students: Markr over HTTP, the peers (-against) over their own sockets",
			prepare: peerReading(100_000),
			peers:   true,
		},
		{
			name:    "restart-log",
			what:    "start with 2 million marks in documents of 100 records, from the log alone",
			goals:   []goal{{figure: marksPerCore, atLeast: 700_000}},
			prepare: restarting(cohort.Options{Students: 200_000, Tests: 10}, false),
		},
		{
			name:    "restart-checkpoint",
			what:    "start with 10 million marks (1 million students, 10 tests), from the checkpoint",
			goals:   []goal{{figure: readySeconds, atMost: 1}},
			prepare: restarting(cohort.Options{Students: 1_000_000, Tests: 10, Questions: 1, RecordsPerDocument: 10_000}, true),
		},
		{
			name:    "trace-student",
			what:    "where a student's marks come from, one look-up after the other, among 10 million marks (1 million students, 10 tests) in documents of 100 records",
			goals:   []goal{{figure: latencyP50, atMost: 1}},
			prepare: tracing(cohort.Options{Students: 1_000_000, Tests: 10, RecordsPerDocument: 100}, studentPath),
		},
		{
			name:    "trace-past",
			what:    "a test of 100 000 students as it was after one of the newest 10 000 documents (10 tests), one look-up after the other",
			goals:   []goal{{figure: longest, atMost: 1000}},
			prepare: tracing(cohort.Options{Students: 100_000, Tests: 10, RecordsPerDocument: 50}, pastPath),
		},
		{
			name:    "trace-past-rule",
			what:    "a test with 10 000 documents of 100 records as it was under a rule that looks at what memory does not keep any more, one look-up after the other",
			goals:   []goal{{figure: longest, atMost: 1000}},
			prepare: tracing(cohort.Options{Students: 960_000, Tests: 1, RescanShare: 0.05, RecordsPerDocument: 100}, pastRulePath),
		},
	}
}

func eventScenarios() []scenario {
	return []scenario{
		{
			name:    "events-latency",
			what:    "from the 200 of a document to the event of its test, at half the import rate reached just before; tests that were quiet, and one that is always busy",
			goals:   []goal{{figure: eventP99, atMost: 50}},
			prepare: telling,
		},
		{
			name: "events-subscribers",
			what: "import-large with 1 000 streams of events, each about 4 of its 100 tests and read by a process of its own, and with none",
			goals: []goal{
				{figure: perSecond, against: unsubscribedName, atLeast: 0.9},
				{figure: perProcessorsLeft, against: unsubscribedName, atLeast: 0.9},
			},
			prepare: subscribing(1000),
		},
	}
}

func engineScenarios() []scenario {
	return []scenario{
		{
			name: "scanner",
			what: "records out of a document of 100, on one core, in this process; Markr checks all of XML 1.0 it may contain",
			goals: []goal{
				{figure: megabytes, against: stdlibName, atLeast: 40},
				{figure: megabytes, atLeast: 2000},
				{figure: allocsPerDocument, atMost: 0.01},
			},
			prepare: scanning,
		},
		{
			name:    "engine-percentiles-21",
			what:    "five percentiles of a million students at 21 distinct scores, engine alone",
			goals:   []goal{{figure: fivePercentiles, atMost: 1500}},
			prepare: engineScenario("reads", "1000000", "21"),
		},
		{
			name:    "engine-percentiles-1000000",
			what:    "five percentiles of a million students at up to a million distinct scores, engine alone",
			goals:   []goal{{figure: fivePercentiles, atMost: 1500}},
			prepare: engineScenario("reads", "1000000", "1000000"),
		},
		{
			name:    "engine-rise",
			what:    "a rise of the available marks of a test with 1 million students, until it is seen",
			goals:   []goal{{figure: "ms until visible", atMost: 1}},
			prepare: engineScenario("rise", "1000000"),
		},
		{
			name: "engine-memory",
			what: "10 million marks (1 million students, 10 tests), engine alone",
			goals: []goal{
				{figure: heapPerMark, atMost: 32},
				{figure: collectionMS, atMost: 2},
			},
			prepare: engineScenario("memory", "1000000", "10"),
		},
		{
			name: "engine-memory-large",
			what: "100 million marks (10 million students, 10 tests), engine alone, once",
			goals: []goal{
				{figure: residentMiB, atMost: 4096},
				{figure: lastPerFirst, atLeast: 0.8},
			},
			prepare: engineScenario("memory", "10000000", "10"),
			once:    true,
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
