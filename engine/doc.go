// Package engine accepts documents, keeps the state of every test, and answers
// reads.
//
// Most readers need [Engine.Import], which answers only when a document is
// durable and visible, and [Engine.Test], one atomic load of an immutable view.
//
// Guaranteed: a document counts whole or not at all, for every reader, at every
// instant and after every crash; what Import has answered is in the log and in
// the next read; published numbers are the float64 nearest to the exact value.
//
// Not guaranteed: that two reads see the same state; take one [Engine.State]
// for that.
//
// Goroutines: one committer decides order and is the only one that changes
// state; recovery runs before it starts. Readers of a [State] take no lock; those who
// ask for one student's scans or for the past take one for as long as a view takes.
// No lock is taken under another, and no I/O happens under one. The design is in
// DESIGN.md.
package engine
