package httpapi

import (
	"github.com/valyala/fasthttp"

	"markr/httpapi/access"
)

// handler answers one request. An error becomes a problem in status.go.
type handler func(*Server, *request) error

// A route is one line of the API.
type route struct {
	// pattern is the path; a segment in braces is a parameter. It is also the
	// route's name in metrics and logs, because it says all and is bounded.
	pattern string
	method  string // GET stands for HEAD too
	handle  handler
	reach   reach
	// scope is what it takes on the public listener when somebody is asked at all.
	scope   access.Scope
	metrics *routeMetrics // set when the route is about to be served
}

// reach says on which listener a route is served.
type reach uint8

const (
	public  reach = iota // the public listener
	ops                  // both, or the operators' alone: see Options.OpsElsewhere
	opsOnly              // the operators' alone
	admin                // as ops, and never for strangers: see admin.go
	control              // the control socket alone, which has the operators' routes, too
)

// eventsPattern is the path of the stream of events.
const eventsPattern = "/events"

// importPattern is the path that scanners send documents to.
const importPattern = "/import"

// reprocessPattern and commitPattern are the paths to which an administrator may send a
// few words of JSON.
const (
	reprocessPattern = "/admin/reprocess"
	commitPattern    = reprocessPattern + "/commit"
)

// takesDocument says whether bodies of the route's requests are read.
func (r *route) takesDocument() bool {
	return r.pattern == importPattern || r.pattern == correctionsPattern
}

// isPage says whether the route answers with a page, which a person looks at.
func (r *route) isPage() bool {
	return r.pattern == "/" || r.pattern == deskPattern || r.pattern == documentPattern
}

// byHand says whether only somebody at the desk uses the route, now and then.
func (r *route) byHand() bool {
	switch r.pattern {
	case correctionsPattern, retryPattern, deskPattern, documentPattern:
		return true
	}
	return false
}

// routeTable is every route there is.
func routeTable() []route {
	const get, post, del = fasthttp.MethodGet, fasthttp.MethodPost, fasthttp.MethodDelete
	return []route{
		{importPattern, post, (*Server).importPost, public, access.Import, nil},
		{"/results", get, (*Server).results, public, access.Read, nil},
		{"/results/{test}/aggregate", get, (*Server).aggregate, public, access.Read, nil},
		{"/results/{test}/history", get, (*Server).history, public, access.Read, nil},
		{"/results/{test}/quality", get, (*Server).testQuality, public, access.Read, nil},
		{"/results/{test}/histogram", get, (*Server).histogram, public, access.Read, nil},
		{"/results/{test}/percentiles", get, (*Server).percentilesOf, public, access.Read, nil},
		{"/results/{test}/scores", get, (*Server).scores, public, access.Read, nil},
		{"/results/{test}/scores/{marks}", get, (*Server).score, public, access.Read, nil},
		{"/results/{test}/passes", get, (*Server).passes, public, access.Read, nil},
		{"/results/{test}/grades", get, (*Server).grades, public, access.Read, nil},
		{"/results/{test}/items", get, (*Server).items, public, access.Read, nil},
		{"/results/{test}/items/{question}", get, (*Server).item, public, access.Read, nil},
		{"/results/{test}/what-if", get, (*Server).whatIf, public, access.Read, nil},
		{"/comparison", get, (*Server).comparison, public, access.Read, nil},
		{"/results/{test}/students", get, (*Server).students, public, access.Export, nil},
		{"/results/{test}/students/{student}", get, (*Server).student, public, access.Read, nil},
		{eventsPattern, get, (*Server).events, public, access.Read, nil},
		{"/quality", get, (*Server).quality, public, access.Read, nil},
		{"/imports", get, (*Server).imports, public, access.Read, nil},
		{"/imports/{id}", get, (*Server).importByID, public, access.Read, nil},
		{"/imports/{id}/document", get, (*Server).importDocument, public, access.Export, nil},
		{correctionsPattern, post, (*Server).correctionPost, public, access.Import, nil},
		// What is wrong with a document is told to who may read that.
		{retryPattern, post, (*Server).retryPost, public, access.Import | access.Read, nil},
		{"/refusals", get, (*Server).refusalCounts, public, access.Read, nil},
		{"/audit", get, (*Server).audit, public, access.Admin, nil},
		{"/openapi.json", get, (*Server).openapi, public, access.Open, nil},
		{"/problems/{code}", get, (*Server).problemMeaning, public, access.Open, nil},
		{"/", get, (*Server).page, public, access.Read, nil},
		{deskPattern, get, (*Server).desk, public, access.Read, nil},
		{documentPattern, get, (*Server).deskDocument, public, access.Read | access.Export, nil},
		{docsPattern, get, (*Server).docs, public, access.Open, nil},
		{statisticsPattern, get, (*Server).statistics, public, access.Open, nil},
		{"/assets/{version}/{name}", get, (*Server).asset, public, access.Open, nil},
		{"/livez", get, (*Server).livez, ops, access.Open, nil},
		{"/readyz", get, (*Server).readyz, ops, access.Open, nil},
		{"/healthz", get, (*Server).readyz, ops, access.Open, nil},
		{"/metrics", get, (*Server).scrape, ops, access.Metrics, nil},
		{reprocessPattern, post, (*Server).startReprocess, admin, access.Admin, nil},
		{reprocessPattern, get, (*Server).reprocess, admin, access.Admin, nil},
		{reprocessPattern, del, (*Server).cancelReprocess, admin, access.Admin, nil},
		{commitPattern, post, (*Server).commitReprocess, admin, access.Admin, nil},
		{reprocessPattern + "/pause", post, (*Server).pauseReprocess, admin, access.Admin, nil},
		{reprocessPattern + "/resume", post, (*Server).resumeReprocess, admin, access.Admin, nil},
		{reprocessPattern + "/difference", get, (*Server).reprocessDifference, admin, access.Admin, nil},
		{reprocessPattern + "/documents", get, (*Server).reprocessDocuments, admin, access.Admin, nil},
		{"/debug/pprof", get, (*Server).profiles, opsOnly, access.Admin, nil},
		{"/debug/pprof/{profile}", get, (*Server).profile, opsOnly, access.Admin, nil},
		{"/admin/snapshots", post, (*Server).snapshotTake, control, access.Admin, nil},
		{"/admin/snapshots/{id}", del, (*Server).snapshotRelease, control, access.Admin, nil},
		{"/admin/snapshots/{id}/renewals", post, (*Server).snapshotRenew, control, access.Admin, nil},
	}
}

// publicRoutes are the routes of the public listener.
func publicRoutes(opsElsewhere bool) []route {
	var routes []route
	for _, r := range routeTable() {
		if r.reach == public || ((r.reach == ops || r.reach == admin) && !opsElsewhere) {
			routes = append(routes, r)
		}
	}
	return routes
}

// operatorRoutes are the routes of the operators' listener.
func operatorRoutes() []route {
	var routes []route
	for _, r := range routeTable() {
		if r.reach == ops || r.reach == opsOnly || r.reach == admin {
			routes = append(routes, r)
		}
	}
	return routes
}

// controlRoutes are the routes of the control socket.
func controlRoutes() []route {
	var routes []route
	for _, r := range routeTable() {
		if r.reach != public {
			routes = append(routes, r)
		}
	}
	return routes
}
