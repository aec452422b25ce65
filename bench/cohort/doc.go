// Package cohort makes up cohorts of students, the tests they sit and the
// documents a scanner posts about them, for demonstrations, tests and load.
//
// [New] fixes a cohort by its [Options]; [Cohort.AppendDocument] renders any of
// its documents, in any order and from any goroutine, because a document is a
// function of the options and its index alone.
//
// Guaranteed: the same options give the same bytes on every platform and with
// every Go release. Everything that decides a byte is integer arithmetic over
// math/rand/v2's PCG, whose stream is fixed; no map is iterated, and no
// floating-point function is asked whose last bit may differ between machines.
//
// The sheets make sense as an examination: students have an ability, questions
// have a difficulty, a discrimination, a key and distractors that attract more or
// less; who does not know guesses or leaves a blank; a few questions are
// miskeyed. Item statistics computed from a cohort look like item statistics. What
// the marks ought to be, [Cohort.Expected] says, computed the slow and obvious
// way.
package cohort
