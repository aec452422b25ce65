//go:build race

package mcqxml_test

// underRace says that the race detector watches. It makes scanning twenty times
// slower and lets sync.Pool forget at random, so tests of a single goroutine
// that take long or count allocations leave themselves out.
const underRace = true
