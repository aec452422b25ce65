package load

import (
	"fmt"
	"math"
	"time"
)

// Options bound a run. Target is required.
type Options struct {
	Target Target
	// Connections is how many are kept open, each with one request under way at
	// most; default 64, at most [ConnectionsMax].
	Connections int
	// Rate is how many requests are due per second, over all connections; 0: a
	// closed loop.
	Rate float64
	// WarmUp is how long the load is on before anything is counted; default
	// none.
	WarmUp time.Duration
	// Duration is how long is counted; default 5 s, at most [DurationMax].
	Duration time.Duration
	// RequestsMax ends the run after so many requests, those of the warm-up
	// included; 0: only time does.
	RequestsMax int64
	// AnswerWait is how long to wait for the answers under way at the end;
	// default 10 s.
	AnswerWait time.Duration
	// ServerCPU reads the processor time the server has used so far; see
	// [ProcessCPU] and [MetricsCPU]. Default: it is not known.
	ServerCPU func() (time.Duration, error)
	// Progress is called about ten times a second, from one goroutine; default
	// not.
	Progress func(Progress)
}

// Progress is how far a run has come.
type Progress struct {
	WarmingUp bool
	Elapsed   time.Duration // of the duration that is counted
	Succeeded int64         // answers counted so far
	Failed    int64
}

// Bounds of [Options].
const (
	ConnectionsMax = 4096
	DurationMax    = time.Hour
)

func (o Options) withDefaults() Options {
	if o.Connections == 0 {
		o.Connections = 64
	}
	if o.Duration == 0 {
		o.Duration = 5 * time.Second
	}
	if o.AnswerWait == 0 {
		o.AnswerWait = 10 * time.Second
	}
	return o
}

func (o Options) validate() error {
	switch {
	case !o.Target.Address.IsValid():
		return fmt.Errorf("%w: no target", ErrOptions)
	case o.Connections < 1 || o.Connections > ConnectionsMax:
		return fmt.Errorf("%w: %d connections, must be 1 to %d", ErrOptions, o.Connections, ConnectionsMax)
	case math.IsNaN(o.Rate) || o.Rate < 0 || o.Rate > 1e7:
		return fmt.Errorf("%w: rate %v per second, must be 0 to 10 million", ErrOptions, o.Rate)
	case o.Duration < 0 || o.Duration > DurationMax:
		return fmt.Errorf("%w: duration %v, must be up to %v", ErrOptions, o.Duration, DurationMax)
	case o.WarmUp < 0 || o.WarmUp > DurationMax:
		return fmt.Errorf("%w: warm-up %v, must be up to %v", ErrOptions, o.WarmUp, DurationMax)
	case o.AnswerWait < 0:
		return fmt.Errorf("%w: answer wait %v", ErrOptions, o.AnswerWait)
	case o.RequestsMax < 0:
		return fmt.Errorf("%w: %d requests", ErrOptions, o.RequestsMax)
	}
	return nil
}
