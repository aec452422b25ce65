// Package scoring holds the rules that decide which scan of a student is kept
// and what its marks are a percentage of. Rules are pure, named, versioned and
// order-free: whatever the order of arrival, and however often a scan arrives, the
// same scan is kept.
//
// # The merge law
//
// A policy is a strict total order on scans that differ in their arrival, and the
// kept scan of a set of scans is its greatest. So with a + b for what is kept of two
// sets together, for all sets of scans a, b and c of one student in one test:
//
//	a + b = b + a                  commutative: the order of documents does not matter
//	(a + b) + c = a + (b + c)      associative: how they are split does not matter
//	a + a = a                      idempotent: receiving again does not matter
//
// The marks available, of the test and of the student's sheets, are maxima and obey
// the same law. Everything else is computed from these two. Replay, retry, restore,
// reprocessing and, later, replication lean on it; it is tested here on the order
// alone and in markr/engine/ledger on what is really kept.
package scoring
