package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// MediaType is that of an event's bytes in the log.
const MediaType = "application/vnd.markr.event+json"

// version is the version of an event's bytes.
const version = 1

// Decoding and encoding.
var (
	// ErrNewer: the event is of a kind or version that this program does not know.
	ErrNewer = errors.New("an event that a newer markr wrote")
	// ErrMalformed: it is no event.
	ErrMalformed = errors.New("not an event")
)

// wire is an event as the log keeps it. The members that an action does not have are
// left out, so that there is one way to write an event.
type wire struct {
	Version  int             `json:"v"`
	Action   Action          `json:"action"`
	Outcome  Outcome         `json:"outcome"`
	Reason   string          `json:"reason,omitempty"`
	Rules    *RuleSet        `json:"rules,omitempty"`
	Tokens   *TokenSet       `json:"tokens,omitempty"`
	ClientCA *CertificateSet `json:"tls_client_ca,omitempty"`

	Reprocess *Reprocessing `json:"reprocess,omitempty"`
	Backup    *BackupMade   `json:"backup,omitempty"`
	Profiles  *ProfileSet   `json:"profiles,omitempty"`
}

// Encode returns the event's bytes, a JSON object; Who is not in them, because it is
// the entry's source. The error is [ErrMalformed] for an event that is none.
func Encode(e *Event) ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(wire{version, e.Action, e.Outcome, e.Reason, e.Rules, e.Tokens, e.ClientCA, e.Reprocess, e.Backup, e.Profiles})
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return b, nil
}

// Decode reads what [Encode] wrote. The error is [ErrNewer] or [ErrMalformed].
func Decode(b []byte) (Event, error) {
	// Whatever else is new in it, the version and the action are where they are.
	var head struct {
		Version int    `json:"v"`
		Action  Action `json:"action"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if head.Version > version {
		return Event{}, fmt.Errorf("%w: version %d, this program reads version %d", ErrNewer, head.Version, version)
	}
	if !slices.Contains(actions(), head.Action) {
		return Event{}, fmt.Errorf("%w: action %q", ErrNewer, head.Action)
	}
	var w wire
	strict := json.NewDecoder(bytes.NewReader(b))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&w); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if _, err := strict.Token(); !errors.Is(err, io.EOF) {
		return Event{}, fmt.Errorf("%w: something behind it", ErrMalformed)
	}
	e := Event{
		Action: w.Action, Outcome: w.Outcome, Reason: w.Reason,
		Rules: w.Rules, Tokens: w.Tokens, ClientCA: w.ClientCA, Reprocess: w.Reprocess, Backup: w.Backup, Profiles: w.Profiles,
	}
	if w.Version != version {
		return Event{}, fmt.Errorf("%w: version %d", ErrMalformed, w.Version)
	}
	return e, e.check()
}

// check says whether the event is whole.
func (e *Event) check() error {
	changes := map[Action]bool{
		Rules: e.Rules != nil, Tokens: e.Tokens != nil, ClientCA: e.ClientCA != nil,
		Reprocess: e.Reprocess != nil, Backup: e.Backup != nil, Profiles: e.Profiles != nil,
	}
	if _, known := changes[e.Action]; !known {
		return fmt.Errorf("%w: action %q", ErrMalformed, e.Action)
	}
	if e.Outcome != Done && e.Outcome != Failed {
		return fmt.Errorf("%w: outcome %q", ErrMalformed, e.Outcome)
	}
	if (e.Outcome == Failed) != (e.Reason != "") {
		return fmt.Errorf("%w: a reason goes with what has failed", ErrMalformed)
	}
	for action, changed := range changes {
		if changed != (action == e.Action && e.Outcome == Done) {
			return fmt.Errorf("%w: %s %s, and what has changed is not of it", ErrMalformed, e.Action, e.Outcome)
		}
	}
	return nil
}
