package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"markr/bench/load"
	markr "markr/cmd/markr"
)

var overloadFor = flag.Duration("overload", 0, "how long TestOverload overloads; 0: 2s, with -long 10s")

const (
	bestConnections  = 64   // of a closed loop that takes the server to its best rate
	crowdConnections = 2048 // over which ten times that rate is due
	crowdTimes       = 10
	crowdReads       = 50 // a second, meanwhile
	recoverWithin    = 5 * time.Second
)

// TestOverload sends ten times as many documents as the server can take.
//
//  1. The best rate is that of a closed loop, before and after.
//  2. Then ten times as many are due, over so many connections that one with a request
//     under way is no reason not to send; whoever is refused tries again at once, as
//     old scanners do. Others read meanwhile, from a process of their own, because the
//     crowd's is busy.
//  3. Then all is quiet, and it is looked how soon an import is as quick as before.
//  4. Then the server is killed and started again, and every document that was
//     answered 200 has to be there.
//
// Asserted is what has to hold on any machine, however busy: only 200 and 503, the
// latter with Retry-After; nothing lost; memory below its limit; recovery. The rest is
// printed. Documents are compressed, so that sending them is cheaper than taking them.
// Where figures are asked for, server and crowd have processors of their own: what the
// crowd computes is not the server's to give.
func TestOverload(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip("the race detector makes the server too slow to be overloaded, and its memory large")
	}
	if runtime.GOOS != "linux" {
		t.Skip("what a process needs is read as Linux tells it")
	}
	duration := *overloadFor
	if duration == 0 {
		duration = 2 * time.Second
		if *long {
			duration = 10 * time.Second
		}
	}
	const memoryLimit = 1 << 30
	dir := t.TempDir()
	program := append([]string{theProgram}, serveArguments("--data-dir", dir, "--decoded-bytes-max", "32MiB")...)
	if n := runtime.NumCPU(); *overloadFor > 0 && n > 1 {
		program = append([]string{"taskset", "--cpu-list", fmt.Sprintf("0-%d", n/2-1)}, program...)
		keepTo(t, fmt.Sprintf("%d-%d", n/2, n-1))
	}
	p := launchProgram(t, []string{fmt.Sprintf("GOMEMLIMIT=%d", memoryLimit)}, program[0], program[1:]...)
	p.awaitReady(t)
	o := &overload{t: t, server: p, client: newHTTPClient(t)}
	o.prepare()

	closed := load.Options{Connections: bestConnections, WarmUp: duration / 4, Duration: duration / 2}
	before := o.run(closed)
	reading := o.startReaders(duration)
	canary := o.startCanary()
	crowd := o.run(load.Options{Connections: crowdConnections, Rate: crowdTimes * before.PerSecond, Duration: duration})
	ended := time.Now()
	canary.stop()
	recovered := o.awaitRecovery(ended)
	reads := reading()
	after := o.run(closed)
	best := (before.PerSecond + after.PerSecond) / 2

	for _, r := range []load.Report{before, after} {
		t.Logf("best: %.0f documents/s over %d connections, p50 %v, p99 %v", r.PerSecond, bestConnections, r.Latency.P50, r.Latency.P99)
	}
	t.Logf("ten times as many, for %v over %d connections: %d sent, %d not sent because every connection was waiting",
		duration, crowdConnections, crowd.Succeeded+crowd.Statuses[503], crowd.Errors["not sent: every connection was waiting"])
	t.Logf("goodput: %.0f documents/s, %.0f %% of the best; %.0f refusals/s", crowd.PerSecond, 100*crowd.PerSecond/best,
		float64(crowd.Statuses[503])/duration.Seconds())
	if turned := crowd.TurnedAway; turned != nil {
		t.Logf("503 in: p50 %v, p99 %v, at most %v", turned.P50, turned.P99, turned.Max)
	}
	t.Logf("reads meanwhile: %d, %d failed, p50 %v, p99 %v, at most %v", reads.Succeeded, reads.Failed, reads.Latency.P50, reads.Latency.P99, reads.Latency.Max)
	peak := o.peakResident()
	t.Logf("resident at most: %d MiB, of a limit of %d MiB; recovered after %v", peak>>20, memoryLimit>>20, recovered.Round(time.Millisecond))

	o.holdAnswers(crowd, before, after)
	if reads.Failed > 0 {
		t.Errorf("reads failed: %v %v", reads.Statuses, reads.Errors)
	}
	if peak > memoryLimit*11/10 { // what Go does not count
		t.Errorf("%d bytes resident", peak)
	}
	if recovered > recoverWithin {
		t.Errorf("recovered after %v", recovered)
	}
	p.kill()
	o.server = serve(t, dir)
	o.holdDocuments()
}

// keepTo has this process, and those that it starts from here, compute on these processors
// alone.
func keepTo(t *testing.T, processors string) {
	t.Helper()
	command := exec.Command("taskset", "--all-tasks", "--cpu-list", "--pid", processors, strconv.Itoa(os.Getpid()))
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", command, err, out)
	}
}

// overload is the state of a TestOverload.
type overload struct {
	t        *testing.T
	server   *process
	client   *http.Client
	rest     [][]byte // compressed documents without their beginnings
	sent     int      // runs
	accepted int64    // documents answered 200
	unknown  int64    // documents not answered
}

// The test whose students tell which documents were counted, one each, and one that is
// there to be read.
const (
	crowdTest   = "crowd"
	readTest    = "read"
	crowdDigits = 10 // of a student number
)

