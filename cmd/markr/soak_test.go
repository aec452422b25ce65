package main_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var soakFor = flag.Duration("soak", 0, "how long TestSoak takes; 0: not at all, with -long 40s")

const (
	soakLife     = 15 * time.Second // of a server, on average
	soakClients  = 8
	soakTests    = 40
	soakStudents = 500
)

// TestSoak has servers live and die under mixed load, for as long as one likes, over
// one data directory: imports that are accepted, refused and sent again, reads,
// lists, clients that hang up. Half of the lives end with SIGKILL under load. Tests
// and students are always the same, so what a server needs is, too:
//
//  1. at the end of each life, when its clients are gone, it has the goroutines that
//     it had when it was young;
//  2. over all lives, heap, memory, goroutines and descriptors do not grow, but for
//     the descriptors of the vault's tables, which are more with every document;
//  3. after each start every test has the figures that it must have.
func TestSoak(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("what a process needs is read as Linux tells it")
	}
	duration := *soakFor
	if duration == 0 && *long {
		duration = 40 * time.Second
	}
	if duration == 0 {
		t.Skip("takes as long as it is given: run with -soak=10m, or with -long")
	}
	s := &soak{t: t, dir: t.TempDir(), random: rand.New(rand.NewPCG(drawSeed(t), 0)), want: newModel()}
	for end := time.Now().Add(duration); time.Now().Before(end); {
		s.live(min(soakLife/2+time.Duration(s.random.Int64N(int64(soakLife))), time.Until(end)+time.Second))
	}
	s.hold()
}

// soak is the state of a TestSoak.
type soak struct {
	t      *testing.T
	dir    string
	random *rand.Rand
	lives  []vitals

	mu      sync.Mutex // guards what follows while clients run
	want    *model
	next    int
	unknown []*paper // sent and not answered
	counts  struct{ accepted, refused, again, reads, hangUps, kills int }
}

// vitals is what a server needed at the end of its life.
type vitals struct{ goroutines, descriptors, tables, heap, resident float64 }

// live is the life of a server.
func (s *soak) live(d time.Duration) {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: soakClients}, Timeout: patience}
	p := serve(s.t, s.dir)
	s.settle(client, p)
	client.CloseIdleConnections()
	young := s.vitals(p)
	s.load(client, p, d)
	client.CloseIdleConnections()
	// The workers of connections that are gone are kept for a while.
	err := eventually(func() error {
		if now := s.vitals(p); now.goroutines > young.goroutines+4 {
			return fmt.Errorf("%v goroutines, %v when it was young", now.goroutines, young.goroutines)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.lives = append(s.lives, s.vitals(p))
	if s.random.IntN(2) == 0 {
		if code := p.stop(s.t); code != 0 {
			s.t.Errorf("exit %d", code)
		}
		return
	}
	clients := s.begin(client, p, nil)
	time.Sleep(time.Duration(s.random.IntN(300)) * time.Millisecond) // The instant is what matters.
	p.kill()
	s.counts.kills++
	clients.Wait()
}

// load has clients at work for a while.
func (s *soak) load(client *http.Client, p *process, d time.Duration) {
	over := make(chan struct{})
	clients := s.begin(client, p, over)
	select {
	case <-time.After(d):
	case <-p.exited:
		s.t.Errorf("the server has ended under load: %v", p.cmd.ProcessState)
	}
	close(over)
	clients.Wait()
}

// begin starts clients, who work until it is over, or until nobody answers.
func (s *soak) begin(client *http.Client, p *process, over <-chan struct{}) *sync.WaitGroup {
	clients := new(sync.WaitGroup)
	for i := range soakClients {
		random := rand.New(rand.NewPCG(s.random.Uint64(), uint64(i)))
		clients.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if err := s.act(client, p.url, random); err != nil {
					return
				}
			}
		})
	}
	return clients
}

// act is one request; an error says that nobody answered.
func (s *soak) act(client *http.Client, server string, random *rand.Rand) error {
	paths := []string{
		fmt.Sprintf("/results/test-%d/aggregate?percentiles=10,90", random.IntN(soakTests)), "/results?limit=20",
		"/imports?limit=10", "/metrics", "/readyz", "/", "/no/such/path",
	}
	switch n := random.IntN(100); {
	case n < 50:
		return s.send(client, server, random)
	case n < 55:
		return s.hangUp(server, random)
	case n < 85:
		paths = paths[:1]
	}
	path := paths[random.IntN(len(paths))]
	status, body, err := get(client, server+path)
	tooMany := path == "/metrics" && status == http.StatusServiceUnavailable // Scrapes at once.
	if err == nil && status != http.StatusOK && status != http.StatusNotFound && !tooMany {
		s.t.Errorf("read: status %d: %s", status, body)
	}
	s.mu.Lock()
	s.counts.reads++
	s.mu.Unlock()
	return err
}

// send imports a document.
func (s *soak) send(client *http.Client, server string, random *rand.Rand) error {
	p := s.paper(random)
	status, body, err := post(client, server, p.raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		if !p.bad {
			s.unknown = append(s.unknown, p)
		}
		return err
	case p.bad && status == http.StatusUnprocessableEntity:
		s.counts.refused++
	case !p.bad && status == http.StatusOK:
		s.counts.accepted++
		if !strings.Contains(string(body), `"duplicate_of":null`) {
			s.counts.again++
		}
		s.want.add(p)
	default:
		s.t.Errorf("import (bad: %v): status %d: %s", p.bad, status, body)
	}
	return nil
}

