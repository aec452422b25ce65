package httpapi

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the border's. Every series that a healthy day brings is there from
// the start, and children are looked up once. Labels are bounded: routes are
// those of the table and "other", methods and codes those listed here.
type metrics struct {
	requests        *prometheus.CounterVec
	inFlight        atomic.Int64
	routes          map[string]*routeMetrics // by key, see there
	other           *routeMetrics            // that one
	panics          prometheus.Counter
	rejected        map[string]prometheus.Counter // connections, by reason
	read            prometheus.Observer
	wireBytes       [len(bodyCodings)]prometheus.Counter
	unread          map[code]prometheus.Counter   // imports refused by the border
	denied          map[string]prometheus.Counter // requests, by reason
	refusedSources  refusedSources
	connections     prometheus.Gauge
	pausing         prometheus.Gauge // connections that rest, see conn.refused
	subscribers     prometheus.Gauge
	slowSubscribers prometheus.Counter
	events          [eventKinds]prometheus.Counter
	opened          prometheus.Counter // connections, those that are closed included
	importsInFlight prometheus.Gauge
}

// routeMetrics are those of one route, by method.
type routeMetrics struct {
	route        string
	method       int // whose durations are observed; others say nothing of their own
	counters     [len(methods)][len(statuses)]atomic.Pointer[prometheus.Counter]
	duration     prometheus.Observer
	requestSize  prometheus.Observer // nil if the route reads no bodies
	responseSize prometheus.Observer
}

// routeOther is the name of the route of requests that have none.
const routeOther = "other"

// Label values, and what is counted under them.
//
//nolint:gochecknoglobals // Tables.
var (
	// methods by name; the last stands for all others.
	methods = [...]string{"GET", "HEAD", "POST", "DELETE", "OPTIONS", otherMethod}

	// statuses are those that are ever sent; the last stands for any other.
	statuses = [...]int{200, 201, 204, 303, 304, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 422, 429, 431, 503, 500}

	// unmeasured forgets what it is told.
	unmeasured = prometheus.ObserverFunc(func(float64) {})

	// bodyCodings are the codings of request bodies, by number.
	bodyCodings = [...]bodyCoding{bodyUnknown, bodyIdentity, bodyGzip, bodyZstd, bodyDeflate}

	// unreadCodes are what the border refuses documents for, before the engine
	// sees them.
	unreadCodes = [...]code{
		codeInvalidRequest, codeMalformedXML, codeRequestTimeout, codeTooLarge, codeUnsupportedMediaType,
		codeHeaderTooLarge, codeUnauthorized, codeForbidden, codeOverloaded, codeUnavailable, codeReadOnly, codeInternal,
	}
)

// otherMethod is the label of a method that nobody ought to use.
const otherMethod = "_OTHER"

// Why connections are turned away.
const (
	rejectedAll     = "connections"
	rejectedAddress = "connections_per_address"
)

// Buckets of histograms.
const (
	sizeBytesMin     = 256 // then powers of four, up to 16 MiB
	sizeFactor       = 4
	sizeBuckets      = 9
	nativeFactor     = 1.1
	nativeBucketsMax = 160
)

// durationOpts makes a histogram of seconds. An aggregate is answered in less than
// the first bound, a document is durable at about the third.
func durationOpts(name, help string) prometheus.HistogramOpts {
	return histogramOpts(name, help, []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5})
}

func sizeOpts(name, help string) prometheus.HistogramOpts {
	return histogramOpts(name, help, prometheus.ExponentialBuckets(sizeBytesMin, sizeFactor, sizeBuckets))
}

