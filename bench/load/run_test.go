package load_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"markr/bench/load"
)

// serve starts a server for one test and returns it as a target.
func serve(t *testing.T, handler http.HandlerFunc) load.Target {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	target, err := load.ParseTarget(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestClosedLoop(t *testing.T) {
	t.Parallel()
	var served, authorised atomic.Int64
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		if r.Header.Get("Authorization") == "Bearer secret" {
			authorised.Add(1)
		}
		_, _ = w.Write([]byte("{}"))
	})
	target.Token = "secret"
	report, err := load.Run(t.Context(), load.Options{
		Target: target, Connections: 3, RequestsMax: 500, Duration: time.Minute,
	}, load.Get(target, "/results/1/aggregate"))
	if err != nil {
		t.Fatal(err)
	}
	if report.Succeeded != 500 || report.Total != 500 || report.Failed != 0 || report.Statuses[200] != 500 {
		t.Errorf("report = %+v, want 500 times 200", report)
	}
	if served.Load() != 500 || authorised.Load() != 500 {
		t.Errorf("served %d, %d of them with the token, want 500", served.Load(), authorised.Load())
	}
	if report.Elapsed <= 0 || report.Elapsed > 30*time.Second || report.PerSecond <= 0 {
		t.Errorf("elapsed %v, %v per second", report.Elapsed, report.PerSecond)
	}
	l := report.Latency
	if l.P50 <= 0 || l.P50 > l.P90 || l.P90 > l.P99 || l.P99 > l.P999 || l.P999 > l.Max {
		t.Errorf("latencies are not in order: %+v", l)
	}
	if report.BytesSent == 0 || report.BytesReceived < 500*2 {
		t.Errorf("%d bytes sent, %d received", report.BytesSent, report.BytesReceived)
	}
}

func TestDurationEndsTheRun(t *testing.T) {
	t.Parallel()
	target := serve(t, func(http.ResponseWriter, *http.Request) {})
	var progress []load.Progress
	report, err := load.Run(t.Context(), load.Options{
		Target: target, Connections: 2, WarmUp: 150 * time.Millisecond, Duration: 300 * time.Millisecond,
		Progress: func(p load.Progress) { progress = append(progress, p) },
	}, load.Get(target, "/"))
	if err != nil {
		t.Fatal(err)
	}
	if report.Elapsed != 300*time.Millisecond {
		t.Errorf("elapsed %v, want 300ms exactly", report.Elapsed)
	}
	if report.Total <= report.Succeeded {
		t.Errorf("%d in all, %d counted: the warm-up is counted", report.Total, report.Succeeded)
	}
	if len(progress) == 0 || !progress[0].WarmingUp {
		t.Errorf("progress = %+v, want some, the first while warming up", progress)
	}
}

func TestAnswersAreCountedByStatus(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n.Add(1) % 4 {
		case 0:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 1:
			w.WriteHeader(http.StatusNotModified)
		}
	})
	report, err := load.Run(t.Context(), load.Options{
		Target: target, Connections: 1, RequestsMax: 100, Duration: time.Minute,
	}, load.Get(target, "/"))
	if err != nil {
		t.Fatal(err)
	}
	if report.Statuses[200] != 50 || report.Statuses[304] != 25 || report.Statuses[503] != 25 {
		t.Errorf("statuses = %v, want 50 200s, 25 304s, 25 503s", report.Statuses)
	}
	if report.Succeeded != 75 || report.Failed != 25 {
		t.Errorf("%d succeeded, %d failed, want 75 and 25", report.Succeeded, report.Failed)
	}
}

// TestBrokenConnections has a server that hangs up, with and without notice.
func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n.Add(1) % 10 {
		case 3:
			w.Header().Set("Connection", "close")
		case 7:
			panic(http.ErrAbortHandler)
		}
	})
	report, err := load.Run(t.Context(), load.Options{
		Target: target, Connections: 1, RequestsMax: 40, Duration: time.Minute,
	}, load.Get(target, "/"))
	if err != nil {
		t.Fatal(err)
	}
	if report.Succeeded != 36 || report.Failed != 4 || report.Errors["connection closed by the server"] != 4 {
		t.Errorf("report = %+v, want 36 answers and 4 connections closed", report)
	}
}

// TestStallIsFelt is about coordinated omission: one stall of the server must show
// in the latency of every request that was due meanwhile.
func TestStallIsFelt(t *testing.T) {
	t.Parallel()
	const (
		rate  = 500
		stall = 400 * time.Millisecond
	)
	var once sync.Once
	target := serve(t, func(http.ResponseWriter, *http.Request) {
		once.Do(func() { <-time.After(stall) })
	})
	report, err := load.Run(t.Context(), load.Options{
		Target: target, Connections: 1, Rate: rate, Duration: time.Second,
	}, load.Get(target, "/"))
	if err != nil {
		t.Fatal(err)
	}
	if total := report.Succeeded + report.Failed; total != rate {
		t.Errorf("%d requests accounted for, want %d", total, rate)
	}
	// Two fifths of the requests were due during the stall, and waited 200 ms on
	// average. Without the correction one request in 500 would show it.
	if report.Latency.P90 < stall/2 || report.Latency.Max < stall {
		t.Errorf("p90 %v, max %v after a stall of %v", report.Latency.P90, report.Latency.Max, stall)
	}
	if report.Lateness == nil || report.Lateness.P90 < stall/2 {
		t.Errorf("lateness = %+v, want the requests that waited for the connection", report.Lateness)
	}
}

