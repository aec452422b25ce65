package httpapi

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"markr/engine"
	"markr/httpapi/access"
)

// refusalsJSON is the answer to GET /refusals.
type refusalsJSON struct {
	Kept         int                 `json:"kept"`
	Unresolved   int                 `json:"unresolved"`
	ByCode       []refusedOfCode     `json:"by_code"`
	BySource     []refusedFromSource `json:"by_source"`
	OtherSources refusedCount        `json:"other_sources"`
}

type refusedCount struct {
	Kept       int `json:"kept"`
	Unresolved int `json:"unresolved"`
}

type refusedOfCode struct {
	Code string `json:"code"`
	refusedCount
}

type refusedFromSource struct {
	Source string `json:"source"`
	refusedCount
}

// refusalCounts answers GET /refusals: how many refused documents are kept, why they were
// refused, and who sent them.
func (s *Server) refusalCounts(r *request) error {
	if err := r.checkParameters("limit"); err != nil {
		return err
	}
	limit, err := r.limit()
	if err != nil {
		return err
	}
	counts, err := s.engine.RefusedCounts(limit)
	if err != nil {
		return err
	}
	answer := refusalsJSON{
		Kept: counts.Kept, Unresolved: counts.Unresolved,
		ByCode: []refusedOfCode{}, BySource: []refusedFromSource{},
		OtherSources: newRefusedCount(&counts.OtherSources),
	}
	for i := range counts.ByCode {
		answer.ByCode = append(answer.ByCode, refusedOfCode{counts.ByCode[i].Name, newRefusedCount(&counts.ByCode[i])})
	}
	for i := range counts.BySource {
		answer.BySource = append(answer.BySource, refusedFromSource{counts.BySource[i].Name, newRefusedCount(&counts.BySource[i])})
	}
	return r.resourceJSON(answer)
}

func newRefusedCount(c *engine.RefusedCount) refusedCount {
	return refusedCount{Kept: c.Kept, Unresolved: c.Unresolved}
}

// refusedSources counts refused documents by who sent them: by the names of tokens and
// certificates, because those are given out here. Addresses are strangers', of whom
// there are any number: they are one series, and so are the names beyond
// refusedSourcesMax. No token's name has parentheses.
type refusedSources struct {
	counters *prometheus.CounterVec
	mu       struct {
		sync.Mutex

		names map[string]prometheus.Counter
	}
}

const (
	refusedSourcesMax = 200
	sourceUnnamed     = "(unnamed)"
	sourceOther       = "(other)"
)

func (s *refusedSources) init() {
	s.counters = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "markr_import_refused_by_source_total",
		Help: "Documents refused for what is in them, by the name of the token or certificate.",
	}, []string{"source"})
	s.mu.names = map[string]prometheus.Counter{
		sourceUnnamed: s.counters.WithLabelValues(sourceUnnamed),
		sourceOther:   s.counters.WithLabelValues(sourceOther),
	}
}

// refusedFrom counts a document that the engine has refused.
func (m *metrics) refusedFrom(grant *access.Grant) {
	name := sourceUnnamed
	if grant != nil {
		name = grant.Name
	}
	s := &m.refusedSources
	s.mu.Lock()
	defer s.mu.Unlock()
	counter, known := s.mu.names[name]
	switch {
	case known:
	case len(s.mu.names) < refusedSourcesMax+2:
		counter = s.counters.WithLabelValues(name)
		s.mu.names[name] = counter
	default:
		counter = s.mu.names[sourceOther]
	}
	counter.Inc()
}
