package httpapi

import (
	"strings"

	"github.com/valyala/fasthttp"

	"markr/httpapi/access"
)

// segmentsMax is how many segments the path of a route may have.
const segmentsMax = 4

// paramsMax is how many parameters a route may have.
const paramsMax = 2

// A router finds the route of a request.
type router struct {
	byLength [segmentsMax + 1][]*path // by number of segments
	asterisk route                    // answers OPTIONS *, which asks about the server
	guard    *access.Guard            // nil: nobody is asked who they are
}

// A path is what requests are compared with: the routes that differ in their
// method only.
type path struct {
	segments []string // "" is a parameter
	names    []string // of the parameters, in order
	routes   []*route
	allow    string // what the Allow header lists
	options  route  // answers OPTIONS
}

// newRouter makes the router of a route table.
func newRouter(table []route) router {
	var rt router
	byPattern := make(map[string]*path)
	for i := range table {
		r := &table[i]
		p, known := byPattern[r.pattern]
		if !known {
			p = newPath(r.pattern)
			byPattern[r.pattern] = p
			rt.byLength[len(p.segments)] = append(rt.byLength[len(p.segments)], p)
		}
		p.routes = append(p.routes, r)
	}
	anyPath := []*route{{method: fasthttp.MethodGet}, {method: fasthttp.MethodPost}}
	rt.asterisk = route{pattern: routeOther, method: fasthttp.MethodOptions, handle: answerOptions(allowOf(anyPath))}
	for _, p := range byPattern {
		p.allow = allowOf(p.routes)
		p.options = route{pattern: p.routes[0].pattern, method: fasthttp.MethodOptions, handle: answerOptions(p.allow)}
	}
	return rt
}

// observe gives every route its metrics, so that no request looks them up.
func (rt *router) observe(m *metrics) {
	rt.asterisk.metrics = m.other
	for _, paths := range rt.byLength {
		for _, p := range paths {
			p.options.metrics = m.routes[p.routes[0].key()]
			for _, r := range p.routes {
				r.metrics = m.routes[r.key()]
			}
		}
	}
}

func newPath(pattern string) *path {
	p := &path{}
	if pattern == "/" {
		return p
	}
	for segment := range strings.SplitSeq(pattern[1:], "/") {
		if name, isParam := strings.CutPrefix(segment, "{"); isParam {
			p.names = append(p.names, strings.TrimSuffix(name, "}"))
			segment = ""
		}
		p.segments = append(p.segments, segment)
	}
	return p
}

func allowOf(routes []*route) string {
	var allow []string
	for _, r := range routes {
		allow = append(allow, r.method)
		if r.method == fasthttp.MethodGet {
			allow = append(allow, fasthttp.MethodHead)
		}
	}
	return strings.Join(append(allow, fasthttp.MethodOptions), ", ")
}

func answerOptions(allow string) handler {
	return func(_ *Server, r *request) error {
		r.setHeader(fasthttp.HeaderAllow, allow)
		return r.empty(fasthttp.StatusNoContent)
	}
}

// find finds the route of a request by its original path, as it stands in the
// request line, and sets the request's parameters. Only parameters are decoded:
// the words of a route are written as they are or not at all, so that nobody in
// front of the server reads a path differently.
func (rt *router) find(r *request) (*route, error) {
	original, _, _ := cut(r.ctx.Request.Header.RequestURI(), '?')
	if string(original) == "*" { // the core lets it pass for OPTIONS alone
		return &rt.asterisk, nil
	}
	var segments [segmentsMax][]byte
	n, err := splitPath(original, &segments)
	if err != nil {
		return nil, err
	}
	for _, p := range rt.byLength[n] {
		if !p.match(segments[:n]) {
			continue
		}
		if err := p.bind(segments[:n], r); err != nil {
			return nil, err
		}
		return p.byMethod(string(r.ctx.Method()))
	}
	return nil, errNoSuchRoute
}

func (p *path) match(segments [][]byte) bool {
	for i, want := range p.segments {
		if want != "" && want != string(segments[i]) {
			return false
		}
	}
	return true
}

// bind sets the request's parameters.
func (p *path) bind(segments [][]byte, r *request) error {
	params := 0
	for i, want := range p.segments {
		if want != "" {
			continue
		}
		value, err := decodeSegment(segments[i])
		if err != nil {
			return err
		}
		r.params[params] = param{name: p.names[params], value: value}
		params++
	}
	return nil
}

func (p *path) byMethod(method string) (*route, error) {
	for _, found := range p.routes {
		if found.method == method || (found.method == fasthttp.MethodGet && method == fasthttp.MethodHead) {
			return found, nil
		}
	}
	if method == fasthttp.MethodOptions {
		return &p.options, nil
	}
	return nil, errMethodNotAllowed(p.allow)
}
