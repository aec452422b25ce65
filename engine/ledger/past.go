package ledger

import (
	"cmp"
	"slices"

	"markr/engine/exam"
	"markr/engine/scoring"
	"markr/engine/summary"
)

// past is what a test was, as far as its rows do not tell: the scans that are not
// kept, and when the available marks rose. With it all scans can be taken again in
// their order, and so the test as it was at any position.
type past struct {
	// The scans that lost, and those that were replaced, in no order. A scan that is
	// taken again, which only happens when a log is replayed over a state that has it,
	// may be in it twice: readers leave out what has the same arrival.
	//
	// They are in columns of their own, so that looking through all of a test's for one
	// student's reads four bytes of each.
	students  column[Student]
	obtained  column[exam.Marks]
	arrivals  column[uint64]
	available column[exam.Marks] // as in Test
	scannedOn column[int64]      // as in Test
	// rises are the scans with more available marks than any that arrived before.
	rises []Rise
}

// Rise is a scan that raised a test's available marks.
type Rise struct {
	Arrival   uint64 // as in Row
	Available exam.Marks
}

// rise notes a scan's available marks. Rises are in order of arrival and each is
// higher than the one before, whatever the order in which scans are taken.
func (p *past) rise(arrival uint64, available exam.Marks) {
	if last := len(p.rises) - 1; last >= 0 && p.rises[last].Arrival <= arrival && p.rises[last].Available >= available {
		return // Nearly always.
	}
	at, _ := slices.BinarySearchFunc(p.rises, arrival, func(r Rise, arrival uint64) int { return cmp.Compare(r.Arrival, arrival) })
	if at > 0 && p.rises[at-1].Available >= available {
		return
	}
	end := at
	for end < len(p.rises) && p.rises[end].Available <= available {
		end++
	}
	// A copy: views have the old one.
	p.rises = slices.Concat(p.rises[:at], []Rise{{arrival, available}}, p.rises[end:])
}

// availableAt is what was available when a scan had arrived.
func availableAt(rises []Rise, arrival uint64) exam.Marks {
	at, exact := slices.BinarySearchFunc(rises, arrival, func(r Rise, arrival uint64) int { return cmp.Compare(r.Arrival, arrival) })
	if exact {
		return rises[at].Available
	}
	if at == 0 {
		return 0
	}
	return rises[at-1].Available
}

// pass notes a scan that is not kept.
func (t *Test) pass(k kept, available exam.Marks, scannedOn int64) {
	t.past.students.append(k.student)
	t.past.obtained.append(k.obtained)
	t.past.arrivals.append(k.arrival)
	if t.rule.NeedsAvailable() {
		t.past.available.append(available)
	}
	if t.rule.NeedsScannedOn() {
		t.past.scannedOn.append(scannedOn)
	}
}

// passKept notes the kept scan of a row, which is about to be replaced.
func (t *Test) passKept(row uint32) {
	scan := t.scan(row) // Zero where the rule does not look.
	t.pass(*t.rows.at(row), scan.Available, scan.ScannedOn)
}

// Passed is how many scans are not kept.
func (t *Test) Passed() int { return t.past.students.rows }

// pastView is a past as it was.
type pastView struct {
	students  columnView[Student]
	obtained  columnView[exam.Marks]
	arrivals  columnView[uint64]
	available columnView[exam.Marks]
	scannedOn columnView[int64]
	rises     []Rise
	length    int
}

func (p *past) view() pastView {
	return pastView{
		p.students.view(), p.obtained.view(), p.arrivals.view(), p.available.view(), p.scannedOn.view(),
		p.rises, p.students.rows,
	}
}

// Passed is how many scans were not kept.
func (v View) Passed() int { return v.past.length }

