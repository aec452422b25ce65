package httpapi_test

// Every test of this package may hold what goes over the wire against
// openapi.json:
//
//	contractOf(t).check(t, request, requestBody, response, responseBody)
//
// A status, header or member that the contract does not know fails the test, and
// so does an answer of success to a request that the contract does not allow.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	failures "github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"markr/httpapi"
)

// contract is openapi.json, ready to judge.
type contract struct {
	validator validator.Validator
	schemas   schema_validation.SchemaValidator
	model     *v3.Document
}

var loadContract = sync.OnceValues(func() (*contract, error) {
	document, err := libopenapi.NewDocument(httpapi.OpenAPIDocument())
	if err != nil {
		return nil, fmt.Errorf("read openapi.json: %w", err)
	}
	model, err := document.BuildV3Model()
	if err != nil {
		return nil, fmt.Errorf("build model of openapi.json: %w", err)
	}
	judge := validator.NewValidatorFromV3Model(&model.Model, config.WithFormatAssertions())
	return &contract{
		validator: judge,
		schemas:   schema_validation.NewSchemaValidator(config.WithFormatAssertions()),
		model:     &model.Model,
	}, nil
})

// contractOf loads the contract, once for all tests.
func contractOf(t testing.TB) *contract {
	t.Helper()
	c, err := loadContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// check holds one exchange against the contract. The bodies are as they were on
// the wire.
func (c *contract) check(t testing.TB, request *http.Request, requestBody []byte, response *http.Response, responseBody []byte) {
	t.Helper()
	where := request.Method + " " + request.URL.RequestURI()
	if id := response.Header.Get("X-Request-Id"); id == "" {
		t.Errorf("%s: %s without X-Request-Id", where, response.Status)
	}
	bare := request.Method == http.MethodHead || response.StatusCode == http.StatusNotModified
	if bare && len(responseBody) > 0 {
		t.Errorf("%s: %s with a body of %d bytes", where, response.Status, len(responseBody))
	}
	plain := responseBody
	if !bare {
		var err error
		if plain, err = decoded(response.Header.Get("Content-Encoding"), responseBody); err != nil {
			t.Errorf("%s: %v", where, err)
			return
		}
	}
	request = request.Clone(t.Context())
	request.Body = io.NopCloser(bytes.NewReader(requestBody))
	if request.Method == http.MethodHead {
		// Every GET answers HEAD: the same, without a body.
		request.Method = http.MethodGet
	}
	// Each listener has its own part of the routes.
	elsewhere := response.StatusCode == http.StatusNotFound && bytes.Contains(plain, []byte(`"code":"not_found"`))
	if c.operation(request) == nil || elsewhere {
		c.checkUndescribed(t, where, response, plain, bare)
		return
	}
	if response.StatusCode < http.StatusBadRequest {
		if ok, errs := c.validator.ValidateHttpRequestSync(request); !ok {
			t.Errorf("%s was answered with %s, but the contract does not allow it:\n%s", where, response.Status, explain(errs))
		}
	}
	if bare {
		c.checkBare(t, where, request, response)
		return
	}
	values := [][]byte{plain}
	if response.Header.Get("Content-Type") == "application/x-ndjson" {
		// The schema is that of a line.
		values = bytes.Split(bytes.TrimSuffix(plain, []byte("\n")), []byte("\n"))
	}
	for _, value := range values {
		judged := *response
		judged.Body = io.NopCloser(bytes.NewReader(value))
		if ok, errs := c.validator.ValidateHttpResponse(request, &judged); !ok {
			t.Errorf("%s: %s is not what the contract says:\n%s\nbody: %.500s", where, response.Status, explain(errs), value)
		}
	}
	c.checkHeaders(t, where, request, response)
}

// operation is what the contract says of a request's path and method. The
// matching is the server's: at the slashes of the path as it was sent.
func (c *contract) operation(request *http.Request) *v3.Operation {
	segments := strings.Split(request.URL.EscapedPath(), "/")
	for pattern, item := range c.model.Paths.PathItems.FromOldest() {
		wanted := strings.Split(pattern, "/")
		if len(wanted) != len(segments) {
			continue
		}
		matches := true
		for i, want := range wanted {
			matches = matches && (want == segments[i] || strings.HasPrefix(want, "{") && segments[i] != "")
		}
		if matches {
			for method, operation := range item.GetOperations().FromOldest() {
				if strings.ToUpper(method) == request.Method {
					return operation
				}
			}
		}
	}
	return nil
}

// checkUndescribed is for paths and methods that the contract does not have: a
// problem, or the answer to OPTIONS.
func (c *contract) checkUndescribed(t testing.TB, where string, response *http.Response, body []byte, bare bool) {
	t.Helper()
	switch response.StatusCode {
	case http.StatusNoContent, http.StatusMethodNotAllowed:
		if response.Header.Get("Allow") == "" {
			t.Errorf("%s: %s without Allow", where, response.Status)
		}
	case http.StatusNotFound, http.StatusBadRequest:
	default:
		t.Errorf("%s: %s, but the contract has no such path and method", where, response.Status)
	}
	if bare || response.StatusCode == http.StatusNoContent {
		return
	}
	c.checkProblem(t, where, response, body)
}

// checkProblem holds a body against the schema of problems.
func (c *contract) checkProblem(t testing.TB, where string, response *http.Response, body []byte) {
	t.Helper()
	if got := response.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s: %s as %q", where, response.Status, got)
	}
	proxy, ok := c.model.Components.Schemas.Get("Problem")
	if !ok {
		t.Fatal("the contract has no schema of problems")
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	if ok, errs := c.schemas.ValidateSchemaObject(proxy.Schema(), value); !ok {
		t.Errorf("%s: %s is not a problem as the contract has it:\n%s\nbody: %s", where, response.Status, explain(errs), body)
	}
}

// checkBare is for answers without a body: their status and headers.
func (c *contract) checkBare(t testing.TB, where string, request *http.Request, response *http.Response) {
	t.Helper()
	if _, ok := c.operation(request).Responses.Codes.Get(fmt.Sprint(response.StatusCode)); !ok {
		t.Errorf("%s: the contract has no %s", where, response.Status)
	}
	c.checkHeaders(t, where, request, response)
}

// checkHeaders says which headers are required and missing, and which there are
// that the contract does not list. Those that every HTTP answer has are its own.
func (c *contract) checkHeaders(t testing.TB, where string, request *http.Request, response *http.Response) {
	t.Helper()
	answer, ok := c.operation(request).Responses.Codes.Get(fmt.Sprint(response.StatusCode))
	if !ok {
		return // said before
	}
	known := []string{"Date", "Content-Type", "Content-Length", "Transfer-Encoding", "Connection"}
	for name, header := range answer.Headers.FromOldest() {
		known = append(known, http.CanonicalHeaderKey(name))
		if header.Required && response.Header.Get(name) == "" {
			t.Errorf("%s: %s without %s", where, response.Status, name)
		}
	}
	for name := range response.Header {
		if !slices.Contains(known, name) {
			t.Errorf("%s: %s with a header %s that the contract does not have", where, response.Status, name)
		}
	}
}

// decoded takes the content coding off a body.
func decoded(coding string, body []byte) ([]byte, error) {
	switch coding {
	case "":
		return body, nil
	case "gzip":
		reader, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("gunzip: %w", err)
		}
		return io.ReadAll(reader)
	case "zstd":
		reader, err := zstd.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("unzstd: %w", err)
		}
		defer reader.Close()
		return io.ReadAll(reader)
	default:
		return nil, fmt.Errorf("unknown content coding %q", coding)
	}
}

func explain(errs []*failures.ValidationError) string {
	var b strings.Builder
	for _, e := range errs {
		fmt.Fprintf(&b, "  %s: %s\n", e.Message, e.Reason)
		for _, s := range e.SchemaValidationErrors {
			fmt.Fprintf(&b, "    %s: %s\n", s.FieldPath, s.Reason)
		}
	}
	return b.String()
}
