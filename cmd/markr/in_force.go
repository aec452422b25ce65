package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"markr/engine"
	"markr/engine/audit"
	"markr/engine/intake/markscsv"
	"markr/engine/scoring"
	"markr/httpapi/access"
)

// What the audit trail is told: what is in force from a start on, and what changes
// while the server runs.

// rulesInForce are the rules that the flags ask for.
func (o *serveOptions) rulesInForce() engine.InForce {
	return engine.InForce{
		Event: audit.Event{
			Who: audit.Operator, Action: audit.Rules, Outcome: audit.Done,
			Rules: &audit.RuleSet{Scoring: o.scoring, Denominator: o.denominator, RefusedBytesMax: o.refusedBytesMax},
		},
		Default: o.scoring == scoring.Highest.String() && o.denominator == scoring.OfTest.String() &&
			o.refusedBytesMax == refusedBytesMaxDefault,
	}
}

// profilesInForce are the profiles of a directory; none if that is empty.
func profilesInForce(dir string, profiles []*markscsv.Profile) engine.InForce {
	set := &audit.ProfileSet{Dir: dir, Count: len(profiles), Profiles: []audit.Profile{}} // [] and not null
	for _, p := range profiles[:min(len(profiles), audit.ProfilesListed)] {
		set.Profiles = append(set.Profiles, audit.Profile{Name: p.Name(), SHA256: sha256Of([]byte(p.Spelled()))})
	}
	return engine.InForce{
		Event:   audit.Event{Who: audit.Operator, Action: audit.Profiles, Outcome: audit.Done, Profiles: set},
		Default: dir == "",
	}
}

// inForce is who is let in.
func (d *doors) inForce() []engine.InForce {
	tokens, clientCA := &tokenFile{}, &tlsFiles{}
	if d.tokens != nil {
		tokens = d.tokens
	}
	if d.tls != nil {
		clientCA = d.tls
	}
	return []engine.InForce{
		{Event: tokens.inForce(audit.Operator), Default: tokens.name == ""},
		{Event: clientCA.inForce(audit.Operator), Default: clientCA.clientCA == ""},
	}
}

// inForce is the tokens as they were read last, without what could let anybody in.
func (f *tokenFile) inForce(who string) audit.Event {
	set := &audit.TokenSet{File: f.name, Tokens: []audit.Token{}} // [] and not null
	if f.tokens != nil {
		set.SHA256, set.Count = sha256Of(f.read), f.tokens.Len()
		grants := f.tokens.Grants()
		for _, grant := range grants[:min(len(grants), audit.TokensListed)] {
			set.Tokens = append(set.Tokens, newTokenInForce(grant))
		}
	}
	return audit.Event{Who: who, Action: audit.Tokens, Outcome: audit.Done, Tokens: set}
}

func newTokenInForce(grant *access.Grant) audit.Token {
	token := audit.Token{Name: grant.Name, Scopes: grant.Scopes.String(), Rate: grant.Rate}
	for _, prefix := range grant.From {
		token.From = append(token.From, prefix.String())
	}
	if !grant.Expires.IsZero() {
		token.Expires = new(grant.Expires.UTC())
	}
	return token
}

// inForce is the certificates that sign those of clients, as they were read last.
func (f *tlsFiles) inForce(who string) audit.Event {
	set := &audit.CertificateSet{File: f.clientCA, Subjects: []string{}} // [] and not null
	if f.clientCA != "" {
		text := f.read[len(f.read)-1] // It is the last of the files.
		set.SHA256 = sha256Of(text)
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			if one, err := x509.ParseCertificate(block.Bytes); err == nil { // Others are in no pool either.
				set.Subjects = append(set.Subjects, one.Subject.String())
			}
		}
	}
	return audit.Event{Who: who, Action: audit.ClientCA, Outcome: audit.Done, ClientCA: set}
}

func sha256Of(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// recordPatience is how long who looks after files waits for a change to be recorded:
// as long as a disk may take to answer. Then it is recorded without anybody waiting.
const recordPatience = 5 * time.Second

// recordReload records that files were taken up, or were not. What they decide has been
// in force for a moment by then: whoever edits them has done it already.
func (s *service) recordReload(group *watched, failure error) {
	event := group.inForce(audit.Program)
	if failure != nil {
		event = audit.Event{Who: audit.Program, Action: event.Action, Outcome: audit.Failed, Reason: reasonOf(failure)}
	}
	ctx, cancel := context.WithTimeout(context.Background(), recordPatience)
	defer cancel()
	if err := s.engine.Record(ctx, event); err != nil && !errors.Is(err, engine.ErrClosed) {
		s.logger.Warn("a change is not in the audit trail yet", "what", group.what, "cause", err)
	}
}

// reasonBytesMax is the longest reason that is recorded: a path and a sentence.
const reasonBytesMax = 4 << 10

// reasonOf is why files were not taken up, as it may be kept for ever: what is wrong
// with a line of a token file may quote what somebody has put into the wrong place.
func reasonOf(failure error) string {
	reason := failure.Error()
	if line, ok := errors.AsType[*access.LineError](failure); ok {
		reason = fmt.Sprintf("read tokens: %v: line %d", access.ErrFile, line.Line)
	}
	return reason[:min(len(reason), reasonBytesMax)]
}