// EachPassed calls fn with the scans that were not kept. Highest is zero.
func (v View) EachPassed(fn func(Row) error) error {
	p := &v.past
	for chunk, students := range p.students.chunks {
		for i, student := range students {
			row := Row{Student: student, Obtained: p.obtained.chunks[chunk][i], Arrival: p.arrivals.chunks[chunk][i]}
			if len(p.available.chunks) > 0 {
				row.Available = p.available.chunks[chunk][i]
			}
			if len(p.scannedOn.chunks) > 0 {
				row.ScannedOn = p.scannedOn.chunks[chunk][i]
			}
			if err := fn(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// Rises are the scans that raised the available marks, in order. They are not to be
// changed.
func (v View) Rises() []Rise { return v.past.rises }

// RestorePassed adds scans that are not kept, of students who have one that is. It
// may run beside Restore. The error is [ErrRow] for one that cannot be.
func (t *Test) RestorePassed(students *Students, rows []Row) error {
	for i := range rows {
		row := rows[i]
		row.Highest = exam.MarksMax // Not of this scan.
		if !t.possible(students, &row) {
			return ErrRow
		}
		t.pass(kept{row.Student, row.Obtained, row.Arrival}, row.Available, row.ScannedOn)
	}
	return nil
}

// RestoreRise adds a rise behind those that are there. It may run beside Restore. The
// error is [ErrRow] for one that is none.
func (t *Test) RestoreRise(r Rise) error {
	if last := len(t.past.rises) - 1; r.Available == 0 || r.Available > exam.MarksMax || last >= 0 &&
		(t.past.rises[last].Arrival >= r.Arrival || t.past.rises[last].Available >= r.Available) {
		return ErrRow
	}
	t.past.rises = append(t.past.rises, r)
	t.Available = r.Available
	return nil
}

// Retake says how scans are taken again.
type Retake struct {
	Rule scoring.Rule
	// Through is the position of the last document that is taken.
	Through uint64
	// Mark is a position without a document, at which each is called, too, if it is not
	// behind Through: when all is taken that had arrived by then. 0: none.
	Mark uint64
}

// Suffices says whether the scans can be taken again under a rule: what it looks at is
// known of each. A test without scans suffices for every rule.
func (v View) Suffices(rule scoring.Rule) bool {
	return v.length == 0 || (v.rule.NeedsAvailable() || !rule.NeedsAvailable()) && (v.rule.NeedsScannedOn() || !rule.NeedsScannedOn())
}

// Replay takes the scans of a test again, those that had arrived with the document at
// a position, in order of arrival, and returns the test as it would have been then
// under a rule for which the view suffices. It calls each, if it is not nil, after the
// scans of every document with what they did; an error of it ends the replay.
//
// It takes the time and, for as long as it runs, twice the memory of taking them the
// first time.
func (v View) Replay(r Retake, each func(position uint64, test *Test, done Effects) error) (*Test, error) {
	scans := v.scans(r.Through)
	again := NewTest(r.Rule)
	again.index.moving = new(moving)
	again.Reserve(min(v.length, len(scans)))
	var added tally
	var done Effects
	marked := each == nil || r.Mark == 0 || r.Mark > r.Through
	for i := range scans {
		s := &scans[i]
		if !marked && s.Arrival>>arrivalRecordBits > r.Mark {
			marked = true
			if err := each(r.Mark, again, Effects{}); err != nil {
				return nil, err
			}
		}
		record := exam.Record{Obtained: s.Obtained, Available: s.Available, ScannedOn: s.ScannedOn}
		if len(v.available.chunks) == 0 {
			record.Available = availableAt(v.past.rises, s.Arrival)
		}
		done = done.Plus(again.take(s.Student, &record, s.Arrival, &added))
		position := s.Arrival >> arrivalRecordBits
		if each == nil || i+1 < len(scans) && scans[i+1].Arrival>>arrivalRecordBits == position {
			continue
		}
		added.flush(&again.scores)
		if err := each(position, again, done); err != nil {
			return nil, err
		}
		done = Effects{}
	}
	added.flush(&again.scores)
	if !marked {
		if err := each(r.Mark, again, Effects{}); err != nil {
			return nil, err
		}
	}
	return again, nil
}

// Positions are those of the documents with scans of the test, up to one, in order, and
// how many scans they have at most.
func (v View) Positions(through uint64) (positions []uint64, scans int) {
	note := func(arrival uint64) {
		position := arrival >> arrivalRecordBits
		if position > through {
			return
		}
		scans++
		// The scans of a document are mostly next to each other.
		if len(positions) == 0 || positions[len(positions)-1] != position {
			positions = append(positions, position)
		}
	}
	for _, rows := range v.rows.chunks {
		for i := range rows {
			note(rows[i].arrival)
		}
	}
	for _, arrivals := range v.past.arrivals.chunks {
		for _, arrival := range arrivals {
			note(arrival)
		}
	}
	slices.Sort(positions)
	return slices.Compact(positions), scans
}

// scans are all scans up to a position, each once, in order of arrival.
func (v View) scans(through uint64) []Row {
	scans := make([]Row, 0, v.length+v.past.length)
	take := func(row Row) error {
		if row.Arrival>>arrivalRecordBits <= through {
			scans = append(scans, row)
		}
		return nil
	}
	// Neither fails, because take does not.
	_ = v.Each(take)
	_ = v.EachPassed(take)
	byArrival := func(a, b Row) int { return cmp.Compare(a.Arrival, b.Arrival) }
	slices.SortFunc(scans, byArrival)
	return slices.CompactFunc(scans, func(a, b Row) bool { return a.Arrival == b.Arrival })
}

// Scans are all scans of one student in a test, as they were when they were looked
// up.
type Scans struct {
	Score summary.Score // of the one that counts
	// Highest are the most marks available on any of them, where the rule asks for it;
	// else 0.
	Highest exam.Marks

	kept     kept
	students columnView[Student] // of all scans that are not kept
	arrivals columnView[uint64]
}

// Scans looks a student up. It is for the writer, or under whatever keeps the writer
// away; what it returns is not.
func (t *Test) Scans(student Student) (Scans, bool) {
	row, ok := t.find(student)
	if !ok {
		return Scans{}, false
	}
	s := Scans{
		Score: t.score(row), kept: *t.rows.at(row),
		students: t.past.students.view(), arrivals: t.past.arrivals.view(),
	}
	if t.wantsHighest() {
		s.Highest = *t.highest.at(row)
	}
	return s, true
}

// Arrival is where a scan is: the position of its document, and its index there,
// from 0.
type Arrival struct {
	Position uint64
	Record   int
}

// Kept is where the scan is that counts.
func (s *Scans) Kept() Arrival { return ArrivalOf(s.kept.arrival) }

// All are the places of all scans, in order of arrival.
func (s *Scans) All() []Arrival {
	arrivals := []uint64{s.kept.arrival}
	for chunk, students := range s.students.chunks {
		for i, student := range students {
			if student == s.kept.student {
				arrivals = append(arrivals, s.arrivals.chunks[chunk][i])
			}
		}
	}
	slices.Sort(arrivals)
	arrivals = slices.Compact(arrivals)
	all := make([]Arrival, len(arrivals))
	for i, a := range arrivals {
		all[i] = ArrivalOf(a)
	}
	return all
}

// ArrivalOf is the place that a row's Arrival, which is opaque elsewhere, stands for.
func ArrivalOf(a uint64) Arrival {
	return Arrival{Position: a >> arrivalRecordBits, Record: int(a % RecordsMax)}
}
