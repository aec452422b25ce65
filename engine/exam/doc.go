// Package exam holds the nouns of an examination: a test, a student, marks, one
// scanned record. It does no I/O and imports nothing of ours.
//
// Marks are integers from the first byte to the last division, because every
// published number must be exact; see [Marks].
package exam
