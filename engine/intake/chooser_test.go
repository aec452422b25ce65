package intake_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"markr/engine/exam"
	"markr/engine/intake"
)

// table is a format that is read by a layout: by name, or spelled out.
type table struct {
	layouts map[string]string // by name
	chosen  string
}

func (table) MediaTypes() []string { return []string{"text/table"} }

func (table) Offers() []string { return []string{"text/table; layout=wide", "text/table"} }

func (f table) Decode(doc *intake.Document, _ []byte, charset string) error {
	doc.Records = append(doc.Records, exam.Record{Test: []byte(f.chosen), Student: []byte(charset)})
	return nil
}

func (f table) Choose(params map[string]string) (intake.Decoder, map[string]string, error) {
	kept := maps.Clone(params)
	delete(kept, "whatever")
	name, spelled := params["layout"], params["columns"]
	if name != "" && spelled == "" {
		if spelled = f.layouts[name]; spelled == "" {
			return nil, nil, fmt.Errorf("layout %q is not known", name)
		}
		kept["columns"] = spelled
	}
	return table{chosen: "by " + spelled}, kept, nil
}

func TestRegistryLetsParametersChoose(t *testing.T) {
	t.Parallel()
	const spelled = `text/table; columns="a \"b\\"; layout=wide`
	before, err := intake.NewRegistry(echo{"text/xml+markr"}, table{layouts: map[string]string{"wide": `a "b\`}})
	if err != nil {
		t.Fatal(err)
	}
	// The layout is another one after a restart, or gone.
	changed, err := intake.NewRegistry(table{layouts: map[string]string{"wide": "c"}})
	if err != nil {
		t.Fatal(err)
	}
	gone, err := intake.NewRegistry(table{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ contentType, kept, decoder, charset string }{
		{"text/table", "text/table", "by ", ""},
		{"Text/Table;", "text/table", "by ", ""},
		{"text/table; whatever=1", "text/table", "by ", ""},
		{"text/table; charset=UTF-8", "text/table; charset=UTF-8", "by ", "utf-8"},
		{"text/table;layout=wide", spelled, `by a "b\`, ""},
		{spelled, spelled, `by a "b\`, ""},
		{`text/table; columns="é"`, `text/table; columns*=utf-8''%C3%A9`, "by é", ""},
	}
	for _, test := range tests {
		kept, decides := before.Kept(test.contentType)
		if kept != test.kept || !decides {
			t.Errorf("Kept(%q) = %q, %v; want %q", test.contentType, kept, decides, test.kept)
		}
		for name, registry := range map[string]*intake.Registry{"before": before, "changed": changed, "gone": gone} {
			var doc intake.Document
			if err := registry.Decode(&doc, nil, kept); err != nil {
				t.Errorf("%s: Decode(%q) = %v", name, kept, err)
				continue
			}
			if got := string(doc.Records[0].Test); got != test.decoder {
				t.Errorf("%s: Decode(%q) went to %q, want %q", name, kept, got, test.decoder)
			}
			if got := string(doc.Records[0].Student); got != test.charset {
				t.Errorf("%s: Decode(%q) was told charset %q, want %q", name, kept, got, test.charset)
			}
			if again, _ := registry.Kept(kept); again != kept {
				t.Errorf("%s: Kept(%q) = %q", name, kept, again)
			}
		}
	}
}

func TestRegistryRefusesParameters(t *testing.T) {
	t.Parallel()
	registry, err := intake.NewRegistry(table{})
	if err != nil {
		t.Fatal(err)
	}
	for _, contentType := range []string{"text/table; layout=wide", "text/table; layout", "text/table; charset="} {
		var doc intake.Document
		if err := registry.Decode(&doc, nil, contentType); !errors.Is(err, intake.ErrUnknownMediaType) || len(doc.Records) != 0 {
			t.Errorf("Decode(%q) = %v", contentType, err)
		}
		if err := registry.Reads(contentType); !errors.Is(err, intake.ErrUnknownMediaType) {
			t.Errorf("Reads(%q) = %v", contentType, err)
		}
		if kept, decides := registry.Kept(contentType); kept != contentType || decides {
			t.Errorf("Kept(%q) = %q, %v", contentType, kept, decides)
		}
	}
}

// What is not chosen by parameters is kept as it came.
func TestRegistryKeepsTheRestAsItIs(t *testing.T) {
	t.Parallel()
	registry, err := intake.NewRegistry(echo{"text/xml+markr"}, table{})
	if err != nil {
		t.Fatal(err)
	}
	for _, contentType := range []string{"text/xml+markr", "TEXT/XML+Markr; Charset=utf-8", "text/xml+markr; charset", "text/plain", ""} {
		if kept, decides := registry.Kept(contentType); kept != contentType || decides {
			t.Errorf("Kept(%q) = %q, %v", contentType, kept, decides)
		}
	}
	if got, want := registry.Offers(), []string{"text/table", "text/table; layout=wide", "text/xml+markr"}; !slices.Equal(got, want) {
		t.Errorf("offers %q, want %q", got, want)
	}
}
