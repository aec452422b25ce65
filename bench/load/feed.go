package load

import (
	"bytes"
	"fmt"
	"strconv"
	"sync/atomic"

	"markr/bench/cohort"
)

// Feed returns the next request of one connection, head and body as they go on the
// wire: valid until the next call. It returns nil when there is none left. Each
// connection has its own.
type Feed func() []byte

// Feeds makes the feed of a connection, counting from 0.
type Feeds func(connection int) Feed

// Get feeds every connection with reads of one path.
func Get(target Target, path string) Feeds {
	request := append(target.appendHead(nil, "GET", path), "\r\n"...)
	return func(int) Feed {
		return func() []byte { return request }
	}
}

// GetEach feeds every connection with reads, each of a path that path returns. It is
// called from one goroutine for each connection.
func GetEach(target Target, path func() string) Feeds {
	return func(int) Feed {
		var request []byte
		return func() []byte {
			request = append(target.appendHead(request[:0], "GET", path()), "\r\n"...)
			return request
		}
	}
}

// ImportRequest is the request that imports a document.
func ImportRequest(target Target, document []byte) []byte {
	request := target.appendHead(nil, "POST", "/import")
	request = append(request, "Content-Type: text/xml+markr\r\nContent-Length: "...)
	request = strconv.AppendInt(request, int64(len(document)), 10)
	request = append(request, "\r\n\r\n"...)
	return append(request, document...)
}

// poolBytes is how much all rendered documents may take together. It is above the
// last-level cache of most machines, so that the server meets documents as a real
// one does: cold.
const poolBytes = 64 << 20

// studentDigits is how long the part of a student number is that is written anew.
// A cohort's numbers have that many digits, zeros in front not counted.
const studentDigits = 8

// Imports feeds connections with documents to import. The documents of a cohort are
// rendered beforehand, as many as fit [poolBytes], all over again if it has fewer,
// and each time one is sent its students get new numbers in place: every document that arrives is another, at the
// cost of writing eight digits a record. Who is who within a document stays: a
// rescan in it is still one.
//
// Two Imports of the same cohort send the same documents; give each run on one
// server another seed.
type Imports struct {
	records     int // per document, at most: the stride of the numbers
	connections int
	documents   [][]*pooled // by connection
	students    atomic.Int64
	bodyBytes   int64
	again       int // documents after which the students are the same again; 0: never
}

// pooled is a rendered request and where its student numbers are.
type pooled struct {
	request  []byte
	numbers  []int // offset of each record's digits
	students []int // which of the document's students it is, counting from 0
	distinct int   // students in it
}

// NewImports renders documents of a cohort for so many connections.
func NewImports(target Target, c *cohort.Cohort, connections int) (*Imports, error) {
	if connections < 1 || connections > ConnectionsMax {
		return nil, fmt.Errorf("%w: %d connections, must be 1 to %d", ErrOptions, connections, ConnectionsMax)
	}
	body := c.AppendDocument(nil, 0)
	each := max(1, poolBytes/(connections*len(body)))
	im := &Imports{
		records:     c.Options().RecordsPerDocument,
		connections: connections,
		documents:   make([][]*pooled, connections),
	}
	for i := range connections * each {
		body = c.AppendDocument(body[:0], i%c.Documents())
		im.bodyBytes += int64(len(body))
		owner := i % connections
		im.documents[owner] = append(im.documents[owner], newPooled(target, body))
	}
	im.bodyBytes /= int64(connections * each)
	return im, nil
}

func newPooled(target Target, body []byte) *pooled {
	const opening = "<student-number>"
	p := &pooled{request: ImportRequest(target, body)}
	seen := make(map[string]int)
	for at := 0; ; {
		i := bytes.Index(p.request[at:], []byte(opening))
		if i < 0 {
			break
		}
		from := at + i + len(opening)
		at = from + bytes.IndexByte(p.request[from:], '<')
		number := string(p.request[from:at])
		student, known := seen[number]
		if !known {
			student = len(seen)
			seen[number] = student
		}
		p.numbers = append(p.numbers, at-studentDigits)
		p.students = append(p.students, student)
	}
	p.distinct = len(seen)
	return p
}

// Again has the same students come again after so many documents: rescans. Call it
// before Feed.
func (im *Imports) Again(documents int) { im.again = documents }

// Feed is the feed of a connection; see [Feeds].
func (im *Imports) Feed(connection int) Feed {
	documents := im.documents[connection]
	sequence := connection
	turn := 0
	return func() []byte {
		first := sequence * im.records
		if im.again > 0 {
			first = sequence % im.again * im.records
		}
		if first+im.records > cohort.StudentsMax {
			return nil // every number of eight digits has been used
		}
		document := documents[turn%len(documents)]
		turn++
		sequence += im.connections
		document.renumber(first)
		im.students.Add(int64(document.distinct))
		return document.request
	}
}

// renumber gives the document's students new numbers, from first on.
func (p *pooled) renumber(first int) {
	for record, at := range p.numbers {
		number := cohort.StudentNumber(first + p.students[record])
		for i := at + studentDigits - 1; i >= at; i-- {
			p.request[i] = byte('0' + number%10)
			number /= 10
		}
	}
}

// BodyBytes is how long a document is, on average.
func (im *Imports) BodyBytes() int64 { return im.bodyBytes }

// Students is how many students there are in all documents fed so far: no
// document shares one with another.
func (im *Imports) Students() int64 { return im.students.Load() }
