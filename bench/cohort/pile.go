package cohort

// lookBack is how many sheets a rescan looks back for a folded one.
const lookBack = 32

// pile is the sheets of a test in the order in which they pass the scanner. What
// lies at a place of it, a slot, is computed without walking there, so that
// documents can be made in any order.
//
// The slots are cut into as many strata of nearly equal length as there are
// rescans, and each stratum holds one rescan at a drawn offset, never at its first
// slot: so before every rescan there is a first scan, and counting the first scans
// before a slot takes a division.
type pile struct {
	cohort *Cohort
	test   int
	// The order of the students is another in every test: an affine permutation.
	stride, offset uint64
}

func (c *Cohort) pileOf(test int) pile {
	students := uint64(c.opts.Students)
	p := pile{
		cohort: c,
		test:   test,
		stride: c.draw(topicPileStride, test, 0) % students,
		offset: c.draw(topicPileOffset, test, 0) % students,
	}
	for gcd(p.stride, students) != 1 {
		p.stride++
	}
	return p
}

// placement says whose sheet lies in a slot.
type placement struct {
	student int
	rescan  bool
	folded  bool
}

// at says what lies in a slot.
func (p *pile) at(slot int) placement {
	first, rescan := p.firstScansBefore(slot)
	if !rescan {
		return placement{student: p.studentAt(first), folded: p.foldedFirst(first)}
	}
	fold := p.cohort.draw(topicRescanFold, p.test, p.cohort.opts.FirstStudent+slot)
	return placement{
		student: p.studentAt(p.scannedAgain(slot, first)),
		rescan:  true,
		folded:  below(fold, p.cohort.foldBelow),
	}
}

// firstScansBefore counts the first scans before a slot and says whether the slot
// itself holds a rescan.
func (p *pile) firstScansBefore(slot int) (count int, rescan bool) {
	rescans, scans := p.cohort.rescans, p.cohort.scans()
	if rescans == 0 {
		return slot, false
	}
	stratum := ((slot+1)*rescans - 1) / scans
	from := stratum * scans / rescans
	length := (stratum+1)*scans/rescans - from
	// There are at most as many rescans as students, so a stratum has at least
	// two slots.
	at := from + 1 + int(p.cohort.draw(topicRescanPlace, p.test, stratum)%uint64(length-1))
	before := slot - stratum
	if slot > at {
		before--
	}
	return before, slot == at
}

// scannedAgain draws which of the first scans so far is repeated: as often from
// just before, the operator having noticed, as from anywhere before; from there
// back to the nearest folded sheet, if there is one near.
func (p *pile) scannedAgain(slot, firstScans int) int {
	draw := p.cohort.draw(topicRescanWhich, p.test, p.cohort.opts.FirstStudent+slot)
	start := firstScans - 1
	if draw&1 == 1 {
		start = int((draw >> 1) % uint64(firstScans))
	}
	for first := start; first >= 0 && first > start-lookBack; first-- {
		if p.foldedFirst(first) {
			return first
		}
	}
	return start
}

func (p *pile) foldedFirst(first int) bool {
	return below(p.cohort.draw(topicFold, p.test, p.cohort.opts.FirstStudent+first), p.cohort.foldBelow)
}

// studentAt is the student whose sheet is the k-th to be scanned for the first
// time.
func (p *pile) studentAt(k int) int {
	students := uint64(p.cohort.opts.Students)
	return p.cohort.opts.FirstStudent + int((uint64(k)*(p.stride%students)+p.offset)%students)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
