package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"markr/engine/intake"
	"markr/engine/quality"
	"markr/wal/entry"
)

// metrics are the engine's. Every child is resolved here, once, so that every
// series exists from the start and none is looked up while importing.
type metrics struct {
	parse, seal, vault, apply prometheus.Observer
	batch, visibility         prometheus.Observer
	lastSuccess               prometheus.Gauge

	corrected, retried prometheus.Counter

	documents map[entry.Outcome]prometheus.Counter
	byMedia   map[string]prometheus.Counter
	rejected  map[intake.Code]prometheus.Counter
	records   prometheus.Counter

	checkpointDuration prometheus.Histogram
	checkpointPosition prometheus.Gauge
	checkpointFailures prometheus.Counter
	events             prometheus.Counter

	reprocessed struct{ records, committed, cancelled, failed prometheus.Counter }

	added, raised, unchanged prometheus.Counter
	badScannedOn, badAnswers prometheus.Counter
}

// secondsBuckets are bounds in seconds: from below a sync on a fast disk to a stall.
func secondsBuckets() []float64 {
	return []float64{.00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}
}

func newMetrics(registerer prometheus.Registerer, e *Engine) (*metrics, error) {
	stages := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:                        "markr_import_stage_duration_seconds",
		Help:                        "Time an import spends in a stage: parse, seal (digest and compress), vault (append with sync, a batch), apply (a batch).",
		Buckets:                     secondsBuckets(),
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
	}, []string{"stage"})
	batch := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "markr_import_batch_documents",
		Help:    "Documents made durable by one sync.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 11),
	})
	visibility := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:                        "markr_result_visibility_seconds",
		Help:                        "Time from durable to visible, a batch.",
		Buckets:                     secondsBuckets(),
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
	})
	documents := counterVec("markr_import_documents_total", "Documents that were made durable, by outcome.", "outcome")
	byMediaType := counterVec("markr_import_documents_by_media_type_total", "Documents that were made durable, of every outcome, by the type they came as.", "media_type")
	rejected := counterVec("markr_import_documents_rejected_total", "Documents refused for what is in them, by code.", "code")
	effects := counterVec("markr_import_records_applied_total", "Records of accepted documents, by what they did.", "effect")
	findings := counterVec("markr_import_findings_total", "Oddities in accepted documents that refuse nothing, by kind.", "kind")
	m := &metrics{
		parse: stages.WithLabelValues("parse"), seal: stages.WithLabelValues("seal"),
		vault: stages.WithLabelValues("vault"), apply: stages.WithLabelValues("apply"),
		batch: batch, visibility: visibility,
		lastSuccess: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "markr_import_last_success_timestamp_seconds",
			Help: "When the last document was made durable and visible; 0 if none was since the start.",
		}),
		records: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "markr_import_records_total", Help: "Records of accepted documents.",
		}),
		documents: make(map[entry.Outcome]prometheus.Counter),
		byMedia:   make(map[string]prometheus.Counter),
		rejected:  make(map[intake.Code]prometheus.Counter),
		added:     effects.WithLabelValues("added"), raised: effects.WithLabelValues("raised"),
		unchanged:    effects.WithLabelValues("unchanged"),
		badScannedOn: findings.WithLabelValues("bad_scanned_on"), badAnswers: findings.WithLabelValues("bad_answers"),
	}
	for _, o := range []entry.Outcome{entry.Accepted, entry.Refused, entry.Duplicate} {
		m.documents[o] = documents.WithLabelValues(o.String())
	}
	for _, mediaType := range e.opts.Intake.MediaTypes() {
		m.byMedia[mediaType] = byMediaType.WithLabelValues(mediaType)
	}
	for _, c := range intake.Codes() {
		m.rejected[c] = rejected.WithLabelValues(string(c))
	}
	resolved := counterVec("markr_import_refused_resolved_total", "Refused documents that were resolved, by how.", "how")
	m.corrected, m.retried = resolved.WithLabelValues("correction"), resolved.WithLabelValues("retry")
	m.checkpoints()
	reprocesses := m.reprocesses()
	m.events = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "markr_engine_events_total", Help: "Events that were made durable: changes of rules and of who is let in, and backups.",
	})
	if registerer == nil {
		return m, nil
	}
	collectors := append(e.gauges(), newRefusedCollector(e.refused), resolved,
		stages, batch, visibility, documents, byMediaType, rejected, effects, findings, m.lastSuccess, m.records,
		m.checkpointDuration, m.checkpointPosition, m.checkpointFailures, m.events,
		m.reprocessed.records, reprocesses)
	for _, c := range collectors {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// checkpoints makes the metrics of those that were written.
func (m *metrics) checkpoints() {
	m.checkpointDuration = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "markr_engine_checkpoint_duration_seconds", Help: "Time to write a checkpoint, in the background.",
		Buckets: []float64{.01, .1, .5, 1, 5, 10, 60},
	})
	m.checkpointPosition = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "markr_engine_checkpoint_position", Help: "Position of the newest checkpoint; a restart reads the log from there.",
	})
	m.checkpointFailures = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "markr_engine_checkpoint_failures_total", Help: "Checkpoints that could not be written; the one before stays.",
	})
}

