// Package summary computes the published figures of a test from integer sums and
// a count of students per score. It is pure. Every figure is the float64 nearest
// to the exact value (ties to even); nothing is rounded twice.
package summary
