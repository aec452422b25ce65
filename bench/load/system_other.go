//go:build !linux

package load

import "time"

// sleep waits as exactly as the runtime does.
func sleep(d time.Duration) { time.Sleep(d) }

// SyncDisks does nothing here.
func SyncDisks() {}

// ownCPU is not known here.
func ownCPU() time.Duration { return 0 }

// BusyCPU is not known here.
func BusyCPU() time.Duration { return 0 }
