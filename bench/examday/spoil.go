package examday

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// spoil puts wrong documents in front of some, which come again right a little later,
// and has a few sent twice.
func (d *Day) spoil(seed uint64) {
	odd := rand.New(rand.NewPCG(seed, wrongOneIn))
	type pair struct{ wrong, right *Document }
	var pairs []pair
	all := make([]*Document, 0, len(d.Documents)+len(d.Documents)/wrongOneIn*2)
	for i := range d.Documents {
		right := &d.Documents[i]
		all = append(all, right)
		switch {
		case odd.IntN(wrongOneIn) == 0:
			wrong := *right
			wrong.Wrong, wrong.Body = true, spoilt(right.Body, len(pairs))
			all = append(all, &wrong)
			pairs = append(pairs, pair{&wrong, right})
			right.At += correctAfter
		case odd.IntN(repeatOneIn) == 0: // The scanner missed the answer.
			again := *right
			again.At += 20 * time.Second
			all = append(all, &again)
		}
	}
	slices.SortStableFunc(all, func(a, b *Document) int { return cmp.Compare(a.At, b.At) })
	place := make(map[*Document]int, len(all))
	ordered := make([]Document, len(all))
	for i, document := range all {
		place[document] = i
	}
	for i, p := range pairs {
		// One in three is handed in again without saying what it corrects.
		if i%3 != 2 {
			p.right.Corrects = place[p.wrong]
		}
	}
	for i, document := range all {
		ordered[i] = *document
	}
	d.Documents = ordered
}

// spoilt is a document as it was before somebody looked at it: by turns a mark that
// cannot be, a sheet without a number, and one whose end is missing.
func spoilt(body []byte, turn int) []byte {
	records := bytes.Count(body, []byte("</mcq-test-result>"))
	at := nth(body, "<student-number>", 1+turn%records)
	switch turn % 3 {
	case 0:
		obtained := at + bytes.Index(body[at:], []byte(" obtained=\"")) + len(" obtained=\"")
		end := obtained + bytes.IndexByte(body[obtained:], '"')
		return fmt.Appendf(nil, "%s1%s%s", body[:obtained], bytes.Repeat([]byte("0"), 2), body[end:])
	case 1:
		end := at + bytes.Index(body[at:], []byte("</student-number>"))
		return append(bytes.Clone(body[:at+len("<student-number>")]), body[end:]...)
	default:
		return bytes.Clone(body[:len(body)*3/5])
	}
}

// nth is where the n-th of a text begins, counting from 1.
func nth(body []byte, text string, n int) int {
	at := -1
	for range n {
		at += 1 + bytes.Index(body[at+1:], []byte(text))
	}
	return at
}
