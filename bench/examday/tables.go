package examday

import "time"

// paper is a test that is sat on the day.
type paper struct {
	id        string
	seed      uint64 // picks its questions
	questions int
	choices   int
	begins    time.Duration // when the first school begins to scan it
	ability   int           // of who sits it, in thousandths of a deviation
	sat       int           // by how many of a hundred students of a school
}

// papers are in order of time. Physics has the wrong key: most of it comes in when
// others have shown how a question behaves.
//
//nolint:gochecknoglobals // A table.
var papers = [...]paper{
	{"biology-2026-1", 11, 40, 4, 0, 0, 88},
	{"maths-2026-foundation", 23, 30, 5, 4 * time.Minute, -250, 62},
	{"chemistry-2026-1", 37, 40, 4, 13 * time.Minute, 100, 71},
	{physics, 41, 40, 4, 22 * time.Minute, 150, 64},
	{"history-2026-2", 53, 35, 4, 36 * time.Minute, -50, 54},
	{"maths-2026-higher", 67, 30, 5, 45 * time.Minute, 450, 48},
	{"statistics-2026-resit", 71, 20, 4, 58 * time.Minute, -300, 15},
}

// physics is the test with the miskeyed question.
const physics = "physics-2026-1"

// school is where papers are scanned, each school by a scanner of its own.
type school struct {
	name     string
	students int
	ability  int // of its students, beside all
	late     time.Duration
}

//nolint:gochecknoglobals // A table.
var schools = [...]school{
	{"Abbey Road Academy", 236, 120, 0},
	{"Bridge Street High", 184, -180, 70 * time.Second},
	{"Castle Hill College", 142, 380, 150 * time.Second},
	{"Dockside School", 121, -420, 30 * time.Second},
	{"Elm Park Sixth Form", 96, 260, 200 * time.Second},
	{"Fairfield Community School", 71, -60, 110 * time.Second},
}
