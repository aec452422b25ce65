package mutants_test

// engine are the mutants of the engine: what counts, when, and what comes out.
func engine() []mutant {
	return []mutant{
		{
			name: "an import is answered before it is appended",
			file: "engine/commit.go",
			old:  "err := e.opts.Log.Append(entries)\n",
			new:  "for _, d := range batch {\n\t\td.done <- struct{}{}\n\t}\n\terr := e.opts.Log.Append(entries)\n",
			test: "TestStalledDisk",
		},
		{
			name: "an import is answered before it is visible",
			file: "engine/commit.go",
			old:  `e.state.Store(e.take(b, batch))`,
			new:  `defer func(s *State) { runtime.Gosched(); e.state.Store(s) }(e.take(b, batch))`,
			test: "TestConcurrentWritersAndReaders",
		},
		{
			name: "a failed append is answered as a good one",
			file: "engine/commit.go",
			old:  `d.err = err`,
			new:  `d.err = nil`,
			test: "TestAppendFails",
		},
		{
			name: "a document is counted though its append failed",
			file: "engine/commit.go",
			old:  "if err == nil {\n\t\te.state.Store(",
			new:  "{\n\t\te.state.Store(",
			test: "TestAppendFails",
		},
		{
			name: "a refused document is counted",
			file: "engine/commit.go",
			old:  `case entry.Refused, entry.Duplicate:`,
			new:  "case entry.Refused, entry.Duplicate:\n\t\t\tb.apply(referTo(&d.entry.Header), &d.doc)",
			test: "TestRefusedLeavesNothingBehind",
		},
		{
			name: "half of a document is applied",
			file: "engine/book.go",
			old:  `for first, run := 0, 0; first < len(records); run++ {`,
			new:  `for first, run := len(records)/2, 0; first < len(records); run++ {`,
			test: "TestImportCountsAndAnswers",
		},
		{
			name: "recovery begins one entry too late",
			file: "engine/recover.go",
			old:  `from: b.position + 1, cores`,
			new:  `from: b.position + 2, cores`,
			test: "TestCheckpointRestart",
		},
		{
			name: "recovery goes on where the log is damaged",
			file: "engine/pipeline.go",
			old:  "err := e.opts.Log.Replay(ctx, r.from, func(",
			new:  "var err error\n\t_ = e.opts.Log.Replay(ctx, r.from, func(",
			test: "TestRecoveryStopsAtDamage",
		},
		{
			name: "a checkpoint under another rule is taken",
			file: "engine/checkpoint_decode.go",
			old:  `case made != inForce.Rule:`,
			new:  `case made.Policy == 255:`,
			test: "TestCheckpointUnusable",
		},
		{
			name: "the past is answered under the rule of today",
			file: "engine/past.go",
			old:  `r.Rule = era.rule`,
			new:  `r.Rule = p.now.Rule`,
			test: "TestThePastUnderItsRule",
		},
		{
			name: "what was refused before a checkpoint is forgotten",
			file: "engine/checkpoint_decode.go",
			old:  `refused.restore(d.refusals())`,
			new:  `_ = d.refusals()`,
			test: "TestRefusalsOutliveReprocess",
		},
		{
			name: "the rule highest is off by one",
			file: "engine/scoring/scan.go",
			old:  "case Highest:\n\t\tif a.Obtained != b.Obtained {\n\t\t\treturn a.Obtained > b.Obtained",
			new:  "case Highest:\n\t\tif a.Obtained != b.Obtained {\n\t\t\treturn a.Obtained > b.Obtained+1",
			test: "TestKeepingTheBetterIsOrderFree", args: "-rapid.nofailfile",
		},
		{
			name: "of equal scans the one that came last is kept",
			file: "engine/scoring/scan.go",
			old:  "case First:\n\t}\n\treturn a.before(b)",
			new:  "case First:\n\t}\n\treturn !a.before(b)",
			test: "TestPolicies", some: true,
		},
		{
			name: "a percentile is taken one rank too low",
			file: "engine/summary/distribution.go",
			old:  `d.root.at(rank/whole + 1)`,
			new:  `d.root.at(rank / whole)`,
			test: "TestKnownFigures", some: true,
		},
		{
			name: "the standard deviation is that of a sample",
			file: "engine/summary/distribution.go",
			old:  `product(n*of, n*of).big()`,
			new:  `product(n*of, (n-min(n-1, 1))*of).big()`,
			test: "TestKnownFigures",
		},
	}
}
