package main_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	bench "markr/bench"
)

// TestLatencies: a document's event is the first of its test that goes as far.
func TestLatencies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		acked, told []bench.Moment
		want        []int
	}{
		{"one each", []bench.Moment{{3, 10}, {7, 200}}, []bench.Moment{{0, 0}, {3, 12}, {8, 203}}, []int{2, 3}},
		{"told first", []bench.Moment{{3, 10}}, []bench.Moment{{3, 9}}, []int{-1}},
		{"joined", []bench.Moment{{3, 10}, {4, 20}, {5, 30}}, []bench.Moment{{3, 11}, {5, 100}}, []int{1, 80, 70}},
		{"not told yet", []bench.Moment{{3, 10}, {4, 20}}, []bench.Moment{{3, 11}}, []int{1}},
		{"nothing told", []bench.Moment{{3, 10}}, nil, nil},
	} {
		if got := bench.Latencies(tt.acked, tt.told); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestEventScenarios runs those of the live feed, small, with a server, a load and
// subscribers as the program has them.
func TestEventScenarios(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	found, err := bench.TryEvents(t.Context(), self, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for contender, names := range map[string][]string{
		"markr": {
			"event p50 ms", "event p99 ms", "event max ms", "events timed",
			"busy test event p99 ms", "busy test events timed", "documents/s meanwhile",
		},
		"with subscribers": {
			"documents/s", "server CPU us/document", "events/s", "events/s, least of a stream", "MiB/s of events",
			"processors the subscribers take", "documents/s per processor they leave",
		},
		"without": {"documents/s", "documents/s per processor they leave"},
	} {
		for _, name := range names {
			// A few streams may take less than the hundredths of a second that are counted.
			if value, there := found[contender][name]; !there || value <= 0 && !strings.HasPrefix(name, "processors") {
				t.Errorf("%s: %s is %v", contender, name, value)
			}
		}
	}
	for _, args := range []string{"subscribers 127.0.0.1:1", "subscribers 127.0.0.1:1 0 a", "subscribers 127.0.0.1:1 x a", "subscribers 127.0.0.1:1 1 a"} {
		if err := exec.CommandContext(t.Context(), self, strings.Fields(args)...).Run(); err == nil {
			t.Errorf("%s: nothing is wrong with it", args)
		}
	}
}
