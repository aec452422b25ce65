package audit_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"markr/engine/audit"
)

// events are one of every kind, with its bytes, which have to stay readable for ever.
func events() map[string]audit.Event {
	expires := time.Date(2027, 8, 1, 0, 0, 0, 0, time.UTC)
	return map[string]audit.Event{
		`{"v":1,"action":"rules","outcome":"done","rules":{"scoring":"latest","denominator":"test","refused_bytes_max":1024}}`: {
			Action: audit.Rules, Outcome: audit.Done,
			Rules: &audit.RuleSet{Scoring: "latest", Denominator: "test", RefusedBytesMax: 1024},
		},
		`{"v":1,"action":"tokens","outcome":"done","tokens":{"file":"tokens","sha256":"00","count":2,"tokens":[{"name":"a","scopes":"read"},` +
			`{"name":"b","scopes":"import,read","from":["10.0.0.0/8"],"rate":0.5,"expires":"2027-08-01T00:00:00Z"}]}}`: {
			Action: audit.Tokens, Outcome: audit.Done,
			Tokens: &audit.TokenSet{File: "tokens", SHA256: "00", Count: 2, Tokens: []audit.Token{
				{Name: "a", Scopes: "read"},
				{Name: "b", Scopes: "import,read", From: []string{"10.0.0.0/8"}, Rate: 0.5, Expires: &expires},
			}},
		},
		`{"v":1,"action":"tokens","outcome":"failed","reason":"tokens: not a token file: line 2"}`: {
			Action: audit.Tokens, Outcome: audit.Failed, Reason: "tokens: not a token file: line 2",
		},
		`{"v":1,"action":"tls-client-ca","outcome":"done","tls_client_ca":{"file":"ca.pem","sha256":"00","subjects":["CN=office"]}}`: {
			Action: audit.ClientCA, Outcome: audit.Done,
			ClientCA: &audit.CertificateSet{File: "ca.pem", SHA256: "00", Subjects: []string{"CN=office"}},
		},
		`{"v":1,"action":"reprocess","outcome":"done","reprocess":{"scoring":"latest","scoring_version":1,"denominator":"sheet",` +
			`"denominator_version":1,"uncounted":[3,17]}}`: {
			Action: audit.Reprocess, Outcome: audit.Done,
			Reprocess: &audit.Reprocessing{Scoring: "latest", ScoringVersion: 1, Denominator: "sheet", DenominatorVersion: 1, Uncounted: []uint64{3, 17}},
		},
		`{"v":1,"action":"profiles","outcome":"done","profiles":{"dir":"profiles","count":1,"profiles":[{"name":"reader","sha256":"00"}]}}`: {
			Action: audit.Profiles, Outcome: audit.Done,
			Profiles: &audit.ProfileSet{Dir: "profiles", Count: 1, Profiles: []audit.Profile{{Name: "reader", SHA256: "00"}}},
		},
		`{"v":1,"action":"backup","outcome":"done","backup":{"id":"20261126T160426.123456Z-17","position":17,"taken":"2026-11-26T16:04:26.123456Z"}}`: {
			Action: audit.Backup, Outcome: audit.Done,
			Backup: &audit.BackupMade{ID: "20261126T160426.123456Z-17", Position: 17, Taken: time.Date(2026, 11, 26, 16, 4, 26, 123456000, time.UTC)},
		},
	}
}

func TestEventVectors(t *testing.T) {
	t.Parallel()
	for want, event := range events() {
		got, err := audit.Encode(&event)
		if err != nil || string(got) != want {
			t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
		}
		again, err := audit.Decode(got)
		if diff := cmp.Diff(event, again); err != nil || diff != "" {
			t.Errorf("%s: %v %s", want, err, diff)
		}
		if event.String() == "" {
			t.Errorf("%s: nothing for a person", want)
		}
		if (event.Change() == nil) != (event.Outcome == audit.Failed) {
			t.Errorf("%s: changed %v", want, event.Change())
		}
	}
}

