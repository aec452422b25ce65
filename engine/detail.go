package engine

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"markr/engine/exam"
	"markr/engine/intake"
	"markr/wal/entry"
)

// detailVersion is the version of what the engine writes into entry.Header.Detail.
const detailVersion = 1

// detail is what the engine remembers of a document beside its bytes, so that
// imports can be listed without decoding them again. It is JSON, because people
// read it in `markr vault show`.
type detail struct {
	Version      int           `json:"v"`
	Records      int           `json:"records,omitempty"`
	TestIDs      []exam.TestID `json:"test_ids,omitempty"`
	BadScannedOn int           `json:"bad_scanned_on,omitempty"`
	BadAnswers   int           `json:"bad_answers,omitempty"`
	Refusal      *refusal      `json:"refusal,omitempty"`
	// Corrects is the refused import that this one was handed in to correct, Retries the
	// one whose bytes it brings again. Both say so in the same write as the document.
	Corrects *uuid.UUID `json:"corrects,omitempty"`
	Retries  *uuid.UUID `json:"retries,omitempty"`
	// Chain is the root of the chain of corrections that the named one is part of, see
	// refused; 0: it is the root. The others of the chain may be gone when this is read.
	Chain entry.Position `json:"chain,omitempty"`
}

// aim is the refused import that a document is about; its zero value is none.
type aim struct {
	id    uuid.UUID
	retry bool           // with the same bytes; else it is a correction
	root  entry.Position // of its chain of corrections
}

// into notes the aim in d.
func (a aim) into(d *detail) {
	switch {
	case a.id == uuid.Nil:
		return
	case a.retry:
		d.Retries = &a.id
	default:
		d.Corrects = &a.id
	}
	if a.root != entry.IDPosition(a.id) {
		d.Chain = a.root
	}
}

// root is the root of the chain that the document is about, 0 if it is about none.
func (d *detail) root() entry.Position {
	if d.Chain != 0 {
		return d.Chain
	}
	for _, id := range []*uuid.UUID{d.Corrects, d.Retries} {
		if id != nil {
			return entry.IDPosition(*id)
		}
	}
	return 0
}

// refusal is an intake.DocumentError as stored.
type refusal struct {
	Code   intake.Code `json:"code"`
	Record int         `json:"record,omitempty"`
	Line   int         `json:"line,omitempty"`
	Column int         `json:"column,omitempty"`
	Field  string      `json:"field,omitempty"`
	Value  string      `json:"value,omitempty"`
	Reason string      `json:"reason"`
}

func encodeAccepted(records int, tests []exam.TestID, findings intake.Findings, a aim) ([]byte, error) {
	d := detail{
		Version:      detailVersion,
		Records:      records,
		TestIDs:      tests[:min(len(tests), TestIDsListed)],
		BadScannedOn: findings.BadScannedOn,
		BadAnswers:   findings.BadAnswers,
	}
	a.into(&d)
	return encodeDetail(d)
}

func encodeRefused(err *intake.DocumentError, a aim) ([]byte, error) {
	stored := refusal(*err)
	d := detail{Version: detailVersion, Refusal: &stored}
	a.into(&d)
	return encodeDetail(d)
}

func encodeDetail(d detail) ([]byte, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode detail: %w", err)
	}
	return b, nil
}

func decodeDetail(b []byte) (detail, error) {
	var d detail
	if err := json.Unmarshal(b, &d); err != nil {
		return detail{}, fmt.Errorf("decode detail: %w", err)
	}
	if d.Version != detailVersion {
		return detail{}, fmt.Errorf("decode detail: version %d, this program reads version %d", d.Version, detailVersion)
	}
	return d, nil
}
