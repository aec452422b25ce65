package load

import (
	"bytes"
	"os"
	"strconv"
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

// SyncDisks has what others have written go to disk first, so that it is not waited
// for in a measurement.
func SyncDisks() { unix.Sync() }

// ownCPU is the processor time this process has used.
func ownCPU() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BusyCPU is the time that all processors together have not been idle, or 0 if the
// system does not tell.
func BusyCPU() time.Duration {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	// cpu user nice system idle iowait irq softirq steal …
	const idle, iowait, steal = 4, 5, 8
	var busy time.Duration
	for i, field := range bytes.Fields(line) {
		if i == 0 || i == idle || i == iowait || i > steal {
			continue
		}
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0
		}
		busy += time.Duration(ticks) * statTick
	}
	return busy
}
