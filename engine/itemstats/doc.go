// Package itemstats keeps what the answers of a test's kept sheets say of its questions,
// and computes the classical statistics of items from it. It is pure: it knows no log and
// no goroutine but its writer's.
//
// A [Draft] reads the answers of one document, on any goroutine. [Test] counts kept sheets,
// and has one writer: a better scan of a student takes the old sheet off and puts the new
// one on, exactly. A [View] is what it was at one moment; [View.Analyse] and [View.WhatIf]
// compute from it while the writer goes on.
//
// [Test.Store] is what there is to be written down of a test, and [Restore] makes a test of
// it.
//
// Everything kept is an integer, and what is told is a function of the set of scans that
// were ever seen, whatever their order: see DESIGN.md of markr/engine. Every figure is the
// float64 nearest to the true value.
package itemstats
