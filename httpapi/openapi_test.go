package httpapi_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi-validator/schema_validation"

	"markr/httpapi"
)

func TestContractIsOpenAPI(t *testing.T) {
	t.Parallel()
	c := contractOf(t)
	if c.model.Version != "3.1.0" {
		t.Errorf("version %s", c.model.Version)
	}
	ids := make(map[string]bool)
	for path, item := range c.model.Paths.PathItems.FromOldest() {
		for method, operation := range item.GetOperations().FromOldest() {
			if operation.OperationId == "" || ids[operation.OperationId] {
				t.Errorf("%s %s: operation id %q is missing or taken", method, path, operation.OperationId)
			}
			ids[operation.OperationId] = true
			if operation.Summary == "" || operation.Description == "" || len(operation.Tags) != 1 {
				t.Errorf("%s %s: no summary, description or tag", method, path)
			}
		}
	}
}

// The route table and the contract name the same paths and methods.
func TestContractHasEveryRoute(t *testing.T) {
	t.Parallel()
	var described []string
	for path, item := range contractOf(t).model.Paths.PathItems.FromOldest() {
		for method := range item.GetOperations().FromOldest() {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	var routes []string
	for _, r := range httpapi.Routes() {
		route := r.Method + " " + r.Pattern
		routes = append(routes, route)
		if !slices.Contains(described, route) {
			t.Errorf("the contract lacks %s", route)
		}
	}
	for _, operation := range described {
		if !slices.Contains(routes, operation) {
			t.Errorf("the contract has %s, which is no route", operation)
		}
	}
}

// Every code of a problem is in the contract, each answer lists only codes that
// have its status, and none is left without an answer that lists it.
func TestContractHasEveryCode(t *testing.T) {
	t.Parallel()
	codes := httpapi.Codes()
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Enum []string `json:"enum"`
				} `json:"properties"`
			} `json:"schemas"`
			Responses map[string]answerInContract `json:"responses"`
		} `json:"components"`
		Paths map[string]map[string]struct {
			Responses map[string]answerInContract `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(httpapi.OpenAPIDocument(), &document); err != nil {
		t.Fatal(err)
	}
	listed := document.Components.Schemas["Problem"].Properties["code"].Enum
	for code := range codes {
		if !slices.Contains(listed, code) {
			t.Errorf("the contract lacks the code %s", code)
		}
	}
	for _, code := range listed {
		if _, known := codes[code]; !known {
			t.Errorf("the contract has the code %s, which no error has", code)
		}
	}
	used := map[string]bool{"method_not_allowed": true} // an answer of no operation
	for path, item := range document.Paths {
		for method, operation := range item {
			for status, answer := range operation.Responses {
				if name, isRef := strings.CutPrefix(answer.Ref, "#/components/responses/"); isRef {
					answer = document.Components.Responses[name]
				}
				for _, code := range answer.codes() {
					used[code] = true
					if fmt.Sprint(codes[code]) != status {
						t.Errorf("%s %s: %s is listed under %s, and has status %d", method, path, code, status, codes[code])
					}
				}
			}
		}
	}
	for code := range codes {
		if !used[code] {
			t.Errorf("no answer in the contract lists %s", code)
		}
	}
}

type answerInContract struct {
	Ref     string `json:"$ref"`
	Content map[string]struct {
		Schema struct {
			AllOf []struct {
				Properties struct {
					Code struct {
						Enum []string `json:"enum"`
					} `json:"code"`
				} `json:"properties"`
			} `json:"allOf"`
		} `json:"schema"`
	} `json:"content"`
}

func (a answerInContract) codes() []string {
	var codes []string
	for _, part := range a.Content["application/problem+json"].Schema.AllOf {
		codes = append(codes, part.Properties.Code.Enum...)
	}
	return codes
}

// Every example is one: it fits its own schema.
func TestContractExamples(t *testing.T) {
	t.Parallel()
	c := contractOf(t)
	schemas := schema_validation.NewSchemaValidator()
	examples := make(map[string]int)
	for path, item := range c.model.Paths.PathItems.FromOldest() {
		for method, operation := range item.GetOperations().FromOldest() {
			for status, answer := range operation.Responses.Codes.FromOldest() {
				for mediaType, content := range answer.Content.FromOldest() {
					if content.Example == nil {
						continue
					}
					examples[operation.OperationId]++
					var value any
					if err := content.Example.Decode(&value); err != nil {
						t.Fatal(err)
					}
					if ok, errs := schemas.ValidateSchemaObject(content.Schema.Schema(), value); !ok {
						t.Errorf("%s %s %s %s: the example does not fit its schema:\n%s", method, path, status, mediaType, explain(errs))
					}
				}
			}
		}
	}
	for _, operation := range []string{"items", "item", "whatIf"} {
		if examples[operation] == 0 {
			t.Errorf("%s has no example", operation)
		}
	}
	if len(examples) < 5 {
		t.Errorf("%d operations with examples", len(examples))
	}
}
