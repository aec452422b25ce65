package main

import (
	"context"
	"net"

	"github.com/valyala/fasthttp"
)

// baselineBody is what the server that does nothing answers: as long as an
// aggregate, ready made.
const baselineBody = `{"mean":50.80246913580247,"stddev":9.92119535943923,"min":30.0,"max":75.0,"p25":45.0,"p50":50.0,"p75":55.0,"count":81}`

// serveBaseline answers every request at once and throws bodies away: what is left
// is the cost of HTTP itself, in the library that Markr uses, with the load
// generator beside it. It is the ceiling of what any handler can reach.
func serveBaseline(ctx context.Context, address string) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.SetContentType("application/json")
			ctx.SetBodyString(baselineBody)
		},
		MaxRequestBodySize: 64 << 20,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	if err := server.Shutdown(); err != nil {
		return err
	}
	return <-served
}
