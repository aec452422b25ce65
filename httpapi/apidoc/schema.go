package apidoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// reader holds a document while it is read, and the first thing that is wrong with it.
type reader struct {
	document rawDocument
	err      error
}

// What is read of a document, as it stands there.
type (
	rawDocument struct {
		Info struct{ Title, Version, Description string }
		Tags []struct{ Name, Description string }

		Paths      map[string]map[string]rawOperation
		Components struct {
			Schemas    map[string]*rawSchema
			Parameters map[string]rawParameter
			Responses  map[string]rawAnswer
		}
	}
	rawOperation struct {
		OperationID          string
		Tags                 []string
		Summary, Description string
		Security             []map[string][]string
		Parameters           []rawParameter
		RequestBody          struct{ Content map[string]rawContent }
		Responses            map[string]rawAnswer
	}
	rawParameter struct {
		Ref                   string `json:"$ref"`
		Name, In, Description string
		Required              bool
		Schema                *rawSchema
	}
	rawAnswer struct {
		Ref         string `json:"$ref"`
		Description string
		Content     map[string]rawContent
	}
	rawContent struct {
		Schema  *rawSchema
		Example json.RawMessage
	}
	rawSchema struct {
		Ref                  string `json:"$ref"`
		Type                 types
		Format, Pattern      string
		Description          string
		Enum                 []json.RawMessage
		Minimum, Maximum     json.Number
		Items                *rawSchema
		Properties           map[string]*rawSchema
		AdditionalProperties json.RawMessage
		Required             []string
		AllOf, AnyOf, OneOf  []*rawSchema
	}
)

// types is one name of a type, or several.
type types []string

// UnmarshalJSON takes both.
func (t *types) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = types{one}
		return nil
	}
	var several []string
	if err := json.Unmarshal(raw, &several); err != nil {
		return errors.New("a type is neither a name nor a list of names")
	}
	*t = several
	return nil
}

// referring is what may be said elsewhere.
type referring interface{ reference() string }

func (p rawParameter) reference() string { return p.Ref }
func (a rawAnswer) reference() string    { return a.Ref }

// follow is what a reference leads to, or the thing itself.
func follow[T referring](r *reader, thing T, named map[string]T) T {
	ref := thing.reference()
	if ref == "" {
		return thing
	}
	found, known := named[last(ref)]
	if !known && r.err == nil {
		r.err = fmt.Errorf("read OpenAPI document: %s leads nowhere", ref)
	}
	return found
}

func last(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// describe says in a few words what a value is.
func (r *reader) describe(schema *rawSchema) []Piece {
	switch {
	case schema == nil:
		return nil
	case schema.Ref != "":
		name := last(schema.Ref)
		if r.document.Components.Schemas[name] == nil && r.err == nil {
			r.err = fmt.Errorf("read OpenAPI document: %s leads nowhere", schema.Ref)
		}
		return []Piece{{name, name}}
	case len(schema.AllOf) > 0:
		return r.describe(schema.AllOf[0]) // What follows narrows it, and is told in words.
	case len(schema.OneOf)+len(schema.AnyOf) > 0:
		return r.either(slices.Concat(schema.OneOf, schema.AnyOf))
	case len(schema.Enum) > 0:
		values := make([]string, len(schema.Enum))
		for i, value := range schema.Enum {
			values[i] = strings.Trim(string(value), `"`)
		}
		return []Piece{{Text: strings.Join(values, ", ")}}
	case slices.Contains(schema.Type, "array") && schema.Items != nil:
		return orNull(schema.Type, append([]Piece{{Text: "list of "}}, r.describe(schema.Items)...))
	}
	kinds := slices.DeleteFunc(slices.Clone(schema.Type), func(kind string) bool { return kind == "null" })
	text := strings.Join(kinds, " or ")
	if schema.Format != "" {
		text += " (" + schema.Format + ")"
	}
	switch {
	case schema.Minimum != "" && schema.Maximum != "":
		text += fmt.Sprintf(", %s to %s", schema.Minimum, schema.Maximum)
	case schema.Minimum != "":
		text += fmt.Sprintf(", from %s", schema.Minimum)
	case schema.Maximum != "":
		text += fmt.Sprintf(", up to %s", schema.Maximum)
	}
	return orNull(schema.Type, []Piece{{Text: text}})
}

func (r *reader) either(schemas []*rawSchema) []Piece {
	var pieces []Piece
	for i, schema := range schemas {
		if i > 0 {
			pieces = append(pieces, Piece{Text: " or "})
		}
		pieces = append(pieces, r.describe(schema)...)
		if len(schema.Type) == 1 && schema.Type[0] == "null" {
			pieces[len(pieces)-1].Text = "null"
		}
	}
	return pieces
}

func orNull(kinds types, pieces []Piece) []Piece {
	if len(kinds) > 1 && slices.Contains(kinds, "null") {
		return append(pieces, Piece{Text: " or null"})
	}
	return pieces
}

// codes are those that an answer's problem may have.
func (s *rawSchema) codes() []string {
	if s == nil {
		return nil
	}
	var codes []string
	if property := s.Properties["code"]; property != nil {
		for _, value := range property.Enum {
			codes = append(codes, strings.Trim(string(value), `"`))
		}
	}
	for _, part := range s.AllOf {
		codes = append(codes, part.codes()...)
	}
	return codes
}
