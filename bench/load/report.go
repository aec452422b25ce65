package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is what a run found in the time that is counted, the warm-up left out.
type Report struct {
	Connections int           `json:"connections"`
	Rate        float64       `json:"rate,omitempty"` // asked for; 0: closed loop
	Elapsed     time.Duration `json:"elapsed_ns"`

	// PerSecond is the rate of successful answers, 2xx and 304, that arrived in
	// Elapsed.
	PerSecond float64 `json:"per_second"`

	// What became of the requests that were due in Elapsed, whenever it was
	// known.
	Succeeded int64            `json:"succeeded"`
	Failed    int64            `json:"failed"` // other answers, and none
	Statuses  map[int]int64    `json:"statuses"`
	Errors    map[string]int64 `json:"errors,omitempty"` // why there was no answer

	// Latency is that of those requests: from when the request was due, in an open
	// loop, or sent, in a closed one, to the last byte of the answer.
	Latency Latency `json:"latency"`
	// Lateness is how late requests were sent in an open loop, because of the
	// server or of the generator itself. It is part of Latency.
	Lateness *Latency `json:"lateness,omitempty"`
	// TurnedAway is that of the answers other than 2xx and 304, if there were any, from
	// when their requests were sent.
	TurnedAway *Latency `json:"turned_away,omitempty"`

	BytesSent     int64 `json:"bytes_sent"`     // over the whole run
	BytesReceived int64 `json:"bytes_received"` // over the whole run

	// Total is how many requests succeeded in the whole run.
	Total int64 `json:"total"`

	arrived int64 // successes that arrived in Elapsed

	// ServerCPU is the processor time the server used; 0 if it is not known.
	ServerCPU time.Duration `json:"server_cpu_ns,omitempty"`
	// GeneratorCPU is the processor time this process used meanwhile; 0 if it is
	// not known.
	GeneratorCPU time.Duration `json:"generator_cpu_ns,omitempty"`
	// OthersCPU is the processor time that went elsewhere meanwhile, also to the
	// kernel's own work for the network; 0 if it is not known. Whoever compares
	// figures wants it small.
	OthersCPU time.Duration `json:"others_cpu_ns,omitempty"`
}

// Latency is a distribution of durations, exact to three digits.
type Latency struct {
	Mean time.Duration `json:"mean_ns"`
	P50  time.Duration `json:"p50_ns"`
	P90  time.Duration `json:"p90_ns"`
	P99  time.Duration `json:"p99_ns"`
	P999 time.Duration `json:"p999_ns"`
	Max  time.Duration `json:"max_ns"`
}

// ServerCPUPerRequest is the processor time of the server per answer, 0 if it is
// not known.
func (r Report) ServerCPUPerRequest() time.Duration { return r.per(r.ServerCPU) }

// GeneratorCPUPerRequest is that of the generator.
func (r Report) GeneratorCPUPerRequest() time.Duration { return r.per(r.GeneratorCPU) }

func (r Report) per(d time.Duration) time.Duration {
	if r.arrived == 0 {
		return 0
	}
	return d / time.Duration(r.arrived)
}

// The range of a histogram: a microsecond to five minutes, to three digits.
const (
	histogramMaxUS  = int64(5 * time.Minute / time.Microsecond)
	histogramDigits = 3
)

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, histogramMaxUS, histogramDigits)
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	at := func(q float64) time.Duration {
		return time.Duration(h.ValueAtQuantile(q)) * time.Microsecond
	}
	return Latency{
		Mean: time.Duration(h.Mean() * float64(time.Microsecond)),
		P50:  at(50),
		P90:  at(90),
		P99:  at(99),
		P999: at(99.9),
		Max:  time.Duration(h.Max()) * time.Microsecond,
	}
}
