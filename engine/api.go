package engine

import (
	"time"

	"github.com/google/uuid"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/wal/entry"
)

// Submission is a document as it arrived, content coding taken off.
type Submission struct {
	Raw       []byte // not changed, and not kept after Import returns
	MediaType string // the Content-Type, parameters included
	Source    string // who sent it: an address, a file; may be empty
	// Corrects is the refused import that this document corrects; uuid.Nil: none. See
	// [Engine.Import].
	Corrects uuid.UUID
	// Room is asked before memory is taken beside Raw, so many bytes of it, until Import
	// returns: for the text of a document in another encoding than UTF-8. Its error is
	// Import's, and nothing is kept of the document. Nil: there is room for all.
	Room func(bytes int) error
}

// Receipt says what an accepted document did. Records = StudentsAdded +
// MarksRaised + Unchanged.
type Receipt struct {
	ImportID      uuid.UUID
	Position      entry.Position
	TestIDs       []exam.TestID // in order of first appearance
	Records       int
	StudentsAdded int // records that brought a student not seen in that test
	MarksRaised   int // records that replaced a student's kept scan by one with other marks
	Unchanged     int // records that changed no student's marks
	// DuplicateOf is the import that brought the same bytes first; uuid.Nil if
	// this one did.
	DuplicateOf uuid.UUID
	Findings    intake.Findings
}

// Import is what is known of a document that arrived, accepted or not.
type Import struct {
	ID          uuid.UUID
	Position    entry.Position
	Received    time.Time
	Source      string
	MediaType   string
	Size        int64
	Digest      entry.Digest
	Outcome     entry.Outcome
	Records     int                   // accepted and duplicate: its records
	TestIDs     []exam.TestID         // accepted and duplicate: at most TestIDsListed of them
	Findings    intake.Findings       // accepted and duplicate
	Refusal     *intake.DocumentError // refused: why
	DuplicateOf uuid.UUID             // duplicate: the first
	// Corrects is the refused import that it was handed in to correct, Retries the one
	// whose bytes it brings again; uuid.Nil: none. That one may have been dropped since.
	Corrects, Retries uuid.UUID
	// ResolvedBy is the import that has resolved a refused one: a correction or a retry
	// that was accepted, of it or of one of its chain of corrections. Its position is 0
	// if none has.
	ResolvedBy ImportRef
}

// TestIDsListed is how many test ids an Import lists; a document may name as many
// tests as it has records.
const TestIDsListed = 100

// Progress is how far recovery has come.
type Progress struct {
	Ready    bool
	Position entry.Position // last applied
	Last     entry.Position // where the log ends
	Started  time.Time
	Err      error // why recovery stopped: the engine will never be ready
	// Checkpoint is the position of the checkpoint that was taken up; 0 if none was.
	Checkpoint entry.Position
	// CheckpointErr is why a checkpoint that is there was not; nil otherwise. The log
	// was read from its beginning, and nothing is lost.
	CheckpointErr error
}