// What a newer program has written is refused, and told from what nobody wrote.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const rules = `"rules":{"scoring":"latest","denominator":"test","refused_bytes_max":1024}`
	for text, want := range map[string]error{
		`{"v":2,"action":"rules","outcome":"done",` + rules + `}`:                 audit.ErrNewer,
		`{"v":9,"action":"correction","who":1}`:                                   audit.ErrNewer,
		`{"v":1,"action":"correction","outcome":"done"}`:                          audit.ErrNewer,
		`{"v":0,"action":"rules","outcome":"done",` + rules + `}`:                 audit.ErrMalformed,
		`{"v":1,"action":"rules","outcome":"done"}`:                               audit.ErrMalformed,
		`{"v":1,"action":"tokens","outcome":"done",` + rules + `}`:                audit.ErrMalformed,
		`{"v":1,"action":"rules","outcome":"failed","reason":"x",` + rules + `}`:  audit.ErrMalformed,
		`{"v":1,"action":"rules","outcome":"failed"}`:                             audit.ErrMalformed,
		`{"v":1,"action":"backup","outcome":"done"}`:                              audit.ErrMalformed,
		`{"v":1,"action":"backup","outcome":"done",` + rules + `}`:                audit.ErrMalformed,
		`{"v":1,"action":"rules","outcome":"done","reason":"x",` + rules + `}`:    audit.ErrMalformed,
		`{"v":1,"action":"rules","outcome":"perhaps",` + rules + `}`:              audit.ErrMalformed,
		`{"v":1,"action":"rules","outcome":"done","more":1,` + rules + `}`:        audit.ErrMalformed,
		`{"v":1,"action":"rules","outcome":"done","rules":{"scoring":1}}`:         audit.ErrMalformed,
		`{"v":1,"action":"rules","outcome":"done","rules":{"scorings":"latest"}}`: audit.ErrMalformed,
		`{"v":1,"action":"rules","outcome":"done",` + rules + `} {}`:              audit.ErrMalformed,
		`{"v":1,"action":"rules","outcome":"done",` + rules:                       audit.ErrMalformed,
		`[]`: audit.ErrMalformed,
		``:   audit.ErrMalformed,
	} {
		if event, err := audit.Decode([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v", text, event, err)
		}
	}
	for _, event := range []audit.Event{{}, {Action: "x", Outcome: audit.Done}, {Action: audit.Rules, Outcome: audit.Done}} {
		if b, err := audit.Encode(&event); !errors.Is(err, audit.ErrMalformed) {
			t.Errorf("%+v: %s, %v", event, b, err)
		}
	}
}

// A long list of tokens says that it is not whole.
func TestString(t *testing.T) {
	t.Parallel()
	for want, event := range map[string]audit.Event{
		"3 of tokens: a, …":               {Tokens: &audit.TokenSet{File: "tokens", Count: 3, Tokens: []audit.Token{{Name: "a"}}}},
		"0 of tokens":                     {Tokens: &audit.TokenSet{File: "tokens"}},
		"nobody is asked for a token":     {Tokens: &audit.TokenSet{}},
		"nobody is let in by certificate": {ClientCA: &audit.CertificateSet{}},
	} {
		if got := event.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// An event either is refused or is what is written for it.
func FuzzDecode(f *testing.F) {
	for text := range events() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		event, err := audit.Decode(b)
		if err != nil {
			if !errors.Is(err, audit.ErrNewer) && !errors.Is(err, audit.ErrMalformed) {
				t.Fatalf("%s: %v", b, err)
			}
			return
		}
		written, err := audit.Encode(&event)
		if err != nil {
			t.Fatalf("%s was read and cannot be written: %v", b, err)
		}
		again, err := audit.Decode(written)
		if diff := cmp.Diff(event, again); err != nil || diff != "" {
			t.Fatalf("%s became %s: %v %s", strings.ToValidUTF8(string(b), "?"), written, err, diff)
		}
	})
}
