package apidoc_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"markr/httpapi/apidoc"
)

// What Markr's own document comes to: every operation is there, and nothing is left
// without words.
func TestReadOwn(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	api, err := apidoc.Read(document)
	if err != nil {
		t.Fatal(err)
	}
	if api.Title != "Markr" || len(api.About) < 3 || len(api.Schemas) < 20 {
		t.Errorf("title %q, %d paragraphs, %d schemas", api.Title, len(api.About), len(api.Schemas))
	}
	operations := 0
	for _, tag := range api.Tags {
		if len(tag.Operations) == 0 || len(tag.About) == 0 {
			t.Errorf("tag %s: %d operations, %d paragraphs", tag.Name, len(tag.Operations), len(tag.About))
		}
		for _, o := range tag.Operations {
			operations++
			name := o.Method + " " + o.Path
			if o.ID == "" || o.Summary == "" || len(o.About) == 0 || len(o.Answers) == 0 {
				t.Errorf("%s: %+v", name, o)
			}
			for _, p := range o.Parameters {
				if p.Name == "" || p.In == "" || len(p.Type) == 0 || len(p.About) == 0 {
					t.Errorf("%s: parameter %+v", name, p)
				}
			}
			for _, a := range o.Answers {
				if len(a.About) == 0 {
					t.Errorf("%s: answer %s without words", name, a.Status)
				}
			}
		}
	}
	if want := strings.Count(string(document), `"operationId"`); operations != want {
		t.Errorf("%d operations, want %d", operations, want)
	}
	for _, s := range api.Schemas {
		if len(s.Members) == 0 && len(s.Type) == 0 {
			t.Errorf("schema %s is empty", s.Name)
		}
		for _, m := range s.Members {
			if len(m.Type) == 0 || m.Type[0].Text == "" {
				t.Errorf("schema %s: member %s has no type", s.Name, m.Name)
			}
		}
	}
}

func TestReadForms(t *testing.T) {
	t.Parallel()
	const document = `{"info":{"title":"T","description":"One ` + "`code`" + `.\n\nTwo."},"tags":[{"name":"t","description":"d"}],
"paths":{"/a/{x}":{"get":{"operationId":"o","tags":["t"],"summary":"s","description":"d","security":[{},{"bearer":["read"]}],
"parameters":[{"$ref":"#/components/parameters/X"}],
"responses":{"200":{"description":"yes","content":{"application/json":{"schema":{"$ref":"#/components/schemas/S"},"example":{"a":[1,2.50]}}}},
"404":{"$ref":"#/components/responses/No"}}}}},
"components":{"parameters":{"X":{"name":"x","in":"path","required":true,"description":"d","schema":{"type":"integer","minimum":1,"maximum":9}}},
"responses":{"No":{"description":"no","content":{"application/problem+json":{"schema":{"allOf":[{"$ref":"#/components/schemas/S"},{"properties":{"code":{"enum":["gone","never"]}}}]}}}}},
"schemas":{"S":{"type":"object","required":["b"],"properties":{"a":{"type":["array","null"],"items":{"$ref":"#/components/schemas/S"}},
"b":{"enum":["p","q"]},"c":{"oneOf":[{"type":"number"},{"type":"null"}]},"d":{"type":["string","null"],"format":"date-time"}}}}}}`
	api, err := apidoc.Read([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	o := api.Tags[0].Operations[0]
	for _, tt := range []struct{ what, got, want string }{
		{"about", fmt.Sprint(api.About), "[[{One  false} {code true} {. false}] [{Two. false}]]"},
		{"scopes", fmt.Sprint(o.Scopes), "[read]"},
		{"parameter", fmt.Sprint(o.Parameters[0].Name, o.Parameters[0].Type), "x[{integer, 1 to 9 }]"},
		{"example", o.Answers[0].Example, "{\n  \"a\": [\n    1,\n    2.50\n  ]\n}"},
		{"codes", fmt.Sprint(o.Answers[1].Status, o.Answers[1].Codes), "404[gone never]"},
		{"required first", api.Schemas[0].Members[0].Name, "b"},
		{"list", fmt.Sprint(api.Schemas[0].Members[1].Type), "[{list of  } {S S} { or null }]"},
		{"enum", fmt.Sprint(api.Schemas[0].Members[0].Type), "[{p, q }]"},
		{"either", fmt.Sprint(api.Schemas[0].Members[2].Type), "[{number } { or  } {null }]"},
		{"null", fmt.Sprint(api.Schemas[0].Members[3].Type), "[{string (date-time) } { or null }]"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, tt.got, tt.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ document, want string }{
		{`[`, "unexpected end"},
		{`{"paths":{"/":{"get":{"tags":["none"]}}}}`, `unknown tag "none"`},
		{`{"tags":[{"name":"t"}],"paths":{"/":{"get":{"tags":["t"],"parameters":[{"$ref":"#/components/parameters/Gone"}]}}}}`, "Gone leads nowhere"},
		{`{"components":{"schemas":{"A":{"properties":{"b":{"$ref":"#/components/schemas/Gone"}}}}}}`, "Gone leads nowhere"},
		{`{"components":{"schemas":{"A":{"type":1}}}}`, "neither a name nor a list"},
	} {
		if _, err := apidoc.Read([]byte(tt.document)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.document, err, tt.want)
		}
	}
}
