package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// statTick is the unit of time in /proc: the kernel tells processes hundredths of a
// second, whatever its own tick.
const statTick = time.Second / 100

// ProcessCPU reads the processor time of a process on this machine, where the
// system has /proc.
func ProcessCPU(pid int) func() (time.Duration, error) {
	path := fmt.Sprintf("/proc/%d/stat", pid)
	return func() (time.Duration, error) {
		stat, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		return parseStat(stat)
	}
}

// parseStat reads utime and stime, the 14th and 15th field. The second is the
// program's name in brackets and may hold anything, so counting starts behind it.
func parseStat(stat []byte) (time.Duration, error) {
	const fieldsBefore = 11 // between the name and utime
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < fieldsBefore+2 {
		return 0, errors.New("process status is too short")
	}
	user, userErr := strconv.ParseInt(string(fields[fieldsBefore]), 10, 64)
	system, systemErr := strconv.ParseInt(string(fields[fieldsBefore+1]), 10, 64)
	if err := errors.Join(userErr, systemErr); err != nil {
		return 0, fmt.Errorf("process status: %w", err)
	}
	return time.Duration(user+system) * statTick, nil
}

// MetricsCPU reads the processor time of a server from its metrics page, where
// process_cpu_seconds_total tells it.
func MetricsCPU(client *http.Client, metrics string) func() (time.Duration, error) {
	return func() (seconds time.Duration, err error) {
		response, err := client.Get(metrics) //nolint:noctx // The client has the timeout.
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, response.Body.Close()) }()
		if response.StatusCode != http.StatusOK {
			return 0, fmt.Errorf("get %s: status %d", metrics, response.StatusCode)
		}
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
			value, found := strings.CutPrefix(lines.Text(), "process_cpu_seconds_total ")
			if !found {
				continue
			}
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return 0, fmt.Errorf("process_cpu_seconds_total: %w", err)
			}
			return time.Duration(f * float64(time.Second)), nil
		}
		if err := lines.Err(); err != nil {
			return 0, err
		}
		return 0, fmt.Errorf("%s has no process_cpu_seconds_total", metrics)
	}
}

// meter takes the processor time used between start and stop.
type meter struct {
	read    func() (time.Duration, error) // nil: the server's is not known
	started bool
	err     error

	from              usage
	server, own, busy time.Duration
}

// usage is processor time used so far.
type usage struct{ server, own, busy time.Duration }

func (m *meter) now() (u usage) {
	if m.read != nil {
		u.server, m.err = m.read()
	}
	u.own, u.busy = ownCPU(), BusyCPU()
	return u
}

func (m *meter) start() {
	m.started = true
	m.from = m.now()
}

func (m *meter) stop() {
	if !m.started || m.err != nil {
		return
	}
	to := m.now()
	m.server, m.own, m.busy = to.server-m.from.server, to.own-m.from.own, to.busy-m.from.busy
}

// others is what was used by neither server nor generator, if all of that is
// known.
func (m *meter) others() time.Duration {
	if m.server == 0 || m.busy == 0 {
		return 0
	}
	return max(0, m.busy-m.server-m.own)
}
