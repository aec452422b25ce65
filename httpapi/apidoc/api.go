package apidoc

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// API is what a page shows.
type API struct {
	Title, Version string
	About          []Paragraph
	Tags           []Tag
	Schemas        []Schema
}

// Tag is a group of operations.
type Tag struct {
	Name       string
	About      []Paragraph
	Operations []Operation
}

// Operation is one method of one path.
type Operation struct {
	ID, Method, Path, Summary string
	About                     []Paragraph
	Scopes                    []string // of tokens; none: it is open to everybody
	Parameters                []Parameter
	Bodies                    []Body // one of them
	Answers                   []Answer
}

// Parameter is one of a path, a query or a header.
type Parameter struct {
	Name, In string
	Required bool
	Type     []Piece
	About    []Paragraph
}

// Body is content of a media type.
type Body struct {
	MediaType string
	Type      []Piece
}

// Answer is what an operation may come to.
type Answer struct {
	Status  string
	About   []Paragraph
	Bodies  []Body
	Codes   []string // of problems
	Example string   // JSON, indented; empty if there is none
}

// Schema is a kind of value that has a name.
type Schema struct {
	Name    string
	About   []Paragraph
	Type    []Piece // what it is, if it has no members
	Members []Member
}

// Member is one of an object.
type Member struct {
	Name     string
	Required bool
	Type     []Piece
	About    []Paragraph
}

// Paragraph is text with code in it.
type Paragraph []Span

// Span is a run of text, or of code.
type Span struct {
	Text string
	Code bool
}

// Piece is a part of a type's description; Ref names the schema it speaks of, if it
// does.
type Piece struct{ Text, Ref string }

// Read reads an OpenAPI document. The error names the first reference that leads
// nowhere.
func Read(document []byte) (*API, error) {
	r := &reader{}
	if err := json.Unmarshal(document, &r.document); err != nil {
		return nil, fmt.Errorf("read OpenAPI document: %w", err)
	}
	d := &r.document
	api := &API{Title: d.Info.Title, Version: d.Info.Version, About: paragraphs(d.Info.Description)}
	for _, tag := range d.Tags {
		api.Tags = append(api.Tags, Tag{Name: tag.Name, About: paragraphs(tag.Description)})
	}
	for path, methods := range d.Paths {
		for method, raw := range methods {
			operation, tag := r.operation(strings.ToUpper(method), path, &raw)
			at := slices.IndexFunc(api.Tags, func(t Tag) bool { return t.Name == tag })
			if at < 0 {
				return nil, fmt.Errorf("read OpenAPI document: %s %s: unknown tag %q", method, path, tag)
			}
			api.Tags[at].Operations = append(api.Tags[at].Operations, operation)
		}
	}
	for i := range api.Tags {
		slices.SortFunc(api.Tags[i].Operations, func(a, b Operation) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
		})
	}
	for name, schema := range d.Components.Schemas {
		api.Schemas = append(api.Schemas, r.named(name, schema))
	}
	slices.SortFunc(api.Schemas, func(a, b Schema) int { return cmp.Compare(a.Name, b.Name) })
	return api, r.err
}

func (r *reader) operation(method, path string, raw *rawOperation) (operation Operation, tag string) {
	operation = Operation{ID: raw.OperationID, Method: method, Path: path, Summary: raw.Summary, About: paragraphs(raw.Description)}
	if len(raw.Tags) > 0 {
		tag = raw.Tags[0]
	}
	for _, requirement := range raw.Security {
		operation.Scopes = append(operation.Scopes, requirement["bearer"]...)
	}
	for _, parameter := range raw.Parameters {
		parameter = follow(r, parameter, r.document.Components.Parameters)
		operation.Parameters = append(operation.Parameters, Parameter{
			Name: parameter.Name, In: parameter.In, Required: parameter.Required,
			Type: r.describe(parameter.Schema), About: paragraphs(parameter.Description),
		})
	}
	operation.Bodies = r.bodies(raw.RequestBody.Content)
	for status, answer := range raw.Responses {
		answer = follow(r, answer, r.document.Components.Responses)
		shown := Answer{Status: status, About: paragraphs(answer.Description), Bodies: r.bodies(answer.Content)}
		for mediaType, content := range answer.Content {
			if mediaType == "application/problem+json" {
				shown.Codes = content.Schema.codes()
				continue
			}
			if len(content.Example) > 0 {
				shown.Example = indented(content.Example)
			}
		}
		operation.Answers = append(operation.Answers, shown)
	}
	slices.SortFunc(operation.Answers, func(a, b Answer) int { return cmp.Compare(a.Status, b.Status) })
	return operation, tag
}

func (r *reader) bodies(content map[string]rawContent) []Body {
	bodies := make([]Body, 0, len(content))
	for mediaType, c := range content {
		bodies = append(bodies, Body{mediaType, r.describe(c.Schema)})
	}
	slices.SortFunc(bodies, func(a, b Body) int { return cmp.Compare(a.MediaType, b.MediaType) })
	return bodies
}

func (r *reader) named(name string, schema *rawSchema) Schema {
	s := Schema{Name: name, About: paragraphs(schema.Description)}
	members := r.members(schema)
	if len(members) == 0 {
		s.Type = r.describe(schema)
	}
	s.Members = members
	return s
}

// members are those of an object, in order of name, its own and those of the schemas
// it takes in; required ones come first.
func (r *reader) members(schema *rawSchema) []Member {
	var members []Member
	for _, part := range schema.AllOf {
		if part.Ref == "" {
			members = append(members, r.members(part)...)
		}
	}
	for name, property := range schema.Properties {
		members = append(members, Member{
			Name: name, Required: slices.Contains(schema.Required, name),
			Type: r.describe(property), About: paragraphs(property.Description),
		})
	}
	rank := func(name string) int {
		if at := slices.Index(schema.Required, name); at >= 0 {
			return at
		}
		return len(schema.Required)
	}
	slices.SortFunc(members, func(a, b Member) int {
		return cmp.Or(cmp.Compare(rank(a.Name), rank(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return members
}

// paragraphs splits text at empty lines, and code at backticks.
func paragraphs(text string) []Paragraph {
	if text == "" {
		return nil
	}
	var all []Paragraph
	for block := range strings.SplitSeq(text, "\n\n") {
		var paragraph Paragraph
		for i, part := range strings.Split(block, "`") {
			if part != "" {
				paragraph = append(paragraph, Span{part, i%2 == 1})
			}
		}
		all = append(all, paragraph)
	}
	return all
}

// indented is JSON as people read it; an example that is text is that text.
func indented(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var lines bytes.Buffer
	if json.Indent(&lines, raw, "", "  ") != nil {
		return string(raw) // Not reached: it was part of JSON.
	}
	return lines.String()
}
