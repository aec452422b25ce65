package httpapi

// handler answers one request. An error becomes a problem in status.go.
type handler func(*Server, *request) error

// A route is one line of the API.
type route struct {
	// pattern is the path; a segment in braces is a parameter. It is also the
	// route's name in metrics and logs, because it says all and is bounded.
	pattern string
	method  string // GET stands for HEAD too
	handle  handler
	ops     bool // for operators; see Options.OpsElsewhere
}

// routeTable is every route there is.
func routeTable() []route {
	return []route{
		{pattern: "/import", method: "POST", handle: (*Server).importDocumentPost},
		{pattern: "/results", method: "GET", handle: (*Server).results},
		{pattern: "/results/{test}/aggregate", method: "GET", handle: (*Server).aggregate},
		{pattern: "/imports", method: "GET", handle: (*Server).imports},
		{pattern: "/imports/{id}", method: "GET", handle: (*Server).importByID},
		{pattern: "/imports/{id}/document", method: "GET", handle: (*Server).importDocument},
		{pattern: "/openapi.json", method: "GET", handle: (*Server).openapi},
		{pattern: "/", method: "GET", handle: (*Server).page},
		{pattern: "/assets/{name}", method: "GET", handle: (*Server).asset},
		{pattern: "/livez", method: "GET", handle: (*Server).livez, ops: true},
		{pattern: "/readyz", method: "GET", handle: (*Server).readyz, ops: true},
		{pattern: "/healthz", method: "GET", handle: (*Server).readyz, ops: true},
		{pattern: "/metrics", method: "GET", handle: (*Server).metricsPage, ops: true},
	}
}

// publicRoutes are the routes of the public listener.
func publicRoutes(opsElsewhere bool) []route {
	var public []route
	for _, r := range routeTable() {
		if !r.ops || !opsElsewhere {
			public = append(public, r)
		}
	}
	return public
}

// opsRoutes are the routes of the operators' listener.
func opsRoutes() []route {
	var ops []route
	for _, r := range routeTable() {
		if r.ops {
			ops = append(ops, r)
		}
	}
	return ops
}
