package httpapi_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"markr/httpapi"
)

// TestTrust: a usual length is believed; but promises can take half of the budget
// and no more, so that who keeps them always fits in.
func TestTrust(t *testing.T) {
	t.Parallel()
	const mib, least = 1 << 20, 16 << 10
	b := newBorder(t, func(opts *httpapi.Options) {
		small(opts)
		opts.Limits.BodyBytesMax = 2 * mib
	})
	promise := func(length int) {
		dial(t, b.address).send(typed + fmt.Sprintf("Content-Length: %d\r\n\r\n<", length))
	}
	held := func(want int64) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d bytes are held", want), func() bool { return b.HeldBytes() == want })
	}
	promise(171_000)
	held(256 << 10)
	promise(mib + 1) // is not a usual length
	held(256<<10 + least)
	const budget, liars = 32 * mib, 40
	for range liars {
		promise(mib)
	}
	const believed = (budget/2 - 256<<10 - least) / mib
	held(256<<10 + least + believed*mib + (liars-believed)*least)
	body := document(sheet("trust", "1", 1, 2)) + strings.Repeat(" ", 900<<10)
	b.post(t, body).want(t, 200)
}

// TestBuffersAreNotShared: what one client sends never shows up in what another
// has sent, whatever buffers go from hand to hand.
func TestBuffersAreNotShared(t *testing.T) {
	t.Parallel()
	const clients, rounds = 8, 12
	b := newBorder(t, nil)
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			for round := range rounds {
				name := fmt.Sprintf("%d-%d", client, round)
				// From a buffer that is not full to one beyond those that are kept.
				filling := strings.Repeat(name+" ", (1<<round)*37)
				body := document(sheet("shared", name, 1, 2)) + "<!-- " + strings.ReplaceAll(filling, "-", "_") + "-->"
				got := b.post(t, body).want(t, 200)
				_, rest, _ := strings.Cut(got.body, `"import_id":"`)
				id, _, _ := strings.Cut(rest, `"`)
				if kept := b.get(t, "/imports/"+id+"/document").want(t, 200); kept.body != body {
					t.Errorf("document %s was kept as another", name)
				}
			}
		})
	}
	group.Wait()
	if held := b.HeldBytes(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

// TestPreparedAnswer: an aggregate whose header was put together before is the one
// that is put together now, but for the request id and the end of a connection.
func TestPreparedAnswer(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	b.post(t, document(sheet("prepared/1", "1", 1, 2))).want(t, 200)
	const path = "/results/prepared%2F1/aggregate"
	ordinary := b.get(t, path, "Accept-Encoding", "identity", "X-Request-Id", "same").want(t, 200)
	for range 2 { // written, and found
		prepared := b.get(t, path, "X-Request-Id", "same").want(t, 200)
		ordinary.Header.Del("Date")
		prepared.Header.Del("Date")
		if fmt.Sprint(ordinary.Header) != fmt.Sprint(prepared.Header) || ordinary.body != prepared.body {
			t.Errorf("%v %s\nwant %v %s", prepared.Header, prepared.body, ordinary.Header, ordinary.body)
		}
	}
	ids := make(map[string]bool)
	for range 3 {
		ids[b.get(t, path).want(t, 200).Header.Get("X-Request-Id")] = true
	}
	if len(ids) != 3 {
		t.Errorf("request ids %v", ids)
	}
	b.post(t, document(sheet("prepared/1", "1", 2, 2))).want(t, 200)
	if fresh := b.get(t, path).want(t, 200); fresh.body == ordinary.body {
		t.Errorf("an answer of before the last import: %s", fresh.body)
	}
	// A request whose body nobody reads is the last of its connection.
	s := dial(t, b.address)
	s.send("GET " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 37\r\n\r\nGET /livez HTTP/1.1\r\nHost: smuggled\r\n")
	if got := s.answer("GET").want(t, 200); !got.Close {
		t.Errorf("the connection is not announced to be closed: %v", got.Header)
	}
	s.wantClosed()
}
