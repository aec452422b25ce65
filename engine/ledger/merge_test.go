package ledger_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"

	"markr/engine/exam"
	"markr/engine/ledger"
	"markr/engine/scoring"
)

var (
	long   = flag.Bool("long", false, "run the long tests")
	merges = flag.Int("merges", 0, "how many merges TestMerges makes in all; 0: 8 000, with -long 200 000")
)

// part is a run of the records of one document, with the index of the first.
type part struct {
	records  []exam.Record
	position uint64
	first    int
}

// split cuts documents into parts at places left to chance.
func split(r *rand.Rand, documents [][]exam.Record) (parts []part) {
	for i, records := range documents {
		for first := 0; first < len(records); {
			n := 1 + r.IntN(len(records)-first)
			parts = append(parts, part{records[first : first+n], uint64(i + 1), first})
			first += n
		}
	}
	return parts
}

// take takes parts one after the other.
func take(students *ledger.Students, test *ledger.Test, parts []part) {
	for _, p := range parts {
		test.Take(students, p.records, p.position, p.first)
	}
}

// digest is a number for all that a test holds, whatever the order in which the
// students came: the sum of hashes of the rows, each with the student's number, and
// the published figures.
func digest(students *ledger.Students, test *ledger.Test) uint64 {
	numbers := dumpNumbers(students.View())
	var sum uint64
	hash := fnv.New64a()
	for _, row := range dump(test.View()) {
		hash.Reset()
		_, _ = fmt.Fprint(hash, numbers[row.Student]) // A hash takes everything.
		row.Student = 0
		_ = binary.Write(hash, binary.LittleEndian, row)
		sum += hash.Sum64()
	}
	hash.Reset()
	_, _ = fmt.Fprint(hash, len(numbers), test.Len(), test.Available, test.Scores().Aggregate(test.Available))
	return sum + hash.Sum64()
}

// Documents that come in another order, more than once, in pieces, and again from the
// beginning after a part of them, as after a restart, lead to the same state, under
// every rule. Replay, retry, restore and replication lean on this.
func TestMerges(t *testing.T) {
	t.Parallel()
	total := *merges
	if total == 0 {
		total = 8_000
		if *long {
			total = 200_000
		}
	}
	for _, rule := range rules() {
		t.Run(fmt.Sprintf("%v-%v", rule.Policy, rule.Denominator), func(t *testing.T) {
			t.Parallel()
			r := random(t)
			states := make(map[uint64]bool)
			made := 0
			for made < total/len(rules()) {
				documents := make([][]exam.Record, 2+r.IntN(6))
				for i := range documents {
					documents[i] = scans(r, 1+r.IntN(6), 8)
				}
				want := mergedInOrder(rule, documents)
				states[want] = true
				for range 50 {
					made++
					if got := mergedAnyhow(r, rule, documents); got != want {
						t.Fatalf("merge %d of %d documents: digest %x, in order %x", made, len(documents), got, want)
					}
				}
			}
			// The digest tells states apart: hardly any two sets of documents are alike.
			if sets := made / 50; len(states) < sets*9/10 {
				t.Errorf("%d digests of %d sets of documents", len(states), sets)
			}
			t.Logf("%d merges, each as in order", made)
		})
	}
}

func mergedInOrder(rule scoring.Rule, documents [][]exam.Record) uint64 {
	students, test := ledger.NewStudents(), ledger.NewTest(rule)
	for i, records := range documents {
		test.Take(students, records, uint64(i+1), 0)
	}
	return digest(students, test)
}

// mergedAnyhow takes some parts of the documents, and then all of them, in parts that are
// cut elsewhere, some twice, in an order left to chance.
func mergedAnyhow(r *rand.Rand, rule scoring.Rule, documents [][]exam.Record) uint64 {
	students, test := ledger.NewStudents(), ledger.NewTest(rule)
	before := split(r, documents)
	r.Shuffle(len(before), func(i, j int) { before[i], before[j] = before[j], before[i] })
	take(students, test, before[:r.IntN(len(before)+1)])
	parts := split(r, documents)
	for range r.IntN(4) {
		parts = append(parts, parts[r.IntN(len(parts))])
	}
	r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	take(students, test, parts)
	return digest(students, test)
}
