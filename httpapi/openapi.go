package httpapi

import _ "embed"

// openapiDocument is the contract of the API, OpenAPI 3.1. The tests of this
// package hold every answer against it.
//
//go:embed openapi.json
var openapiDocument []byte

// openapi answers GET /openapi.json.
func (s *Server) openapi(r *request) error {
	if err := r.checkParameters(); err != nil {
		return err
	}
	return r.fixed(&s.content.contract, cacheResult)
}