// prepare renders the documents' ends and imports what is read later.
func (o *overload) prepare() {
	o.t.Helper()
	const documents, records = 32, 100
	for i := range documents {
		_, rest, _ := strings.Cut(string(paperOfRecords(uint64(i), records)), opening)
		o.rest = append(o.rest, gzipped(o.t, rest))
	}
	if status, body, err := post(o.client, o.server.url, paperOf(readTest, 81)); err != nil || status != http.StatusOK {
		o.t.Fatalf("import: status %d, %v: %s", status, err, body)
	}
}

// run puts a load on the server and keeps the books.
func (o *overload) run(options load.Options) load.Report {
	o.t.Helper()
	target, err := load.ParseTarget(o.t.Context(), o.server.url)
	if err != nil {
		o.t.Fatal(err)
	}
	options.Target = target
	first := o.sent
	o.sent++
	report, err := load.Run(o.t.Context(), options, func(connection int) load.Feed {
		return newCrowdFeed(target, o.rest[connection%len(o.rest)], first*crowdConnections+connection)
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.accepted += report.Total
	return report
}

// startReaders reads at a rate, in a process of its own, and returns how to get what
// it found.
func (o *overload) startReaders(d time.Duration) (wait func() load.Report) {
	o.t.Helper()
	command := exec.Command(readers, o.server.url, "/results/"+readTest+"/aggregate", strconv.Itoa(crowdReads), d.String())
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = command.Process.Kill() }) // It is gone, if all is well.
	return func() (report load.Report) {
		if err := command.Wait(); err != nil {
			o.t.Fatalf("readers: %v: %s", err, stderr.String())
		}
		if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
			o.t.Fatal(err)
		}
		return report
	}
}

// readAtRate is the main of the program that reads: URL, path, reads a second, how
// long.
func readAtRate() {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	target, err := load.ParseTarget(context.Background(), os.Args[1])
	fail(err)
	rate, err := strconv.ParseFloat(os.Args[3], 64)
	fail(err)
	duration, err := time.ParseDuration(os.Args[4])
	fail(err)
	const connections = 8
	report, err := load.Run(context.Background(), load.Options{Target: target, Connections: connections, Rate: rate, Duration: duration},
		load.Get(target, os.Args[2]))
	fail(err)
	fail(json.NewEncoder(os.Stdout).Encode(report))
}

// canary is a client that looks closely at every answer amid the crowd.
type canary struct {
	over   chan struct{}
	client sync.WaitGroup
}

func (o *overload) startCanary() *canary {
	c := &canary{over: make(chan struct{})}
	document := paperOf("canary", 1)
	c.client.Go(func() {
		answers := make(map[int]int)
		for {
			select {
			case <-c.over:
				o.t.Logf("one of the crowd was answered %v", answers)
				return
			default:
			}
			response, err := o.client.Post(o.server.url+"/import", markr.MediaType, bytes.NewReader(document))
			status, body, err := read(response, err)
			if err != nil {
				o.t.Errorf("no answer amid the crowd: %v", err)
				continue
			}
			answers[status]++
			seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
			if status == http.StatusServiceUnavailable && seconds < 1 || status != http.StatusServiceUnavailable && status != http.StatusOK {
				o.t.Errorf("amid the crowd: status %d, Retry-After %q: %s", status, response.Header.Get("Retry-After"), body)
			}
		}
	})
	return c
}

func (c *canary) stop() { close(c.over); c.client.Wait() }

// awaitRecovery imports until three in a row are quick, and says how long it took
// until the first of them.
func (o *overload) awaitRecovery(since time.Time) time.Duration {
	o.t.Helper()
	const inARow, quick = 3, 100 * time.Millisecond
	var first time.Time
	for number, row := 0, 0; row < inARow; number++ {
		began := time.Now()
		status, _, err := post(o.client, o.server.url, paperOf(fmt.Sprintf("recovery-%d", number), 1))
		if err != nil || status != http.StatusOK || time.Since(began) > quick {
			row = 0
		} else if row++; row == 1 {
			first = time.Now()
		}
		if time.Since(since) > patience {
			o.t.Fatalf("not recovered after %v: status %d, %v", patience, status, err)
		}
	}
	return first.Sub(since)
}

// holdAnswers looks at what became of every request.
func (o *overload) holdAnswers(crowd load.Report, closed ...load.Report) {
	o.t.Helper()
	for _, r := range closed {
		if r.Failed > 0 {
			o.t.Errorf("a load that the server can take: %v %v", r.Statuses, r.Errors)
		}
	}
	for status := range crowd.Statuses {
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			o.t.Errorf("status %d: %v", status, crowd.Statuses)
		}
	}
	for cause, times := range crowd.Errors {
		if !strings.HasPrefix(cause, "not sent") {
			o.unknown += times
			o.t.Logf("%d requests without an answer: %s", times, cause)
		}
	}
	if crowd.Succeeded == 0 || crowd.Statuses[503] == 0 {
		o.t.Errorf("the server was not overloaded, or took nothing: %v", crowd.Statuses)
	}
}

// holdDocuments counts what is there: every document has a student of its own.
func (o *overload) holdDocuments() {
	o.t.Helper()
	var got figures
	getJSON(o.t, o.client, o.server.url+"/results/"+crowdTest+"/aggregate", &got)
	if n := int64(got.Count); n < o.accepted || n > o.accepted+o.unknown {
		o.t.Errorf("%d documents are there after kill -9; %d were answered 200, %d not at all", n, o.accepted, o.unknown)
	} else {
		o.t.Logf("all %d documents that were answered 200 are there after kill -9", o.accepted)
	}
}

// peakResident is the most memory that the server has had, in bytes.
func (o *overload) peakResident() int64 {
	o.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", o.server.cmd.Process.Pid))
	if err != nil {
		o.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				o.t.Fatal(err)
			}
			return kib << 10
		}
	}
	o.t.Fatal("the kernel does not tell how much memory the server has had")
	return 0
}
