//go:build race

package qtixml_test

// underRace says that the race detector watches: everything is many times slower and
// takes many times the memory, so what is measured means nothing.
const underRace = true