// paper makes a document; of every ten one is bad, and one has been sent before or
// will be again.
func (s *soak) paper(random *rand.Rand) *paper {
	s.mu.Lock()
	number := s.next
	s.next++
	s.mu.Unlock()
	if random.IntN(10) == 0 {
		number = random.IntN(number + 1)
	}
	chance := rand.New(rand.NewPCG(7, uint64(number)))
	p := &paper{number: number, bad: chance.IntN(10) == 0}
	var b strings.Builder
	b.WriteString("<mcq-test-results>")
	for range 1 + chance.IntN(30) {
		r := record{
			test: fmt.Sprintf("test-%d", chance.IntN(soakTests)), student: fmt.Sprintf("%05d", chance.IntN(soakStudents)),
			available: 50, obtained: chance.IntN(51),
		}
		p.records = append(p.records, r)
		fmt.Fprintf(&b, "<mcq-test-result><student-number>%s</student-number><test-id>%s</test-id>"+
			"<summary-marks available='%d' obtained='%d'/></mcq-test-result>", r.student, r.test, r.available, r.obtained)
	}
	if p.bad {
		b.WriteString("<mcq-test-result/>")
	}
	b.WriteString("</mcq-test-results>")
	p.raw = []byte(b.String())
	return p
}

// hangUp begins to send a document and goes away.
func (s *soak) hangUp(server string, random *rand.Rand) error {
	conn, err := net.Dial("tcp", strings.TrimPrefix(server, "http://"))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.counts.hangUps++
	s.mu.Unlock()
	raw := s.paper(random).raw
	fmt.Fprintf(conn, "POST /import HTTP/1.1\r\nHost: markr\r\nContent-Type: text/xml+markr\r\nContent-Length: %d\r\n\r\n%s",
		len(raw), raw[:random.IntN(len(raw))])
	return conn.Close()
}

// settle sends what was not answered again, which changes nothing if it was counted,
// and holds every test against the model.
func (s *soak) settle(client *http.Client, p *process) {
	s.t.Helper()
	for _, paper := range s.unknown {
		if status, body, err := post(client, p.url, paper.raw); err != nil || status != http.StatusOK {
			s.t.Fatalf("import again: status %d, %v: %s", status, err, body)
		}
		s.want.add(paper)
	}
	s.unknown = nil
	for test := range s.want.obtained {
		var got figures
		getJSON(s.t, client, p.url+"/results/"+test+"/aggregate", &got)
		if want := s.want.aggregate(test); got != want {
			s.t.Fatalf("test %s after a restart: %+v, want %+v", test, got, want)
		}
	}
}

// vitals asks a server, on a connection of its own.
func (s *soak) vitals(p *process) (v vitals) {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	for name, into := range map[string]*float64{
		"go_goroutines": &v.goroutines, "process_open_fds": &v.descriptors,
		"go_memstats_next_gc_bytes":     &v.heap, // In proportion to what was in use at the last collection.
		"process_resident_memory_bytes": &v.resident,
	} {
		value, err := metric(client, p.url, name)
		if err != nil {
			s.t.Fatal(err)
		}
		*into = value
	}
	tables, err := filepath.Glob(filepath.Join(s.dir, "vault", "*.sst"))
	if err != nil {
		s.t.Fatal(err)
	}
	v.tables = float64(len(tables))
	v.descriptors -= s.openTables(p)
	return v
}

// openTables is how many of a server's descriptors are tables of its vault. There are
// more with every document, until Pebble has as many open as it wants.
func (s *soak) openTables(p *process) (n float64) {
	s.t.Helper()
	descriptors, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, descriptor := range descriptors {
		if file, err := os.Readlink(descriptor); err == nil && strings.Contains(file, ".sst") { // It may be gone.
			n++
		}
	}
	return n
}

// hold looks at all lives.
func (s *soak) hold() {
	s.t.Helper()
	s.t.Logf("%d lives: %+v", len(s.lives), s.counts)
	for i, v := range s.lives {
		s.t.Logf("life %d ends with %v goroutines, %v descriptors and %v tables, next collection at %.1f MiB, %.1f MiB resident",
			i+1, v.goroutines, v.descriptors, v.tables, v.heap/(1<<20), v.resident/(1<<20))
	}
	if s.counts.accepted == 0 || s.counts.refused == 0 || s.counts.reads == 0 {
		s.t.Error("nothing was accepted, refused or read: the test has tested nothing")
	}
	third := len(s.lives) / 3
	if third < 2 {
		return // Too few to tell a trend.
	}
	for name, what := range map[string]struct {
		of    func(vitals) float64
		slack float64 // what is more or less by chance
	}{
		"goroutines":      {func(v vitals) float64 { return v.goroutines }, 4},
		"descriptors":     {func(v vitals) float64 { return v.descriptors }, 4},
		"heap":            {func(v vitals) float64 { return v.heap }, 32 << 20},
		"resident memory": {func(v vitals) float64 { return v.resident }, 192 << 20}, // Pebble's cache, 160 MiB, fills with the vault.
	} {
		median := func(lives []vitals) float64 {
			var values []float64
			for _, v := range lives {
				values = append(values, what.of(v))
			}
			slices.Sort(values)
			return values[len(values)/2]
		}
		first, last := median(s.lives[:third]), median(s.lives[len(s.lives)-third:])
		s.t.Logf("%s: %.0f in the first lives, %.0f in the last (medians of %d)", name, first, last, third)
		if last > first*1.1+what.slack {
			s.t.Errorf("%s grow: %.0f in the first lives, %.0f in the last", name, first, last)
		}
	}
}
