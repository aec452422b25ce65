package httpapi_test

import (
	"math"
	"regexp"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"markr/httpapi"
)

func TestAppendPercentage(t *testing.T) {
	t.Parallel()
	for value, want := range map[float64]string{
		0:                  "0.0",
		65:                 "65.0",
		100:                "100.0",
		50.80246913580247:  "50.80246913580247",
		9.92119535943923:   "9.92119535943923",
		33.333333333333336: "33.333333333333336",
		0.1:                "0.1",
		1e-7:               "0.0000001", // a thousandth of a million marks
		1.2345e-9:          "0.0000000012345",
	} {
		if got := string(httpapi.AppendPercentage(nil, value)); got != want {
			t.Errorf("%v is %s, want %s", value, got, want)
		}
	}
	if got := string(httpapi.AppendPercentage([]byte("1.5,"), 2)); got != "1.5,2.0" {
		t.Errorf("after another number: %s", got)
	}
}

// Whatever the number: digits, a point, digits; it reads back as the same number;
// and no shorter text does.
func TestAppendPercentageRoundTrip(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[0-9]*[1-9])$`)
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(
			rapid.Float64Range(0, 100),
			rapid.Custom(func(t *rapid.T) float64 {
				return math.Float64frombits(rapid.Uint64Range(0, math.Float64bits(100)).Draw(t, "bits"))
			}),
		).Draw(t, "value")
		text := string(httpapi.AppendPercentage(nil, value))
		if !shape.MatchString(text) {
			t.Fatalf("%v is %s", value, text)
		}
		back, err := strconv.ParseFloat(text, 64)
		if err != nil || back != value {
			t.Fatalf("%v is %s, which reads as %v, %v", value, text, back, err)
		}
	})
}
