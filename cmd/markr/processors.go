package main

import (
	"os"
	"runtime"
)

// waitingForDisk is how many threads usually wait for the disk: one for the log, and
// one for a flush, a compaction or a checkpoint.
const waitingForDisk = 2

// useProcessors lets the Go scheduler run so many goroutines at once as there are
// processors, and as many more as wait for the disk. A goroutine in a system call
// keeps its place until the scheduler finds out that it is stuck, which takes up to
// 20 ms; on two processors, with the log and a flush waiting at the same time,
// nothing else ran meanwhile. (Imports at half the top rate: p99 of 9 ms instead of
// 21.) A GOMAXPROCS in the environment wins.
func useProcessors() int {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + waitingForDisk)
	}
	return runtime.GOMAXPROCS(0)
}
