// Package examday makes up a day of exams at several schools, document by document
// in the order in which their scanners post them, for demonstrations: rescans of
// folded papers, documents that are refused and handed in again, bytes that are sent
// twice, one number with two names, and one question whose key is wrong.
//
// [New] makes the whole of a day; the same seed gives the same bytes everywhere. The
// papers are those of markr/bench/cohort: schools differ in how able their students
// are, and the students of all schools sit the same questions.
//
// It is a room of its own because a day has what a cohort must not have: documents
// that are wrong, and a clock.
package examday
