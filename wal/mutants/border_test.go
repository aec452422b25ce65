package mutants_test

// border are the mutants of the border: what is let in, and what is answered.
func border() []mutant {
	return []mutant{
		{
			name: "a failed append is answered 200",
			file: "httpapi/import.go",
			old:  "if err != nil {\n\t\treturn r.refusedByEngine(err)",
			new:  "if _, known := errors.AsType[*engine.RefusedError](err); known {\n\t\treturn r.refusedByEngine(err)",
			test: "TestFailedAppend",
		},
		{
			name: "a body that is cut short is accepted",
			file: "httpapi/wire.go",
			old:  `w.received < w.declared:`,
			new:  `w.received < -w.declared:`,
			test: "TestBadClients",
		},
		{
			name: "the budget is not given back",
			file: "httpapi/body.go",
			old:  `b.server.budget.give(b.taken)`,
			new:  ``,
			test: "FuzzBodyCoding",
		},
		{
			name: "places of imports are not given back",
			file: "httpapi/places.go",
			old:  `func (p *places) leave(weight int64) { p.free.Release(weight) }`,
			new:  `func (p *places) leave(int64) {}`,
			test: "TestPlacesAreGivenBack",
		},
		{
			name: "admission is skipped: a declared length over the limit",
			file: "httpapi/admit.go",
			old:  `case int64(length) > s.limits.BodyBytesMax:`,
			new:  `case int64(length) > s.limits.BodyBytesMax && length == 0:`,
			test: "TestBadClients",
		},
		{
			name: "admission is skipped: two framings of one body",
			file: "httpapi/admit.go",
			old:  `&& framedTwice(raw):`,
			new:  `&& framedTwice(nil):`,
			test: "TestBadClients",
		},
		{
			name: "admission is skipped: a vault that cannot write",
			file: "httpapi/admit.go",
			old:  `case s.engine.Writable() != nil:`,
			new:  `case s.engine == nil:`,
			test: "TestReadOnly",
		},
		{
			name: "the decoded size of a body has no limit",
			file: "httpapi/decode.go",
			old:  `codingError(bodyGzip, b.fill(decoder, -1, s.limits.DecodedBytesMax))`,
			new:  `codingError(bodyGzip, b.fill(decoder, -1, s.limits.DecodedBytesMax<<8))`,
			test: "TestBombs",
		},
		{
			name: "something may follow a deflated body",
			file: "httpapi/decode.go",
			old:  `if source.Len() > 0 {`,
			new:  `if source.Len() < 0 {`,
			test: "TestBadCodings",
		},
		{
			name: "one route asks nobody for a token",
			file: "httpapi/routes.go",
			old:  `(*Server).importDocument, public, access.Export, nil}`,
			new:  `(*Server).importDocument, public, access.Open, nil}`,
			test: "TestAccess",
		},
		{
			name: "a token may do what its scopes do not say",
			file: "httpapi/access.go",
			old:  "err = grant.Check(r.route.scope, r.address(), r.started)",
			new:  "err = nil",
			test: "TestAccess",
		},
		{
			name: "text in another encoding is not in the budget",
			file: "httpapi/import.go",
			old:  `Corrects: corrects, Room: r.document.room}`,
			new:  `Corrects: corrects}`,
			test: "TestTranscodedTextIsInTheBudget",
		},
		{
			name: "a token may have the name of somebody else in the audit trail",
			file: "httpapi/access/file.go",
			old:  `if reserved(name) {`,
			new:  `if false && reserved(name) {`,
			test: "TestReservedNames",
		},
	}
}
