package httpapi_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"markr/httpapi"
)

// idleClient is set, to an address and a number, for the test binary to be the
// process that holds so many idle connections: one alone may not have enough
// descriptors for both ends.
const idleClient = "MARKR_TEST_IDLE_CLIENT"

// holdConnections is that process. It says when it has them, and holds them until its
// input ends.
func holdConnections(task string) {
	address, count, _ := strings.Cut(task, " ")
	n, err := strconv.Atoi(count)
	held := make([]net.Conn, 0, n)
	for len(held) < n && err == nil {
		var conn net.Conn
		if conn, err = net.Dial("tcp", address); err != nil {
			break
		}
		held = append(held, conn)
		var response *http.Response
		if _, err = io.WriteString(conn, ask); err == nil {
			if response, err = http.ReadResponse(bufio.NewReaderSize(conn, 1<<10), nil); err == nil {
				_, err = io.Copy(io.Discard, response.Body)
			}
		}
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// idleBytesMax is what a connection may hold that waits for its next request: its
// buffers, its stack, and what the core has for it.
const idleBytesMax = 48 << 10

// TestIdleCrowd has thousands of connections open that do nothing: they cost what they
// may, and nobody else notices. It measures the heap and so runs alone.
func TestIdleCrowd(t *testing.T) { //nolint:paralleltest // see above.
	connections := 1000
	if *long {
		connections = 10_000
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if need := uint64(connections) + 500; limit.Cur < need {
		t.Skipf("this process may have %d descriptors open and needs %d: raise the limit with ulimit -n", limit.Cur, need)
	}
	b := newBorder(t, func(opts *httpapi.Options) {
		opts.Logger = nil
		opts.Limits.IdleTimeout = time.Hour
	})
	// The contract that exchanges are held against is tens of MB, and is read at the first.
	b.post(t, document(sheet("first", "1", 1, 2))).want(t, 200)
	b.get(t, "/results/first/aggregate").want(t, 200)
	seriesOf(t, b)
	before := heapBytes()
	client := exec.CommandContext(t.Context(), os.Args[0])
	client.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", idleClient, b.address, connections))
	input, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	stop := b.bystander(t)
	said, _ := io.ReadAll(io.LimitReader(output, int64(len("ready"))))
	if string(said) != "ready" {
		t.Errorf("the clients said %q", said)
	}
	stop()
	if open := seriesOf(t, b)["markr_http_connections"]; open < float64(connections) {
		t.Errorf("%v connections are open, want %d", open, connections)
	}
	each := (int64(heapBytes()) - int64(before)) / int64(connections)
	t.Logf("%d idle connections hold %d bytes each", connections, each)
	if each > idleBytesMax {
		t.Errorf("%d bytes for an idle connection", each)
	}
	b.get(t, "/livez").want(t, 200)
	if err := input.Close(); err != nil {
		t.Error(err)
	}
	if err := client.Wait(); err != nil {
		t.Error(err)
	}
	b.client.CloseIdleConnections()
	eventually(t, "all connections are gone", func() bool { return seriesOf(t, b)["markr_http_connections"] == 0 })
}

// TestConnectStorm: clients that connect and leave, as port scans and health checks of
// load balancers do. Each is counted, and nobody else notices.
func TestConnectStorm(t *testing.T) {
	t.Parallel()
	const storms, each = 4, 250
	b := newBorder(t, nil)
	opened := func() float64 { return seriesOf(t, b)["markr_http_connections_opened_total"] }
	stop := b.bystander(t)
	var group sync.WaitGroup
	for range storms {
		group.Go(func() {
			for range each {
				conn, err := net.Dial("tcp", b.address)
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.Close()
			}
		})
	}
	group.Wait()
	stop()
	eventually(t, "all are counted", func() bool { return opened() >= storms*each })
	b.client.CloseIdleConnections()
	eventually(t, "all connections are gone", func() bool { return seriesOf(t, b)["markr_http_connections"] == 0 })
	if wrong := b.miscounted(nil); wrong != "" {
		t.Errorf("answers that nobody asked for:\n%s", wrong)
	}
}

// TestSlowReaders ask for a large document and take nothing of it. They hold what
// downloads may hold, others who want one are told to come again, imports and other
// reads go on, and in the end they are cut off.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	b := newBorder(t, func(opts *httpapi.Options) {
		hurried(opts)
		opts.Limits.BodyBytesMax = 8 << 20
		opts.Limits.DecodedBytesMax = 8 << 20
		opts.Limits.WriteTimeout = 2 * time.Second
		opts.Limits.BodyBytesPerSecondMin = 1 << 30 // no more time for a large answer
	})
	body := document(sheet("slow", "1", 1, 2))
	b.post(t, body+strings.Repeat(" ", 8<<20-len(body))).want(t, 200)
	imports, err := b.engine.Imports(0, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	stop := b.bystander(t)
	const readers = 12
	statuses := make(map[string]int)
	for range readers {
		s := dial(t, b.address)
		s.send(get("/imports/" + imports[0].ID.String() + "/document"))
		line, err := s.reader.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		statuses[strings.Fields(line)[1]]++
	}
	if statuses["200"] != 2 || statuses["503"] != readers-2 {
		t.Errorf("%v, want as many 200 as the budget has room for, and 503", statuses)
	}
	eventually(t, "they are cut off and the memory is given back", func() bool { return b.HeldByDownloads() == 0 })
	stop()
	if wrong := b.miscounted([]badClient{{want: strings.Repeat("503 ", statuses["503"])}}); wrong != "" {
		t.Error(wrong)
	}
	b.get(t, "/imports/"+imports[0].ID.String()+"/document").want(t, 200)
}

// TestStalledHandshakes: clients that never shake hands, or not to the end, are hung up
// on in time, and others shake hands meanwhile.
func TestStalledHandshakes(t *testing.T) {
	t.Parallel()
	b := newBorder(t, hurried)
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS12}
	address := b.listen(t, func(ln net.Listener) error { return b.Serve(tls.NewListener(ln, config)) })
	const hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" // the beginning of one
	const each = 20
	var clients []*socket
	for range each {
		for _, beginning := range []string{"", hello[:3], hello, ask, "\x16\x03\x01\x00\x05smugg"} {
			s := dial(t, address)
			s.send(beginning)
			clients = append(clients, s)
		}
	}
	trusting := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, // the certificate is the test's own
	}}
	for range 10 {
		response, err := trusting.Get("https://" + address + "/livez")
		if err != nil {
			t.Fatal(err)
		}
		read(t, response).want(t, 200)
	}
	for _, s := range clients {
		// Some are told in TLS's own words why; then the server hangs up.
		if rest, err := io.ReadAll(s); len(rest) > 100 {
			t.Errorf("told %q: %v", rest, err)
		}
	}
	eventually(t, "all connections are gone", func() bool { return seriesOf(t, b)["markr_http_connections"] == 0 })
}
