package httpapi

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"time"

	"markr/wal/entry"
)

// Limits bound what clients can make the server do. The zero value of a field
// means its default; DESIGN.md has the reasons.
type Limits struct {
	// BodyBytesMax is the longest request body on the wire; default 32 MiB.
	BodyBytesMax int64
	// DecodedBytesMax is the longest request body once its content coding is
	// taken off; default 256 MiB.
	DecodedBytesMax int64
	// BytesInFlightMax is how many bytes all bodies being read or imported may
	// hold together; default a quarter of the Go memory limit or, without one,
	// 1 GiB, and at least twice DecodedBytesMax, BodyBytesMax and a zstd window.
	BytesInFlightMax int64
	// ImportsInFlightMax is how many imports may be under way, their bodies received;
	// default 256 per processor: small ones wait for the disk together. Of long ones
	// there are fewer, see places.go.
	ImportsInFlightMax int
	// ImportWaitMax is how long an import may wait to be one of them; default
	// 500 ms, in which a server works off a burst.
	ImportWaitMax time.Duration
	// RetryPause is how long a connection is not read after an import on it was
	// refused for want of room: up to this long, and at least half of it. Default
	// 1 s, the least that Retry-After asks for; negative: not at all.
	RetryPause time.Duration
	// HeaderBytesMax is the longest request header; default 16 KiB.
	HeaderBytesMax int
	// HeaderLinesMax is how many header fields a request may have; default 100.
	HeaderLinesMax int
	// ReadTimeout is how long a request may take to arrive, bodies of imports
	// excepted: they get their length at BodyBytesPerSecondMin on top. Default
	// 10 s.
	ReadTimeout time.Duration
	// BodyBytesPerSecondMin is the slowest upload; default 64 KiB/s.
	BodyBytesPerSecondMin int64
	// WriteTimeout is how long a response may take to leave; default 30 s.
	WriteTimeout time.Duration
	// IdleTimeout is how long a connection may be silent between requests;
	// default 60 s.
	IdleTimeout time.Duration
	// LingerTimeout is how long a connection that is closed with its request
	// half read stays open for the client to read the answer; default 500 ms.
	LingerTimeout time.Duration
	// ConnectionsMax is how many connections may be open; default 20 000.
	ConnectionsMax int
	// ConnectionsPerAddressMax is how many connections one address may have
	// open; default 0, which is no limit, because a school's scanners and
	// dashboards often share one address.
	ConnectionsPerAddressMax int
	// SubscribersMax is how many streams of events may be open; default 2 000, each a
	// connection with its goroutine.
	SubscribersMax int
	// RequestsPerConnectionMax is how many requests a connection may carry;
	// default 100 000.
	RequestsPerConnectionMax int
}

// Defaults of [Limits].
const (
	BodyBytesMaxDefault             = 32 << 20
	DecodedBytesMaxDefault          = 256 << 20
	BytesInFlightMaxDefault         = 1 << 30
	ImportsInFlightPerProcessor     = 256
	ImportWaitMaxDefault            = 500 * time.Millisecond
	RetryPauseDefault               = time.Second
	HeaderBytesMaxDefault           = 16 << 10
	HeaderLinesMaxDefault           = 100
	ReadTimeoutDefault              = 10 * time.Second
	BodyBytesPerSecondMinDefault    = 64 << 10
	WriteTimeoutDefault             = 30 * time.Second
	IdleTimeoutDefault              = 60 * time.Second
	LingerTimeoutDefault            = 500 * time.Millisecond
	ConnectionsMaxDefault           = 20_000
	SubscribersMaxDefault           = 2_000
	RequestsPerConnectionMaxDefault = 100_000
)

// WithDefaults returns l with defaults in place of zeros.
func (l Limits) WithDefaults() Limits {
	orDefault(&l.BodyBytesMax, BodyBytesMaxDefault)
	orDefault(&l.DecodedBytesMax, DecodedBytesMaxDefault)
	orDefault(&l.BytesInFlightMax, max(bytesInFlightByDefault(), l.bytesInFlightMin()))
	orDefault(&l.ImportsInFlightMax, ImportsInFlightPerProcessor*runtime.GOMAXPROCS(0))
	orDefault(&l.ImportWaitMax, ImportWaitMaxDefault)
	orDefault(&l.RetryPause, RetryPauseDefault)
	orDefault(&l.HeaderBytesMax, HeaderBytesMaxDefault)
	orDefault(&l.HeaderLinesMax, HeaderLinesMaxDefault)
	orDefault(&l.ReadTimeout, ReadTimeoutDefault)
	orDefault(&l.BodyBytesPerSecondMin, BodyBytesPerSecondMinDefault)
	orDefault(&l.WriteTimeout, WriteTimeoutDefault)
	orDefault(&l.IdleTimeout, IdleTimeoutDefault)
	orDefault(&l.LingerTimeout, LingerTimeoutDefault)
	orDefault(&l.ConnectionsMax, ConnectionsMaxDefault)
	orDefault(&l.SubscribersMax, SubscribersMaxDefault)
	orDefault(&l.RequestsPerConnectionMax, RequestsPerConnectionMaxDefault)
	return l
}

// bytesInFlightMin is the budget that the longest body needs for itself: a
// growing body holds its old and its new buffer for a moment, and decoders hold what
// they decode and something beside.
func (l *Limits) bytesInFlightMin() int64 {
	return 2*l.DecodedBytesMax + l.BodyBytesMax + zstdBytesHeld
}

// bytesInFlightByDefault leaves three quarters of the memory to decoded records,
// the results, and the collector.
func bytesInFlightByDefault() int64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return limit / 4
	}
	return BytesInFlightMaxDefault
}

func orDefault[T int | int64 | time.Duration](value *T, byDefault T) {
	if *value == 0 {
		*value = byDefault
	}
}

// Validate says which limits make no sense together. l has its defaults.
func (l Limits) Validate() error {
	switch {
	case l.BodyBytesMax < 0, l.DecodedBytesMax < 0, l.BytesInFlightMax < 0, l.ImportsInFlightMax < 0, l.ImportWaitMax < 0,
		l.HeaderBytesMax < 0, l.HeaderLinesMax < 0, l.ReadTimeout < 0, l.BodyBytesPerSecondMin < 0,
		l.WriteTimeout < 0, l.IdleTimeout < 0, l.LingerTimeout < 0, l.ConnectionsMax < 0,
		l.ConnectionsPerAddressMax < 0, l.SubscribersMax < 0, l.RequestsPerConnectionMax < 0:
		return fmt.Errorf("a limit is negative: %+v", l)
	case l.DecodedBytesMax > entry.DocumentBytesMax:
		return fmt.Errorf("the decoded body may have %d bytes, more than the %d that a log keeps", l.DecodedBytesMax, int64(entry.DocumentBytesMax))
	case l.BytesInFlightMax < l.bytesInFlightMin():
		return fmt.Errorf("bytes in flight may be %d, too few for one decoded body of %d, which needs %d",
			l.BytesInFlightMax, l.DecodedBytesMax, l.bytesInFlightMin())
	case l.DecodedBytesMax < l.BodyBytesMax:
		return fmt.Errorf("the decoded body may have %d bytes, fewer than the %d of the body", l.DecodedBytesMax, l.BodyBytesMax)
	}
	return nil
}
