package httpapi

import (
	"bytes"
	"strings"
)

// segmentsMax is how many segments a path may have: one more than the longest
// route, so that a longer path is found to be unknown without splitting it all.
const segmentsMax = 4

// paramsMax is how many parameters a route may have.
const paramsMax = 2

// A router finds the route of a request.
type router struct {
	byLength [segmentsMax + 1][]path // by number of segments
}

// A path is what requests are compared with: routes that differ in their method
// only.
type path struct {
	segments []string // "" is a parameter
	names    []string // of the parameters, in order
	routes   []*route
	allow    string // what the Allow header lists
}

func newRouter(routes []route) router {
	var rt router
	byPattern := make(map[string]*path)
	for i := range routes {
		r := &routes[i]
		p, known := byPattern[r.pattern]
		if !known {
			p = newPath(r.pattern)
			byPattern[r.pattern] = p
		}
		p.routes = append(p.routes, r)
		if r.method == "GET" {
			p.allow += "GET, HEAD, "
		} else {
			p.allow += r.method + ", "
		}
	}
	for i := range routes {
		// In the table's order, each path once.
		p, left := byPattern[routes[i].pattern]
		if !left {
			continue
		}
		delete(byPattern, routes[i].pattern)
		p.allow += "OPTIONS"
		n := len(p.segments)
		rt.byLength[n] = append(rt.byLength[n], *p)
	}
	return rt
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

// find finds the route of a request by its original path and sets the request's
// parameters.
func (rt *router) find(r *request) (*route, error) {
	target := r.ctx.Request.Header.RequestURI()
	original, _, _ := bytes.Cut(target, []byte("?"))
	var segments [segmentsMax]string
	n, err := splitPath(original, &segments)
	if err != nil {
		return nil, err
	}
	for i := range rt.byLength[n] {
		p := &rt.byLength[n][i]
		if !p.match(segments[:n], r) {
			continue
		}
		method := string(r.ctx.Method())
		for _, found := range p.routes {
			if found.method == method || (found.method == "GET" && method == "HEAD") {
				return found, nil
			}
		}
		return nil, errMethodNotAllowed(p.allow)
	}
	return nil, errNoSuchRoute
}

func (p *path) match(segments []string, r *request) bool {
	params := 0
	for i, want := range p.segments {
		if want == "" {
			r.params[params] = param{name: p.names[params], value: segments[i]}
			params++
		} else if want != segments[i] {
			return false
		}
	}
	return true
}

// splitPath splits a path at its slashes and then decodes each segment once: a
// slash that is part of an id is written %2F.
func splitPath(original []byte, segments *[segmentsMax]string) (int, error) {
	if len(original) == 0 || original[0] != '/' {
		return 0, errAbsoluteForm
	}
	rest := original[1:]
	if len(rest) == 0 {
		return 0, nil
	}
	for n := range segmentsMax {
		segment, after, more := bytes.Cut(rest, []byte("/"))
		decoded, err := decodeSegment(segment)
		if err != nil {
			return 0, err
		}
		segments[n] = decoded
		if !more {
			return n + 1, nil
		}
		rest = after
	}
	return 0, errNoSuchRoute
}
