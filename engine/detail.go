package engine

import (
	"encoding/json"
	"fmt"

	"markr/engine/exam"
	"markr/engine/intake"
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

func encodeAccepted(records int, tests []exam.TestID, findings intake.Findings) ([]byte, error) {
	return encodeDetail(detail{
		Version:      detailVersion,
		Records:      records,
		TestIDs:      tests[:min(len(tests), TestIDsListed)],
		BadScannedOn: findings.BadScannedOn,
		BadAnswers:   findings.BadAnswers,
	})
}

func encodeRefused(err *intake.DocumentError) ([]byte, error) {
	stored := refusal(*err)
	return encodeDetail(detail{Version: detailVersion, Refusal: &stored})
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
