// Bench measures Markr side by side with what bounds it, in one run on one
// machine:
//
//	go run ./bench
//
// It builds the server, starts it as a process of its own on a free port of
// loopback with a data directory that is removed afterwards, and loads it from this
// process. In alternation with it runs a server whose handlers do nothing: what
// HTTP and the load generator cost on this machine at this moment. Every figure is
// the median of several runs, with the extremes beside it, and figures of the same
// run are what may be compared; see DESIGN.md.
//
// Most readers need scenarios.go, the list of what is measured, and
// [markr/bench/load], which does the measuring.
//
// Guaranteed: nothing is counted that the server did not confirm, and after every
// import run the students it serves are those that were sent. Nothing listens but
// on loopback, and what was started is ended.
//
// Not guaranteed: that another machine, or this one an hour later, gives the same
// figures.
package main