// reprocesses makes the metrics of those that have ended.
func (m *metrics) reprocesses() *prometheus.CounterVec {
	m.reprocessed.records = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "markr_engine_reprocess_records_total", Help: "Records that reprocesses have read.",
	})
	ended := counterVec("markr_engine_reprocess_total", "Reprocesses that have ended, by how.", "end")
	m.reprocessed.committed, m.reprocessed.cancelled, m.reprocessed.failed =
		ended.WithLabelValues("committed"), ended.WithLabelValues("cancelled"), ended.WithLabelValues("failed")
	return ended
}

func counterVec(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
}

// gauges are read when they are scraped.
func (e *Engine) gauges() []prometheus.Collector {
	var list []prometheus.Collector
	add := func(name, help string, value func() float64) {
		list = append(list, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	ofState := func(value func(*State) int) func() float64 {
		return func() float64 {
			if s := e.state.Load(); s != nil {
				return float64(value(s))
			}
			return 0
		}
	}
	add("markr_engine_tests", "Tests known.", ofState((*State).Tests))
	add("markr_engine_students", "Distinct student numbers known.", ofState((*State).Students))
	add("markr_engine_marks", "Kept marks: students, summed over all tests.", ofState((*State).Marks))
	add("markr_engine_items_bytes", "Memory of sheets that are kept for item analysis.", ofState(func(s *State) int { return s.items.bytes }))
	add("markr_engine_items_tests_beyond", "Tests with too many scores, questions or different answers for the whole of item analysis.", ofState(func(s *State) int { return s.items.beyond }))
	for _, kind := range quality.Kinds() {
		list = append(list, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "markr_quality_findings", Help: "What is odd about accepted scans, by kind, summed over all tests.",
			ConstLabels: prometheus.Labels{"kind": kind.String()},
		}, ofState(func(s *State) int { return s.findings[kind] })))
	}
	add("markr_import_queue_depth", "Documents waiting for the committer.", func() float64 { return float64(len(e.queue)) })
	add("markr_import_queue_capacity", "How many documents may wait for the committer.", func() float64 { return float64(cap(e.queue)) })
	add("markr_read_only", "1 while imports are refused because the disk is nearly full.", func() float64 {
		return flag(errors.Is(e.opts.Log.Writable(), entry.ErrReadOnly))
	})
	add("markr_import_stalled", "1 while the disk does not answer and imports are refused because of it.", func() float64 {
		return flag(e.stalled() != nil)
	})
	add("markr_engine_events_owed", "Events that wait until the disk has room for them; they go in front of the next import.", func() float64 {
		return float64(e.Owed())
	})
	add("markr_engine_recovery_duration_seconds", "How long the last recovery from the log took; 0 until it has ended.", func() float64 {
		select {
		case <-e.recovery.ended:
			return e.recovery.took.Seconds()
		default:
			return 0
		}
	})
	ofReprocess := func(value func(ReprocessStatus) float64) func() float64 {
		return func() float64 {
			if r := e.Reprocess(); r != nil && !r.phase().ended() {
				return value(r.status())
			}
			return 0
		}
	}
	add("markr_engine_reprocess_running", "1 while a reprocess is under way and holds a second state in memory.", ofReprocess(func(ReprocessStatus) float64 { return 1 }))
	add("markr_engine_reprocess_paused", "1 while a reprocess is under way and paused.", ofReprocess(func(s ReprocessStatus) float64 { return flag(s.Paused) }))
	add("markr_engine_reprocess_position", "Position that the reprocess under way has read; 0 without one.", ofReprocess(func(s ReprocessStatus) float64 { return float64(s.Position) }))
	add("markr_engine_recovered_records", "Records applied by the last recovery.", func() float64 { return float64(e.recovery.records.Load()) })
	return list
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// bareMediaType is a content type without its parameters.
func bareMediaType(contentType string) string {
	mediaType, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

// count counts a durable document, or an event.
func (m *metrics) count(d *draft) {
	if d.event != nil {
		m.events.Inc()
		return
	}
	m.documents[d.entry.Outcome].Inc()
	if c, known := m.byMedia[bareMediaType(d.entry.MediaType)]; known {
		c.Inc()
	}
	if d.refused != nil {
		if c, known := m.rejected[d.refused.Code]; known {
			c.Inc()
		}
		return
	}
	if d.aim.root != 0 {
		m.resolves(d)
	}
	m.records.Add(float64(len(d.doc.Records)))
	m.added.Add(float64(d.effects.Added))
	m.raised.Add(float64(d.effects.Raised))
	m.unchanged.Add(float64(d.effects.Unchanged))
	m.badScannedOn.Add(float64(d.doc.Findings.BadScannedOn))
	m.badAnswers.Add(float64(d.doc.Findings.BadAnswers))
}
