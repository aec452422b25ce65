// Package load puts a bounded, measured load on an HTTP server: imports of
// documents no two of which are the same, or reads.
//
// [Run] does it; a [Feed] says what a connection sends. [NewImports] and [Get] make
// feeds.
//
// Two ways to load. Closed loop: every connection sends its next request when it
// has the answer to the last; it shows how much the server can do, and its
// latencies are those of a saturated server. Open loop, with [Options.Rate]: requests
// are due at fixed times whatever the server does, and latency counts from the
// moment a request was due, not from when a connection became free to send it: a
// stall is felt by every request that was due meanwhile, as its users would.
//
// Guaranteed: a run ends by itself; it leaves loopback only when asked; every
// request is accounted for as an answer with its status or as an error.
//
// The package speaks just enough HTTP/1.1 for that, over its own connections,
// because the generator shares the processors with what it measures: one write and
// usually one read per request, no allocation, the request's bytes sent from where
// they lie.
package load
