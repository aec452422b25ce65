// Package wal is the vault: documents in order, durable, checksummed, opaque.
//
// Most readers need [Vault.Append], which returns when the entries are on disk,
// and [Vault.Replay], which gives back what was accepted, in order.
//
// Guaranteed: after any crash, what Append has acknowledged is there, whole; a
// group of entries is there whole or not at all; opening again needs no help;
// nothing is returned before it is on disk; what is damaged or missing is named
// by position and never skipped.
//
// Not guaranteed: anything on a disk that acknowledges a sync it has not done,
// or on a file system without advisory locks.
//
// Locks, in the order in which they are taken: lifetime (shared by every
// operation, so that Close can wait for them), snapshots.taking (one TakeSnapshot at a
// time), appending (one Append at a time,
// held over its I/O, because order is what it is for), then totals, the
// snapshots' and the disk's, under which there is no I/O but one statfs. The design, with the bytes
// on disk, is in DESIGN.md.
package wal
