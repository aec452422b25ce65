// Package quality finds what is odd about the scans of a test without making any of
// them wrong. It is pure: it knows no log and no goroutine.
//
// An [Inspection] looks at one document by itself: what needs no other document is
// found there, on any goroutine. [Test] brings documents together, one after the other,
// and has one writer. Everything in it is a set, a count of a set or a bounded part of
// one that is chosen by what is in it and not by when it came, so it is the same
// whatever the order of documents: see DESIGN.md of markr/engine.
//
// What is told of students, that their scans differ, is kept with their rows, in
// markr/engine/ledger.
package quality
