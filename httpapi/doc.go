// Package httpapi is the border: it turns HTTP requests into calls of the engine
// and what the engine answers into HTTP responses. It is the only package that
// knows fasthttp, and nothing of fasthttp leaves it or outlives its handler.
//
// Most readers need [New] and [Server.Serve]; inside, the route table in
// routes.go and the table of errors in status.go.
//
// Guaranteed: a 200 to an import is sent only after the engine says that the
// document is durable and visible; every error is problem+json, also those of
// the server core; memory held for request bodies never exceeds
// [Limits].BytesInFlightMax, whatever clients declare; a connection whose request
// was not read to its end is closed, so that no byte of a body is ever taken for
// a request.
//
// Not guaranteed: that a client which sends on after its request was refused
// receives the refusal; it is given [Limits].LingerTimeout to listen.
//
// Goroutines: fasthttp's, one per connection. There is one lock, that of the list
// of open connections, and no I/O happens under it. The design is in DESIGN.md.
package httpapi
