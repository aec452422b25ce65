package engine

// How many names are counted each for itself. A decoder has a dozen codes. Sources are
// names of tokens, and addresses where nobody is asked for one: of those strangers can
// have any number.
const (
	refusalCodesMax   = 256
	refusalSourcesMax = 10_000
)

// names counts refused documents by a text: a code, a source. Number 0 stands for all
// that are not counted each for itself, because there are too many or they are too long.
type names struct {
	most   int
	list   []named // number 0 is that of the others
	number map[string]uint32
	free   []uint32 // numbers that nothing has any more
}

// named is a name and how many documents have it.
type named struct {
	name             string
	kept, unresolved int
}

func (n *names) init(most int) {
	n.most, n.list, n.number = most, []named{{}}, make(map[string]uint32)
}

// enter is the number of a name, a new one if it has none.
func (n *names) enter(name string) uint32 {
	if number, ok := n.number[name]; ok {
		return number
	}
	if len(n.number) >= n.most || len(name) > sourceBytesMax {
		return 0
	}
	number := uint32(len(n.list))
	if last := len(n.free) - 1; last >= 0 {
		number, n.free = n.free[last], n.free[:last]
		n.list[number] = named{name: name}
	} else {
		n.list = append(n.list, named{name: name})
	}
	n.number[name] = number
	return number
}

func (n *names) count(number uint32, kept, unresolved int) {
	n.list[number].kept += kept
	n.list[number].unresolved += unresolved
}

// leave gives a number free if nothing has it.
func (n *names) leave(number uint32) {
	if one := n.list[number]; number != 0 && one.kept == 0 {
		delete(n.number, one.name)
		n.list[number] = named{}
		n.free = append(n.free, number)
	}
}

// may says which number documents with a name have, and whether there can be any. 0
// means that they are among the others, and have to be looked at.
func (n *names) may(name string) (number uint32, any bool) {
	if number, ok := n.number[name]; ok {
		return number, true
	}
	return 0, n.list[0].kept > 0
}
