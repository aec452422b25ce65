// Package waltest is what any log must do. A log's own test makes stores and hands
// them to [Run].
//
// The interface is spelled out here instead of being taken from the engine, whose
// Log it is word for word: the rooms below wal know nothing of the engine, and the
// engine's tests check that the two are one.
package waltest