func histogramOpts(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     nativeFactor,
		NativeHistogramMaxBucketNumber:  nativeBucketsMax,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

func newMetrics(s *Server, registerer prometheus.Registerer, table []route) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "markr_http_requests_total", Help: "Requests answered.",
		}, []string{"method", "route", "code"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "markr_http_panics_total", Help: "Handlers that panicked; each answered 500.",
		}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "markr_http_connections", Help: "Connections open.",
		}),
		pausing: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "markr_http_connections_pausing", Help: "Connections not read for a moment, because an import on them was refused for want of room.",
		}),
		subscribers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "markr_events_subscribers", Help: "Streams of events open.",
		}),
		slowSubscribers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "markr_events_slow_subscribers_total", Help: "Streams ended because the client was too far behind.",
		}),
		opened: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "markr_http_connections_opened_total", Help: "Connections let in.",
		}),
		importsInFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "markr_import_in_flight", Help: "Documents read whole and not answered yet.",
		}),
		routes:   make(map[string]*routeMetrics),
		rejected: make(map[string]prometheus.Counter),
		unread:   make(map[code]prometheus.Counter),
		denied:   make(map[string]prometheus.Counter),
	}
	collectors := append([]prometheus.Collector{m.requests, m.panics, m.connections, m.pausing, m.subscribers, m.slowSubscribers, m.opened, m.importsInFlight},
		m.vectors(table)...)
	for _, c := range append(collectors, s.gauges()...) {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// vectors makes the metrics with labels and resolves their children.
func (m *metrics) vectors(table []route) []prometheus.Collector {
	durations := prometheus.NewHistogramVec(durationOpts("markr_http_request_duration_seconds",
		"Time from a request's header to its answer being ready to send."), []string{"method", "route"})
	requestSizes := prometheus.NewHistogramVec(sizeOpts("markr_http_request_size_bytes",
		"Bytes of request bodies as they came."), []string{"route"})
	responseSizes := prometheus.NewHistogramVec(sizeOpts("markr_http_response_size_bytes",
		"Bytes of response bodies as they went."), []string{"route"})
	read := prometheus.NewHistogram(durationOpts("markr_import_read_duration_seconds",
		"Time to receive a document."))
	rejected := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "markr_http_connections_rejected_total", Help: "Connections turned away, by the limit reached.",
	}, []string{"limit"})
	wireBytes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "markr_import_received_bytes_total", Help: "Bytes of documents as they came, by content coding.",
	}, []string{"coding"})
	unread := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "markr_import_turned_away_total", Help: "Documents refused before the engine saw them, by code. They are not kept.",
	}, []string{"code"})
	denied := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "markr_http_denied_total", Help: "Requests of those who are not let in, by reason.",
	}, []string{"reason"})

	m.refusedSources.init()
	other := route{pattern: routeOther, method: otherMethod}
	for _, r := range append(table, other) {
		m.routes[r.key()] = m.newRouteMetrics(r, durations, requestSizes, responseSizes)
	}
	m.other = m.routes[other.key()]
	m.read = read
	for _, limit := range []string{rejectedAll, rejectedAddress} {
		m.rejected[limit] = rejected.WithLabelValues(limit)
	}
	for i, c := range bodyCodings {
		m.wireBytes[i] = wireBytes.WithLabelValues(c.String())
	}
	for _, c := range unreadCodes {
		m.unread[c] = unread.WithLabelValues(string(c))
	}
	events := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "markr_events_sent_total", Help: "Events offered to subscribers, each counted for each of them, by what they are about.",
	}, []string{"about"})
	for kind := range eventKinds {
		m.events[kind] = events.WithLabelValues(kind.label())
	}
	for _, reason := range deniedReasons {
		m.denied[reason] = denied.WithLabelValues(reason)
	}
	return []prometheus.Collector{durations, requestSizes, responseSizes, read, rejected, wireBytes, unread, denied, events, m.refusedSources.counters}
}

func (m *metrics) newRouteMetrics(r route, durations, requestSizes, responseSizes *prometheus.HistogramVec) *routeMetrics {
	rm := &routeMetrics{
		route:  r.pattern,
		method: methodIndex(r.method),
	}
	if r.reach == control || r.reach == opsOnly || r.reach == admin || r.byHand() {
		// Seldom used: counted, and not worth series of their own.
		rm.duration, rm.responseSize = unmeasured, unmeasured
	} else {
		rm.duration = durations.WithLabelValues(r.method, r.pattern)
		rm.responseSize = responseSizes.WithLabelValues(r.pattern)
	}
	if r.pattern == importPattern {
		rm.requestSize = requestSizes.WithLabelValues(r.pattern)
	}
	for _, status := range r.usualStatuses() {
		m.counter(rm, rm.method, statusIndex(status))
	}
	return rm
}

// key tells routes apart: a path may answer more than one method.
func (r *route) key() string { return r.method + " " + r.pattern }

// usualStatuses are those whose series are there from the start, so that a rate
// over them is 0 and not absent.
func (r *route) usualStatuses() []int {
	switch {
	case r.pattern == routeOther:
		return []int{400, 404, 405, 408, 431}
	case r.reach == control || r.reach == admin || r.byHand():
		return nil // Used a few times a day.
	case r.method == "POST":
		return []int{200, 400, 408, 413, 415, 422, 500, 503}
	case r.reach != public:
		return []int{200, 500, 503}
	default:
		return []int{200, 304, 400, 404, 500, 503}
	}
}

// counter is the child for a method and a status, made when it is first needed.
func (m *metrics) counter(rm *routeMetrics, method, status int) prometheus.Counter {
	if child := rm.counters[method][status].Load(); child != nil {
		return *child
	}
	code := strconv.Itoa(statuses[status])
	child := m.requests.WithLabelValues(methods[method], rm.route, code)
	rm.counters[method][status].Store(&child)
	return child
}

func methodIndex(name string) int {
	for i := range methods {
		if methods[i] == name {
			return i
		}
	}
	return len(methods) - 1
}

func statusIndex(status int) int {
	for i := range statuses {
		if statuses[i] == status {
			return i
		}
	}
	return len(statuses) - 1
}

// gauges are read when they are scraped.
func (s *Server) gauges() []prometheus.Collector {
	var list []prometheus.Collector
	add := func(name, help string, value func() float64) {
		list = append(list, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	add("markr_ready", "1 while the server is ready to answer.", func() float64 {
		if s.readiness().err == nil {
			return 1
		}
		return 0
	})
	add("markr_http_requests_in_flight", "Requests being answered.",
		func() float64 { return float64(s.metrics.inFlight.Load()) })
	add("markr_http_connections_limit", "How many connections may be open.",
		func() float64 { return float64(s.limits.ConnectionsMax) })
	add("markr_import_in_flight_limit", "How many documents may be imported at once.",
		func() float64 { return float64(s.limits.ImportsInFlightMax) })
	add("markr_import_held_bytes", "Memory that documents being received or imported hold.",
		func() float64 { return float64(s.budget.used.Load()) })
	add("markr_import_held_bytes_limit", "How much memory they may hold.",
		func() float64 { return float64(s.budget.max) })
	return list
}
