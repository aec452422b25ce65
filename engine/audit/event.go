package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Who changes something, when it is nobody with a token of a name.
const (
	Operator = "operator" // whoever gave the command line, or may use the control socket
	Program  = "markr"    // the program, which has noticed something
)

// Action is what an event is about. Names are part of the format.
type Action string

// The actions. All but Reprocess are settings: what is in force from the event on.
const (
	Rules    Action = "rules"         // what counts, and how much of what does not is kept
	Tokens   Action = "tokens"        // who is let in by token
	ClientCA Action = "tls-client-ca" // who is let in by certificate
	Profiles Action = "profiles"      // how tables are read that name a profile
	// Reprocess is the log read again: what came of it is what counts from the event on.
	Reprocess Action = "reprocess"
	// Backup is a copy of the log that was made, or was begun and came to nothing.
	Backup Action = "backup"
)

// Settings are the actions that are settings: of those the last that is done says what
// is in force.
func Settings() []Action { return []Action{Rules, Tokens, ClientCA, Profiles} }

// actions are all of them.
func actions() []Action { return append(Settings(), Reprocess, Backup) }

// IsSetting says whether the event is of a setting.
func (e *Event) IsSetting() bool { return slices.Contains(Settings(), e.Action) }

// HasHappened says whether the event tells of what has happened by itself, so that a log
// which takes nothing for now is told later. A reprocess happens by being recorded.
func (e *Event) HasHappened() bool { return e.Action != Reprocess }

// Outcome is how it went.
type Outcome string

// The outcomes.
const (
	Done   Outcome = "done"   // it is in force
	Failed Outcome = "failed" // it was tried, and nothing has changed
)

// Event is a change of data or rules that no document is the reason of, or an attempt
// at one. Exactly one of the pointers is set, the one of the action, unless it has failed:
// then none is, and Reason says why.
type Event struct {
	Who     string // the source of the log's entry
	Action  Action
	Outcome Outcome
	Reason  string

	Rules     *RuleSet
	Tokens    *TokenSet
	ClientCA  *CertificateSet
	Reprocess *Reprocessing
	Backup    *BackupMade
	Profiles  *ProfileSet
}

// RuleSet is what counts.
type RuleSet struct {
	Scoring     string `json:"scoring"`
	Denominator string `json:"denominator"`
	// RefusedBytesMax is how much is kept of refused documents, as stored; what is
	// over it is dropped, oldest first. 0 keeps none.
	RefusedBytesMax int64 `json:"refused_bytes_max"`
}

// TokenSet is the tokens that are let in. Without a file nobody is asked for one.
type TokenSet struct {
	File string `json:"file"`
	// SHA256 is that of the file, in hexadecimal digits. It tells that a token has
	// been exchanged for another of its name.
	SHA256 string `json:"sha256"`
	// Count is how many there are; at most TokensListed of them are listed, in order
	// of name.
	Count  int     `json:"count"`
	Tokens []Token `json:"tokens"`
}

// TokensListed is how many tokens an event lists. The file's digest stands for the
// rest.
const TokensListed = 1000

// Token is what a token allows.
type Token struct {
	Name    string     `json:"name"`
	Scopes  string     `json:"scopes"`            // with commas between them
	From    []string   `json:"from,omitempty"`    // addresses and networks; none: from anywhere
	Rate    float64    `json:"rate,omitempty"`    // requests a second; 0: as many as come
	Expires *time.Time `json:"expires,omitempty"` // nil: never
}

// CertificateSet is the certificates that sign those of clients. Without a file
// nobody is let in by certificate.
type CertificateSet struct {
	File     string   `json:"file"`
	SHA256   string   `json:"sha256"` // of the file, in hexadecimal digits
	Subjects []string `json:"subjects"`
}

// Change is what has changed: the one of the event's pointers that is set; nil for an event
// that has failed.
func (e *Event) Change() any {
	switch {
	case e.Rules != nil:
		return e.Rules
	case e.Tokens != nil:
		return e.Tokens
	case e.ClientCA != nil:
		return e.ClientCA
	case e.Reprocess != nil:
		return e.Reprocess
	case e.Backup != nil:
		return e.Backup
	case e.Profiles != nil:
		return e.Profiles
	}
	return nil
}

// String is what has changed, for a person, in a few words.
func (e *Event) String() string {
	switch {
	case e.Outcome == Failed:
		return e.Reason
	case e.Rules != nil:
		return fmt.Sprintf("scoring %s, percent of %s, %d bytes of refused documents kept",
			e.Rules.Scoring, e.Rules.Denominator, e.Rules.RefusedBytesMax)
	case e.Tokens != nil && e.Tokens.File == "":
		return "nobody is asked for a token"
	case e.Tokens != nil:
		names := make([]string, len(e.Tokens.Tokens))
		for i := range names {
			names[i] = e.Tokens.Tokens[i].Name
		}
		if len(names) < e.Tokens.Count {
			names = append(names, "…")
		}
		return strings.TrimSuffix(fmt.Sprintf("%d of %s: %s", e.Tokens.Count, e.Tokens.File, strings.Join(names, ", ")), ": ")
	case e.ClientCA != nil && e.ClientCA.File == "":
		return "nobody is let in by certificate"
	case e.ClientCA != nil:
		return fmt.Sprintf("those signed by %s of %s", strings.Join(e.ClientCA.Subjects, "; "), e.ClientCA.File)
	case e.Reprocess != nil:
		return e.Reprocess.String()
	case e.Backup != nil:
		return e.Backup.String()
	case e.Profiles != nil:
		return e.Profiles.String()
	}
	return ""
}
