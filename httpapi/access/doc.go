// Package access says who may do what: bearer tokens with scopes, read from a
// file that holds their digests alone, and the names of client certificates.
//
// Most readers need [Parse], which reads a token file, and [Guard.Identify],
// which finds out who presents a token. The package does no I/O and knows
// nothing of HTTP: callers give it bytes and addresses and a clock.
//
// It guarantees that a token is compared in constant time and never kept, that
// a set of tokens is replaced as a whole, and that strangers cannot make it
// hold more than a fixed amount of memory.
package access