// TestDeadServerDoesNotHoldARun has a server that answers nothing at all.
func TestDeadServerDoesNotHoldARun(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	target := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) }) // before the server closes
	report, err := load.Run(t.Context(), load.Options{
		Target: target, Connections: 2, Rate: 100, Duration: 300 * time.Millisecond, AnswerWait: 50 * time.Millisecond,
	}, load.Get(target, "/"))
	if err != nil {
		t.Fatal(err)
	}
	if report.Succeeded != 0 || report.Failed != 30 {
		t.Errorf("%d succeeded, %d failed, want 0 and 30", report.Succeeded, report.Failed)
	}
	if report.Errors["no answer in time"] != 2 || report.Errors["not sent: every connection was waiting"] != 28 {
		t.Errorf("errors = %v, want 2 cut off and 28 not sent", report.Errors)
	}
	if report.Latency.Max < 250*time.Millisecond {
		t.Errorf("max latency %v: what never got an answer must not look fast", report.Latency.Max)
	}
}

func TestContextEndsTheRun(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0, 2000} {
		t.Run(fmt.Sprintf("rate=%v", rate), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var n atomic.Int64
			target := serve(t, func(http.ResponseWriter, *http.Request) {
				if n.Add(1) == 50 {
					cancel()
				}
			})
			report, err := load.Run(ctx, load.Options{
				Target: target, Connections: 1, Rate: rate, Duration: time.Hour,
			}, load.Get(target, "/"))
			if err != nil {
				t.Fatal(err)
			}
			if report.Total < 49 || report.Elapsed > time.Minute {
				t.Errorf("%d answers in %v, want the 50 until the end", report.Total, report.Elapsed)
			}
		})
	}
}

func TestFeedEndsTheRun(t *testing.T) {
	t.Parallel()
	target := serve(t, func(http.ResponseWriter, *http.Request) {})
	for _, rate := range []float64{0, 1000} {
		report, err := load.Run(t.Context(), load.Options{Target: target, Connections: 4, Rate: rate, Duration: time.Hour},
			func(connection int) load.Feed {
				left := 10 * connection
				inner := load.Get(target, "/")(connection)
				return func() []byte {
					if left--; left < 0 {
						return nil
					}
					return inner()
				}
			})
		if err != nil {
			t.Fatal(err)
		}
		if report.Total != 60 {
			t.Errorf("rate %v: %d answers, want 60", rate, report.Total)
		}
	}
}

func TestServerCPU(t *testing.T) {
	t.Parallel()
	var seconds atomic.Int64
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			_, _ = w.Write([]byte("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total " +
				strings.Repeat("1", int(seconds.Add(1))) + ".5\n"))
		}
	})
	cpu := load.MetricsCPU(http.DefaultClient, "http://"+target.Host+"/metrics")
	report, err := load.Run(t.Context(), load.Options{
		Target: target, Connections: 1, Duration: 100 * time.Millisecond, ServerCPU: cpu,
	}, load.Get(target, "/"))
	if err != nil {
		t.Fatal(err)
	}
	if report.ServerCPU != 10*time.Second || report.ServerCPUPerRequest() <= 0 {
		t.Errorf("server CPU %v, per request %v, want 10s and some", report.ServerCPU, report.ServerCPUPerRequest())
	}

	missing := load.MetricsCPU(http.DefaultClient, "http://"+target.Host+"/")
	report, err = load.Run(t.Context(), load.Options{
		Target: target, Connections: 1, Duration: 50 * time.Millisecond, ServerCPU: missing,
	}, load.Get(target, "/"))
	if err == nil || report.Total == 0 {
		t.Errorf("error = %v, %d answers; want the report and the reason why there is no processor time", err, report.Total)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]error{
		"http://192.0.2.1:4567":      load.ErrNotLoopback,
		"[2001:db8::1]:80":           load.ErrNotLoopback,
		"ftp://127.0.0.1":            load.ErrTarget,
		"http://127.0.0.1:99999":     load.ErrTarget,
		"http://127.0.0.1:80/import": load.ErrTarget,
		"http://":                    load.ErrTarget,
		"http://127.0.0.1:4567":      nil,
		"127.0.0.1:4567":             nil,
		"http://[::1]:4567/":         nil,
		"localhost:4567":             nil,
	} {
		if _, err := load.ParseTarget(t.Context(), target); !errors.Is(err, want) {
			t.Errorf("ParseTarget(%q): %v, want %v", target, err, want)
		}
	}
	target, err := load.ParseRemoteTarget(t.Context(), "192.0.2.1:80")
	if err != nil || target.Address.String() != "192.0.2.1:80" {
		t.Errorf("ParseRemoteTarget = %v, %v", target, err)
	}
	for name, opts := range map[string]load.Options{
		"no target":   {},
		"connections": {Target: target, Connections: load.ConnectionsMax + 1},
		"rate":        {Target: target, Rate: -1},
		"duration":    {Target: target, Duration: 2 * load.DurationMax},
		"requests":    {Target: target, RequestsMax: -1},
		"answer wait": {Target: target, AnswerWait: -1},
		"warm-up":     {Target: target, WarmUp: -1},
	} {
		if _, err := load.Run(t.Context(), opts, load.Get(target, "/")); !errors.Is(err, load.ErrOptions) {
			t.Errorf("%s: %v, want ErrOptions", name, err)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	target, err := load.ParseTarget(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	if _, err := load.Run(t.Context(), load.Options{Target: target}, load.Get(target, "/")); err == nil {
		t.Error("a run against nobody succeeded")
	}
}
