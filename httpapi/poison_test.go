package httpapi_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

// TestNothingLeaks has many clients send many requests at once, over kept connections
// and without waiting for answers, to a server that overwrites everything a request
// has lent out as soon as it is answered. Nothing of a request may show up in the
// answer to another, nor in what is kept of it. Its other half is -race: a slice that
// somebody else still reads is being written to.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	clients, rounds := 6, 12
	if *long {
		clients, rounds = 16, 60
	}
	b := newBorder(t, nil)
	b.Poison()
	b.address = b.listen(t, b.Serve) // the poison is for those who come here
	seeds := newRandom(t)
	var mu sync.Mutex
	var kept []leaf
	var group sync.WaitGroup
	for client := range clients {
		random := rand.New(rand.NewPCG(seeds.Uint64(), 0))
		group.Go(func() {
			s := dial(t, b.address)
			for round := range rounds {
				_ = s.SetDeadline(time.Now().Add(socketTimeout)) // a connection that takes none is found out
				leaves := []leaf{newLeaf(random, client, round, 0), newLeaf(random, client, round, 1)}
				var requests strings.Builder
				for i := range leaves {
					requests.WriteString(leaves[i].requests(t))
				}
				go s.send(requests.String()) // it may not fit into the sockets
				for i := range leaves {
					if !leaves[i].check(t, s) {
						return
					}
				}
				mu.Lock()
				kept = append(kept, leaves...)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if len(kept) != 2*clients*rounds {
		t.Fatalf("%d of %d exchanges ended well", len(kept), 2*clients*rounds)
	}
	b.wantKept(t, kept)
}

// A leaf is one client's document and everything that must come back with its name.
type leaf struct {
	name, test, student string
	document, mediaType string
	coding, charset     string
	chunked             bool
	importID            string // of the answer
}

func newLeaf(random *rand.Rand, client, round, turn int) leaf {
	name := fmt.Sprintf("%d.%d.%d", client, round, turn)
	l := leaf{name: name, test: "test/" + name, student: "student-of-many-digits-" + name}
	l.coding = []string{"identity", "gzip", "zstd", "deflate"}[random.IntN(4)]
	l.chunked = random.IntN(2) == 0
	l.charset = []string{"utf-8", "utf-16"}[random.IntN(2)]
	l.mediaType = fmt.Sprintf("%s; charset=%s; name=%s", scannerType, l.charset, name)
	test := l.test
	if random.IntN(2) == 0 { // in two pieces, which have to be put together
		test = "te<!-- -->st/" + name
	}
	// From a buffer that is not full to one beyond those that are kept.
	padding := strings.Repeat(name+" ", random.IntN(1<<(1+random.IntN(17))))
	l.document = document(sheet(test, l.student, 1, 2)) + "<!-- " + padding + "-->"
	if l.charset == "utf-16" {
		l.document = inUTF16(l.document)
	}
	return l
}

// inUTF16 is a text in UTF-16 with a byte order mark, big endian.
func inUTF16(text string) string {
	var b strings.Builder
	b.WriteString("\xfe\xff")
	for _, unit := range utf16.Encode([]rune(text)) {
		b.WriteByte(byte(unit >> 8))
		b.WriteByte(byte(unit))
	}
	return b.String()
}

// requests is what is sent: the document, questions about it, and a document that is
// refused for a value with the name in it.
func (l *leaf) requests(t *testing.T) string {
	t.Helper()
	ask := func(path string) string {
		return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nX-Request-Id: %s\r\n\r\n", path, l.name, l.name)
	}
	bad := document(sheet(l.test, l.student, "bad"+l.name, 2))
	encoded := string(bodyCodings[l.coding](t, l.document))
	frame := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(encoded), encoded)
	if l.chunked {
		half := len(encoded) / 2
		frame = fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x;%s\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n",
			half, l.name, encoded[:half], len(encoded)-half, encoded[half:])
	}
	test := strings.ReplaceAll(l.test, "/", "%2F")
	return fmt.Sprintf("POST /import HTTP/1.1\r\nHost: x\r\nX-Request-Id: %s\r\nContent-Type: %s\r\nContent-Encoding: %s\r\n%s",
		l.name, l.mediaType, l.coding, frame) +
		ask("/results/"+test+"/aggregate?percentiles=10,90") +
		fmt.Sprintf("POST /import HTTP/1.1\r\nHost: x\r\nX-Request-Id: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
			l.name, scannerType, len(bad), bad) +
		ask("/results?prefix="+test) +
		ask("/results/none-"+l.name+"/aggregate") +
		ask("/results?unknown-"+l.name+"=1")
}

// check reads the answers to the requests.
func (l *leaf) check(t *testing.T, s *socket) bool {
	t.Helper()
	for i, want := range []struct {
		status int
		has    string
	}{
		{200, fmt.Sprintf(`"test_ids":[%q],"records":1,"students_added":1,`, l.test)},
		{200, `"count":1,"percentiles":{"10":50.0,"90":50.0}}`},
		{422, fmt.Sprintf(`"value":%q`, "bad"+l.name)},
		{200, fmt.Sprintf(`{"tests":[{"id":%q,`, l.test)},
		{404, fmt.Sprintf(`"instance":%q`, l.name)},
		{400, "unknown-" + l.name},
	} {
		got := s.answer("GET")
		if got.StatusCode != want.status || !strings.Contains(got.body, want.has) || got.Header.Get("X-Request-Id") != l.name {
			t.Errorf("answer %d for %s: %d %v %s\nwant %d and %s", i, l.name, got.StatusCode, got.Header, got.body, want.status, want.has)
			return false
		}
		if i == 0 {
			var receipt struct {
				ImportID string `json:"import_id"`
			}
			if err := json.Unmarshal([]byte(got.body), &receipt); err != nil {
				t.Error(err)
			}
			l.importID = receipt.ImportID
		}
	}
	return true
}

// wantKept looks at what the server has kept.
func (b *border) wantKept(t *testing.T, all []leaf) {
	t.Helper()
	var want, got []string
	for i := range all {
		l := &all[i]
		want = append(want, l.test)
		kept := b.get(t, "/imports/"+l.importID+"/document").want(t, 200)
		if kept.body != l.document || kept.Header.Get("Content-Type") != l.mediaType {
			t.Errorf("%s is kept as %q, %d bytes: %.100q", l.name, kept.Header.Get("Content-Type"), len(kept.body), kept.body)
		}
		if found := b.get(t, "/imports/"+l.importID).want(t, 200); !strings.Contains(found.body, `"source":"127.0.0.1"`) {
			t.Errorf("%s has the source %s", l.name, found.body)
		}
		// The student is known by the whole number: another scan of it adds nobody.
		again := b.post(t, document(sheet(l.test, l.student, 2, 2))).want(t, 200)
		if !strings.Contains(again.body, `"students_added":0,"marks_raised":1,`) {
			t.Errorf("%s is not known again: %s", l.student, again.body)
		}
	}
	for _, test := range b.engine.State().List("", "", 2*len(all)) {
		got = append(got, string(test.ID))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("tests %q\nwant %q", got, want)
	}
}
