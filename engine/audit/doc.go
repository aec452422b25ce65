// Package audit has the nouns of the audit trail: what is recorded when data or rules
// change and no document is why.
//
// Most readers need [Event], and [Encode] and [Decode], which turn one into what the
// log keeps and back. The package is pure: it does no I/O and knows no log.
//
// Guaranteed: what Encode writes, Decode reads; equal events are equal bytes; what
// this program does not know, a newer one has written, and it is refused instead of
// being passed over. Never in an event: a token, a token's digest, a student's name or
// number.
package audit
