package summary

import (
	"slices"
	"sort"
)

// nodeWidthMax is how many scores a leaf, or children a branch, may hold. 64
// keeps a million distinct scores four levels deep and a copied leaf under 1 KiB;
// BenchmarkScores/distinct=1000000 derives it again.
const nodeWidthMax = 64

// node is a node of a counted B+ tree: scores in order with the number of
// students at each, and in every branch the number of students below each child.
// So the k-th smallest score is found by one walk from the root.
//
// The tree is persistent. A node belongs to the epoch it was made in; the writer
// changes nodes of its own epoch in place and copies older ones first, because a
// frozen distribution may be reading them.
type node struct {
	epoch    uint64
	students uint64  // below this node
	scores   []Score // leaf: its scores; branch: the smallest score ever below each child
	counts   []uint32
	children []*node // nil in a leaf
}

// own returns n itself if the writer may change it, else a copy that it may.
func (n *node) own(epoch uint64) *node {
	if n.epoch == epoch {
		return n
	}
	c := &node{epoch: epoch, students: n.students}
	// One spare place: most copies are made to insert.
	c.scores = append(make([]Score, 0, len(n.scores)+1), n.scores...)
	if n.children == nil {
		c.counts = append(make([]uint32, 0, len(n.counts)+1), n.counts...)
	} else {
		c.children = append(make([]*node, 0, len(n.children)+1), n.children...)
	}
	return c
}

// search returns the index of the first score not below s, and whether it is s.
func (n *node) search(s Score) (int, bool) {
	low, high := 0, len(n.scores)
	for low < high {
		middle := int(uint(low+high) >> 1)
		switch c := n.scores[middle].compare(s); {
		case c < 0:
			low = middle + 1
		case c > 0:
			high = middle
		default:
			return middle, true
		}
	}
	return low, false
}

// child returns the index of the child that s belongs to.
func (n *node) child(s Score) int {
	i, exact := n.search(s)
	if !exact && i > 0 {
		i--
	}
	return i
}

// add counts so many students at s and returns the node to use in n's place, with a
// second one to its right if it had to be split.
func (n *node) add(s Score, students uint32, epoch uint64) (left, right *node) {
	n = n.own(epoch)
	n.students += uint64(students)
	if n.children == nil {
		i, exact := n.search(s)
		if exact {
			n.counts[i] += students
			return n, nil
		}
		n.scores = slices.Insert(n.scores, i, s)
		n.counts = slices.Insert(n.counts, i, students)
		return n, n.split()
	}
	i := n.child(s)
	if s.compare(n.scores[i]) < 0 {
		n.scores[i] = s
	}
	var extra *node
	n.children[i], extra = n.children[i].add(s, students, epoch)
	if extra != nil {
		n.children = slices.Insert(n.children, i+1, extra)
		n.scores = slices.Insert(n.scores, i+1, extra.scores[0])
	}
	return n, n.split()
}

// split moves the upper half of a node that has grown too wide to a new one.
func (n *node) split() *node {
	if len(n.scores) <= nodeWidthMax {
		return nil
	}
	half := len(n.scores) / 2
	right := &node{epoch: n.epoch, scores: append([]Score(nil), n.scores[half:]...)}
	n.scores = n.scores[:half]
	if n.children == nil {
		right.counts = append([]uint32(nil), n.counts[half:]...)
		n.counts = n.counts[:half]
		for _, count := range right.counts {
			right.students += uint64(count)
		}
	} else {
		right.children = append([]*node(nil), n.children[half:]...)
		clear(n.children[half:])
		n.children = n.children[:half]
		for _, child := range right.children {
			right.students += child.students
		}
	}
	n.students -= right.students
	return right
}

// remove takes one student from s, which must be there, and returns the node to
// use in n's place; nil when nothing is left of it. Nodes that become narrow are
// not merged: a student only moves to another score, so the tree never holds
// many more nodes than it once needed.
func (n *node) remove(s Score, epoch uint64) *node {
	if n.students == 1 {
		return nil
	}
	n = n.own(epoch)
	n.students--
	if n.children == nil {
		i, _ := n.search(s)
		n.counts[i]--
		if n.counts[i] == 0 {
			n.scores = slices.Delete(n.scores, i, i+1)
			n.counts = slices.Delete(n.counts, i, i+1)
		}
		return n
	}
	i := n.child(s)
	n.children[i] = n.children[i].remove(s, epoch)
	if n.children[i] == nil {
		n.children = slices.Delete(n.children, i, i+1)
		n.scores = slices.Delete(n.scores, i, i+1)
	}
	return n
}

// at returns the k-th smallest score, k from 0.
func (n *node) at(k uint64) Score {
	for n.children != nil {
		i := 0
		for k >= n.children[i].students {
			k -= n.children[i].students
			i++
		}
		n = n.children[i]
	}
	i := 0
	for k >= uint64(n.counts[i]) {
		k -= uint64(n.counts[i])
		i++
	}
	return n.scores[i]
}

// rank returns how many students are below a score, and how many are at it.
func (n *node) rank(s Score) (below, same uint64) {
	for n.children != nil {
		child := n.child(s)
		for _, c := range n.children[:child] {
			below += c.students
		}
		n = n.children[child]
	}
	i, exact := n.search(s)
	for _, students := range n.counts[:i] {
		below += uint64(students)
	}
	if exact {
		same = uint64(n.counts[i])
	}
	return below, same
}

// below returns how many students are below a bound.
func (n *node) below(b Bound, available uint64) (students uint64) {
	for n.children != nil {
		// The children whose smallest score is below it; all but the last of them are.
		child := max(n.firstNotBelow(b, available)-1, 0)
		for _, c := range n.children[:child] {
			students += c.students
		}
		n = n.children[child]
	}
	for _, count := range n.counts[:n.firstNotBelow(b, available)] {
		students += uint64(count)
	}
	return students
}

// firstNotBelow returns the index of the first score that is not below a bound.
func (n *node) firstNotBelow(b Bound, available uint64) int {
	return sort.Search(len(n.scores), func(i int) bool { return !b.exceeds(n.scores[i], available) })
}

// ascend calls fn for every score above after, or for all if it is nil, in order, with its
// students and with how many are below it, counting those before n; it ends when fn says
// so, and says so too.
func (n *node) ascend(after *Score, below uint64, fn func(s Score, students uint32, below uint64) bool) (on bool) {
	if n.children == nil {
		for i, students := range n.counts {
			if (after == nil || n.scores[i].compare(*after) > 0) && !fn(n.scores[i], students, below) {
				return false
			}
			below += uint64(students)
		}
		return true
	}
	first := 0
	if after != nil {
		first = n.child(*after)
	}
	for i, child := range n.children {
		if i >= first {
			if i > first {
				after = nil
			}
			if !child.ascend(after, below, fn) {
				return false
			}
		}
		below += child.students
	}
	return true
}

// distinct returns how many scores there are.
func (n *node) distinct() int {
	scores := len(n.counts)
	for _, child := range n.children {
		scores += child.distinct()
	}
	return scores
}

// each calls fn for every score in order with its number of students.
func (n *node) each(fn func(s Score, students uint32)) {
	for _, child := range n.children {
		child.each(fn)
	}
	for i, students := range n.counts {
		fn(n.scores[i], students)
	}
}
