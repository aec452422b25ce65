// Package ledger keeps who has which marks: every student number once, and for
// every test the kept scan of each of its students. It is pure: it does no I/O and
// knows no log, no document and no goroutine but its writer's.
//
// [Students] gives a number a small one, [Test] takes scans and keeps the better
// ones. Both hold their rows in the order in which they came, in chunks without
// pointers, and find them through an [index] of 32-bit row numbers: some 25 bytes a
// mark that the collector never looks into. A [View] of either is what it was at
// one moment, while the writer goes on: what a checkpoint is written from.
//
// Documents are taken in blocks of records and each block in passes, because a
// table of a million students lies in memory, not in a cache: a load takes 300 ns
// alone and 20 ns among others that do not wait for it. So a block's places are all
// touched before any of them is used.
package ledger
