package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"markr/engine"
	"markr/engine/audit"
	"markr/engine/scoring"
	"markr/wal"
	"markr/wal/entry"
)

func rulesOf(policy string) audit.Event {
	return audit.Event{
		Who: audit.Operator, Action: audit.Rules, Outcome: audit.Done,
		Rules: &audit.RuleSet{Scoring: policy, Denominator: "test", RefusedBytesMax: 1 << 30},
	}
}

func tokensOf(names ...string) audit.Event {
	set := &audit.TokenSet{File: "tokens", SHA256: "00", Count: len(names)}
	for _, name := range names {
		set.Tokens = append(set.Tokens, audit.Token{Name: name, Scopes: "read"})
	}
	return audit.Event{Who: audit.Program, Action: audit.Tokens, Outcome: audit.Done, Tokens: set}
}

func failedTokens(reason string) audit.Event {
	return audit.Event{Who: audit.Program, Action: audit.Tokens, Outcome: audit.Failed, Reason: reason}
}

// inForce opens an engine with settings, which are defaults if they say so.
func inForce(t *testing.T, vault *wal.Vault, settings ...engine.InForce) *house {
	t.Helper()
	h := &house{vault: vault, Engine: start(t, asked(engine.Options{
		Log: vault, Checkpoints: vault, CheckpointRecords: 100, Intake: registry(t, toy{}), InForce: settings,
	}))}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// asked asks for the rule that the settings name, as whoever gives them does.
func asked(opts engine.Options) engine.Options {
	for _, setting := range opts.InForce {
		if rules := setting.Event.Rules; rules != nil {
			opts.Rule.Policy, _ = scoring.ParsePolicy(rules.Scoring)
			opts.RuleAsked.Policy = true
		}
	}
	return opts
}

// trail is the audit trail in lines, oldest first.
func (h *house) trail(t *testing.T, onlyEvents bool) string {
	t.Helper()
	var lines []string
	for before := entry.Position(0); ; {
		changes, err := h.Audit(before, onlyEvents, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			line := fmt.Sprintf("%d %s %v", c.Position, c.Who, c.Outcome)
			if c.Event != nil {
				line = fmt.Sprintf("%d %s %s %s: %v", c.Position, c.Who, c.Event.Action, c.Event.Outcome, c.Event)
			}
			lines = append([]string{line}, lines...)
			before = c.Position
		}
		if len(changes) < 3 {
			return strings.Join(lines, "\n")
		}
	}
}

func (h *house) wantTrail(t *testing.T, onlyEvents bool, want ...string) {
	t.Helper()
	if got := h.trail(t, onlyEvents); got != strings.Join(want, "\n") {
		t.Errorf("the trail is\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

const highestLine = " operator rules done: scoring highest, percent of test, 1073741824 bytes of refused documents kept"

// Events are in one order with imports, are no imports, and are there after a restart
// from the log as after one from a checkpoint.
func TestRecord(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h := inForce(t, openVault(t, fs))
	record := func(event audit.Event) {
		t.Helper()
		if err := h.Record(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	}
	h.post(t, "t a 1 2")
	record(tokensOf("x"))
	record(tokensOf("x")) // as it is: nothing to record
	h.post(t, "t a 1 2")
	record(failedTokens("line 2"))
	record(failedTokens("line 2")) // it has happened twice
	record(tokensOf("x"))
	record(tokensOf("y"))
	if _, err := h.Import(t.Context(), submission("t a")); err == nil {
		t.Fatal("not refused")
	}
	events := []string{
		"2 markr tokens done: 1 of tokens: x", "4 markr tokens failed: line 2", "5 markr tokens failed: line 2", "6 markr tokens done: 1 of tokens: y",
	}
	all := []string{"1 192.0.2.1 accepted", events[0], "3 192.0.2.1 duplicate", events[1], events[2], events[3], "7 192.0.2.1 refused"}
	for _, how := range []string{"live", "again", "from the log"} {
		h.wantTrail(t, false, all...)
		h.wantTrail(t, true, events...)
		for limit := range 4 {
			list, err := h.Imports(0, 0, limit)
			if err != nil || len(list) != min(limit, 3) || limit == 3 && (list[0].Position != 7 || list[1].Position != 3 || list[2].Position != 1) {
				t.Errorf("%s: imports up to %d: %+v, %v", how, limit, list, err)
			}
		}
		if list, err := h.Imports(7, 0, 1); err != nil || len(list) != 1 || list[0].Position != 3 {
			t.Errorf("%s: imports before 7: %+v, %v", how, list, err)
		}
		headers, err := h.vault.Headers(0, entry.Event, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.FindImport(headers[0].ID); !errors.Is(err, engine.ErrUnknownImport) {
			t.Errorf("%s: an event is an import: %v", how, err)
		}
		if _, _, err := h.Document(headers[0].ID); !errors.Is(err, engine.ErrUnknownImport) {
			t.Errorf("%s: an event has a document: %v", how, err)
		}
		if s := h.State(); s.Documents() != 3 || s.Position() != 7 || s.Marks() != 1 {
			t.Errorf("%s: %d documents, position %d, %d marks", how, s.Documents(), s.Position(), s.Marks())
		}
		h.close(t)
		if how == "again" {
			if err := fs.Remove("data/checkpoint"); err != nil && !strings.Contains(err.Error(), "not exist") {
				t.Fatal(err)
			}
		}
		h = inForce(t, openVault(t, fs))
	}
	record(tokensOf("y")) // The trail has been read.
	h.wantTrail(t, true, events...)
	h.close(t)
}

// A start records what is in force and has not been recorded, before it is ready; what
// is as always in a vault without a word about it is not recorded.
func TestInForce(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	highest := engine.InForce{Event: rulesOf("highest"), Default: true}
	latest := engine.InForce{Event: rulesOf("latest")}
	nobody := engine.InForce{Event: tokensOf(), Default: true}
	var want []string
	f := func(more []string, settings ...engine.InForce) {
		t.Helper()
		h := inForce(t, openVault(t, fs), settings...)
		want = append(want, more...)
		h.wantTrail(t, false, want...)
		receipt := h.post(t, fmt.Sprintf("t s%d 1 2", len(want)))
		want = append(want, fmt.Sprintf("%d 192.0.2.1 accepted", receipt.Position))
		h.close(t)
	}
	const latestLine = " operator rules done: scoring latest, percent of test, 1073741824 bytes of refused documents kept"
	f(nil, highest, nobody)
	f([]string{"2" + latestLine}, latest, nobody)
	f(nil, latest)
	f([]string{"5" + highestLine, "6 markr tokens done: 1 of tokens: a"}, highest, engine.InForce{Event: tokensOf("a")})
	f([]string{"8 markr tokens done: 0 of tokens"}, highest, nobody)
	f(nil, highest, nobody)

	vault := openVault(t, vfs.NewMem())
	_, err := engine.Open(engine.Options{Log: vault, Intake: registry(t, toy{}), InForce: []engine.InForce{{}}})
	if !errors.Is(err, audit.ErrMalformed) {
		t.Errorf("a setting that is none: %v", err)
	}
	if err := vault.Close(); err != nil {
		t.Error(err)
	}
}

// A full disk keeps nobody from starting and reading. What could not be recorded is in
// front of the first import that is, in the same write.
func TestOwed(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	space := func(bytes uint64) {
		fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: bytes, TotalBytes: 1 << 40})
	}
	reopen := func(settings ...engine.InForce) *house {
		t.Helper()
		vault, err := wal.Open(wal.Options{Dir: "data", FS: fs, FreeBytesMin: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		return inForce(t, vault, settings...)
	}
	space(1 << 30)
	h := reopen()
	h.post(t, "t a 1 2")
	h.close(t)

	space(0)
	h = reopen(engine.InForce{Event: rulesOf("latest")}, engine.InForce{Event: tokensOf("a")})
	h.want(t, "t", "n=1 mean=50 sd=0 min=50 p25=50 p50=50 p75=50 max=50")
	if _, err := h.Import(t.Context(), submission("t b 1 2")); !errors.Is(err, entry.ErrReadOnly) {
		t.Errorf("import on a full disk: %v", err)
	}
	backup := audit.Event{
		Who: audit.Operator, Action: audit.Backup, Outcome: audit.Done,
		Backup: &audit.BackupMade{ID: "some", Position: 1, Taken: fixedClock()},
	}
	for _, event := range []audit.Event{tokensOf("b"), failedTokens("line 1"), backup} {
		if err := h.Record(t.Context(), event); !errors.Is(err, entry.ErrReadOnly) {
			t.Errorf("%v on a full disk: %v", event, err)
		}
	}
	if err := h.Record(t.Context(), tokensOf("b")); err != nil && !errors.Is(err, entry.ErrReadOnly) {
		t.Errorf("once more: %v", err)
	}
	h.wantTrail(t, true)
	if h.Owed() != 5 {
		t.Errorf("%d events are owed", h.Owed())
	}
	// The clock of the vault's look at the disk is the real one, so it is opened anew.
	h.close(t)
	space(1 << 30)
	want := []string{
		"2 operator rules done: scoring latest, percent of test, 1073741824 bytes of refused documents kept", "3 markr tokens done: 1 of tokens: b",
	}
	h = reopen(engine.InForce{Event: rulesOf("latest")}, engine.InForce{Event: tokensOf("b")})
	h.wantTrail(t, true, want...)
	h.close(t)

	var full bool
	vault := openVault(t, fs)
	log := &faultyLog{Vault: vault}
	var groups []string
	log.append = func(entries []*entry.Entry) error {
		if full {
			return fmt.Errorf("append: %w", entry.ErrReadOnly)
		}
		group := ""
		for _, e := range entries {
			group += e.Outcome.String() + " "
		}
		groups = append(groups, group)
		return vault.Append(entries)
	}
	full = true
	h = &house{vault: vault, Engine: start(t, asked(engine.Options{
		Log: log, Intake: registry(t, toy{}), InForce: []engine.InForce{{Event: rulesOf("first")}, {Event: tokensOf("c")}},
	}))}
	if err := h.WaitReady(t.Context()); err != nil || h.Owed() != 2 {
		t.Fatalf("ready: %v, owed %d", err, h.Owed())
	}
	if err := h.Record(t.Context(), backup); !errors.Is(err, entry.ErrReadOnly) || h.Owed() != 3 {
		t.Errorf("a backup of a full disk: %v, owed %d", err, h.Owed())
	}
	full = false
	if r := h.post(t, "t c 1 2"); r.Position != 7 || h.Owed() != 0 || groups[0] != "event event event accepted " {
		t.Errorf("position %d, owed %d, groups %q", r.Position, h.Owed(), groups)
	}
	h.close(t)

	// What is owed when it is closed is tried once more.
	vault = openVault(t, fs)
	log.Vault, full = vault, true
	h = &house{vault: vault, Engine: start(t, asked(engine.Options{
		Log: log, Intake: registry(t, toy{}), InForce: []engine.InForce{{Event: rulesOf("latest")}},
	}))}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	full = false
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if vault.Last() != 8 {
		t.Errorf("last is %d", vault.Last())
	}
	h.close(t)
}

// Whoever waits for a disk that does not answer need not wait for ever; the event is
// seen through.
func TestRecordStalled(t *testing.T) {
	t.Parallel()
	vault := openVault(t, vfs.NewMem())
	log := &faultyLog{Vault: vault}
	entered, proceed := make(chan struct{}), make(chan struct{})
	log.append = func(entries []*entry.Entry) error {
		close(entered)
		<-proceed
		return vault.Append(entries)
	}
	h := &house{vault: vault, Engine: start(t, engine.Options{Log: log, Intake: registry(t, toy{})})}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		cancel()
	}()
	if err := h.Record(ctx, tokensOf("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("while the disk does not answer: %v", err)
	}
	close(proceed)
	h.close(t)
	if vault.Last() != 1 {
		t.Errorf("last is %d", vault.Last())
	}
	if err := h.Record(t.Context(), tokensOf("b")); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("when it is closed: %v", err)
	}
	if err := h.Record(t.Context(), audit.Event{}); !errors.Is(err, audit.ErrMalformed) {
		t.Errorf("no event: %v", err)
	}
}

// What a newer program has recorded may change what counts, so it is not passed over.
func TestUnknownEvents(t *testing.T) {
	t.Parallel()
	codec, err := entry.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	f := func(mediaType, text string, want error) {
		t.Helper()
		fs := vfs.NewMem()
		h := inForce(t, openVault(t, fs))
		h.post(t, "t a 1 2")
		h.close(t)
		vault := openVault(t, fs)
		stored := codec.Seal(entry.Header{Outcome: entry.Event, Received: fixedClock(), Source: "office", MediaType: mediaType}, []byte(text))
		if err := vault.Append([]*entry.Entry{stored}); err != nil {
			t.Fatal(err)
		}
		e := start(t, engine.Options{Log: vault, Intake: registry(t, toy{})})
		if err := e.WaitReady(t.Context()); !errors.Is(err, want) || !strings.Contains(err.Error(), "position 2") {
			t.Errorf("%s: %v", text, err)
		}
		_, err := engine.Verify(t.Context(), engine.VerifyOptions{Log: vault, Replay: registry(t, toy{}), Checkpoints: vault})
		if !errors.Is(err, want) {
			t.Errorf("%s: verified: %v", text, err)
		}
		(&house{Engine: e, vault: vault}).close(t)
	}
	f(audit.MediaType, `{"v":1,"action":"correction","outcome":"done"}`, entry.ErrUnknownVersion)
	f(audit.MediaType, `{"v":2,"action":"rules"}`, entry.ErrUnknownVersion)
	f("application/json", `{}`, entry.ErrUnknownVersion)
	f(audit.MediaType, `{"v":1,"action":"rules","outcome":"done"}`, entry.ErrDamaged)
	f(audit.MediaType, `no event`, entry.ErrDamaged)
}

// More events than are read at a time, with those that tell what is in force behind.
func TestManyEvents(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h := inForce(t, openVault(t, fs), engine.InForce{Event: rulesOf("latest")})
	for i := range 1010 {
		if err := h.Record(t.Context(), tokensOf(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	h.close(t)
	h = inForce(t, openVault(t, fs), engine.InForce{Event: rulesOf("latest")}, engine.InForce{Event: tokensOf("1009")})
	if h.vault.Last() != 1011 || h.State().Documents() != 0 {
		t.Errorf("last is %d, %d documents", h.vault.Last(), h.State().Documents())
	}
	if list, err := h.Imports(0, 0, 10); err != nil || len(list) != 0 {
		t.Errorf("%d imports, %v", len(list), err)
	}
	h.close(t)
}
