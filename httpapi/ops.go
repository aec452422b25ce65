package httpapi

import (
	"bytes"
	"net/http"
	httppprof "net/http/pprof"
	"runtime/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

// Scrapes: how many at once, and how long one may take.
const (
	scrapesMax    = 3
	scrapeTimeout = 5 * time.Second
)

// newScraper shows what a registry holds, as text, as OpenMetrics or, for native
// histograms, as protobuf. It compresses by itself.
func newScraper(registry *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError,
		Registry:            registry,
		MaxRequestsInFlight: scrapesMax,
		Timeout:             scrapeTimeout,
		CoalesceGather:      true,
		EnableOpenMetrics:   true,
	})
}

// scrape answers GET /metrics.
func (s *Server) scrape(r *request) error {
	r.setHeader(fasthttp.HeaderCacheControl, "no-store")
	return r.adapt(s.scraper, refuse(codeOverloaded, "More than %d scrapes at once, or one took longer than %v.", scrapesMax, scrapeTimeout))
}

// adapt answers with a handler of net/http. That is slow and for operators only.
// What it says when it fails is not problem+json, so failed is said instead.
func (r *request) adapt(h http.Handler, failed error) error {
	fasthttpadaptor.NewFastHTTPHandler(h)(r.ctx)
	if r.ctx.Response.StatusCode() >= fasthttp.StatusBadRequest {
		return failed
	}
	return nil
}

// profiles lists the profiles that can be taken.
func (s *Server) profiles(r *request) error {
	var list bytes.Buffer
	list.WriteString("Profiles of this process; try `go tool pprof http://<this address>/debug/pprof/profile?seconds=10`.\n\n")
	list.WriteString("profile\ntrace\n")
	for _, p := range pprof.Profiles() {
		list.WriteString(p.Name())
		list.WriteByte('\n')
	}
	return r.send(fasthttp.StatusOK, "text/plain; charset=utf-8", list.Bytes())
}

// profile takes one.
func (s *Server) profile(r *request) error {
	name := r.param("profile")
	failed := refuse(codeInvalidParameter, "The profile %q cannot be taken with these parameters, or is being taken already.", name)
	switch name {
	case "profile":
		return r.adapt(http.HandlerFunc(httppprof.Profile), failed)
	case "trace":
		return r.adapt(http.HandlerFunc(httppprof.Trace), failed)
	case "symbol":
		return r.adapt(http.HandlerFunc(httppprof.Symbol), failed)
	}
	if pprof.Lookup(name) == nil {
		return errNoSuchRoute
	}
	return r.adapt(httppprof.Handler(name), failed)
}
