package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleep waits to within some tens of microseconds. The runtime's own timers are
// good to a millisecond when the program is otherwise idle, which would be most of
// a fast server's latency.
func sleep(d time.Duration) {
	rest := unix.NsecToTimespec(d.Nanoseconds())
	for unix.Nanosleep(&rest, &rest) == unix.EINTR {
		// A signal; the rest is left.
	}
}

// ownCPU is the processor time this process has used.
func ownCPU() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
