package engine

import (
	"github.com/prometheus/client_golang/prometheus"

	"markr/engine/intake"
)

// refusedCollector tells how many refused documents are kept, by code. Sources are not
// labels: where nobody is asked for a token they are addresses, of which there are any
// number.
type refusedCollector struct {
	refused          *refusals
	kept, unresolved *prometheus.Desc
}

func newRefusedCollector(r *refusals) *refusedCollector {
	return &refusedCollector{
		refused: r,
		kept: prometheus.NewDesc("markr_import_refused_kept",
			"Refused documents that are kept, by code.", []string{"code"}, nil),
		unresolved: prometheus.NewDesc("markr_import_refused_unresolved",
			"Refused documents that are kept and not resolved by a correction or a retry, by code.", []string{"code"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *refusedCollector) Describe(to chan<- *prometheus.Desc) {
	to <- c.kept
	to <- c.unresolved
}

// Collect implements prometheus.Collector. The codes are those of today's decoders: a
// closed set.
func (c *refusedCollector) Collect(to chan<- prometheus.Metric) {
	for _, code := range intake.Codes() {
		count := c.refused.ofCode(string(code))
		to <- prometheus.MustNewConstMetric(c.kept, prometheus.GaugeValue, float64(count.kept), string(code))
		to <- prometheus.MustNewConstMetric(c.unresolved, prometheus.GaugeValue, float64(count.unresolved), string(code))
	}
}

// ofCode counts the documents that were refused with a code.
func (r *refusals) ofCode(code string) named {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if number, ok := r.mu.codes.number[code]; ok {
		return r.mu.codes.list[number]
	}
	return named{}
}

// resolves counts an import that has resolved a refused one.
func (m *metrics) resolves(d *draft) {
	if d.aim.retry {
		m.retried.Inc()
		return
	}
	m.corrected.Inc()
}
