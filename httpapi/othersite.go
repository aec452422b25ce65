package httpapi

import (
	"net/http"
	"net/url"

	"github.com/valyala/fasthttp"
)

// errOtherSite: a browser says that a page of another site has sent the request. It may
// have sent credentials along without the person in front of it knowing.
var errOtherSite = refuse(codeForbidden, "The request was sent by a page of another site; nothing was done.")

// fromHere refuses what a browser sends for a page of another site. Browsers send Basic
// credentials with every request, whoever has caused it, they reach what listens on this
// machine alone, and a form needs nobody's leave. Clients that are no browsers say nothing
// of it and may do as they like.
func (r *request) fromHere() error {
	const secFetchSite = "Sec-Fetch-Site"
	header := make(http.Header)
	for _, name := range []string{secFetchSite, fasthttp.HeaderOrigin} {
		if value := r.ctx.Request.Header.Peek(name); len(value) > 0 {
			header.Set(name, string(value))
		}
	}
	// Whatever the method is, it is asked about as one that changes something.
	asked := &http.Request{Method: http.MethodPost, Host: string(r.ctx.Request.Header.Host()), Header: header, URL: &url.URL{}}
	if http.NewCrossOriginProtection().Check(asked) != nil {
		return errOtherSite
	}
	return nil
}
