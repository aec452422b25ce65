package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"markr/engine"
	"markr/engine/intake"
	"markr/engine/scoring"
	"markr/wal"
	"markr/wal/entry"
)

// refuse hands in a document that is refused, as a correction if it corrects something.
func (h *house) refuse(t testing.TB, corrects uuid.UUID, source string, lines ...string) uuid.UUID {
	t.Helper()
	s := submission(lines...)
	s.Corrects, s.Source = corrects, source
	_, err := h.Import(t.Context(), s)
	refusal, ok := errors.AsType[*engine.RefusedError](err)
	if !ok {
		t.Fatalf("%q: %v", lines, err)
	}
	return refusal.ImportID
}

// correct hands in a correction.
func (h *house) correct(t testing.TB, corrects uuid.UUID, lines ...string) (engine.Receipt, error) {
	t.Helper()
	s := submission(lines...)
	s.Corrects = corrects
	return h.Import(t.Context(), s)
}

func (h *house) found(t testing.TB, id uuid.UUID) engine.Import {
	t.Helper()
	one, err := h.FindImport(id)
	if err != nil {
		t.Fatal(err)
	}
	return one
}

// desk is all that is known of refused documents, as text.
func (h *house) desk(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for before := entry.Position(0); ; {
		list, more, err := h.Refused(before, engine.RefusedFilter{}, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			fmt.Fprintf(&b, "%d %s from %q corrects %v, resolved by %d %v\n", one.Position, one.Refusal.Code, one.Source,
				one.Corrects, one.ResolvedBy.Position, one.ResolvedBy.ID)
		}
		if before = more; more == 0 {
			break
		}
	}
	counts, err := h.RefusedCounts(100)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "%+v\n", counts)
	return b.String()
}

// reopen stops the engine and starts it again, from its checkpoint if records says that
// it keeps one, and fails the test if the desk is another one.
func (h *house) reopen(t *testing.T, fs vfs.FS, records int) *house {
	t.Helper()
	want := h.desk(t)
	h.close(t)
	again, _ := openWith(t, fs, scoring.Rule{}, records)
	if got := again.desk(t); got != want {
		t.Errorf("after a restart:\n%s\nwant\n%s", got, want)
	}
	return again
}

func TestCorrection(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h, _ := openWith(t, fs, scoring.Rule{}, 1)
	known := h.post(t, "m a 1 2")
	first := h.refuse(t, uuid.Nil, "here", "m b 1")
	other := h.refuse(t, uuid.Nil, "there", "m c x 2")
	if one := h.found(t, first); one.ResolvedBy.Position != 0 || one.Corrects != uuid.Nil {
		t.Errorf("%+v", one)
	}
	r, err := h.correct(t, first, "m b 1 2")
	if err != nil || r.StudentsAdded != 1 || r.DuplicateOf != uuid.Nil {
		t.Fatalf("%+v, %v", r, err)
	}
	// A document that is known already resolves, too.
	again, err := h.correct(t, other, "m a 1 2")
	if err != nil || again.DuplicateOf != known.ImportID {
		t.Fatalf("%+v, %v", again, err)
	}
	check := func() {
		t.Helper()
		if one := h.found(t, first); one.ResolvedBy.ID != r.ImportID || one.ResolvedBy.Position != r.Position {
			t.Errorf("resolved by %+v, want %v", one.ResolvedBy, r.ImportID)
		}
		if one := h.found(t, r.ImportID); one.Corrects != first || one.Retries != uuid.Nil {
			t.Errorf("%+v", one)
		}
		if one := h.found(t, other); one.ResolvedBy.ID != again.ImportID {
			t.Errorf("resolved by %+v, want %v", one.ResolvedBy, again.ImportID)
		}
		if one := h.found(t, again.ImportID); one.Corrects != other || one.Outcome != entry.Duplicate {
			t.Errorf("%+v", one)
		}
		before := h.State().Position()
		for id, want := range map[uuid.UUID]error{
			first: engine.ErrResolved, r.ImportID: engine.ErrNotRefused, again.ImportID: engine.ErrNotRefused, uuid.New(): engine.ErrUnknownImport,
		} {
			if _, err := h.correct(t, id, "m d 1 2"); !errors.Is(err, want) {
				t.Errorf("correct %v: %v, want %v", id, err, want)
			}
			if _, err := h.Retry(t.Context(), id, "me", nil); !errors.Is(err, want) {
				t.Errorf("retry %v: %v, want %v", id, err, want)
			}
		}
		if h.State().Position() != before {
			t.Error("what corrects nothing was kept")
		}
	}
	check()
	h = h.reopen(t, fs, 1) // from the checkpoint
	check()
	h = h.reopen(t, fs, 1<<40)
	h.close(t)
	h = open(t, fs, scoring.Rule{}) // from the log
	check()
	h.post(t, "m one-more 1 2")
	h.close(t)
}

// A correction that is refused is one more refused document of the same sheets: who
// resolves one of them resolves all.
func TestCorrectionsThatAreRefused(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h, _ := openWith(t, fs, scoring.Rule{}, 1)
	first := h.refuse(t, uuid.Nil, "here", "m b 1")
	second := h.refuse(t, first, "office", "m b 1 ?")
	third := h.refuse(t, second, "office", "m b 1 ??")
	fourth := h.refuse(t, first, "office", "m b 1 ???")
	apart := h.refuse(t, uuid.Nil, "here", "m z 1")
	h = h.reopen(t, fs, 1)
	r, err := h.correct(t, third, "m b 1 2")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []uuid.UUID{first, second, third, fourth} {
		if by := h.found(t, id).ResolvedBy.ID; by != r.ImportID {
			t.Errorf("%v is resolved by %v", id, by)
		}
		if _, err := h.correct(t, id, "m b 2 2"); !errors.Is(err, engine.ErrResolved) {
			t.Errorf("%v: %v", id, err)
		}
	}
	if by := h.found(t, apart).ResolvedBy; by.Position != 0 {
		t.Errorf("another one is resolved by %+v", by)
	}
	if one := h.found(t, third); one.Corrects != second {
		t.Errorf("%+v", one)
	}
	h = h.reopen(t, fs, 1)
	h = h.reopen(t, fs, 1)
	h.close(t)
}

// Of many corrections at once one counts.
func TestCorrectionsAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	id := h.refuse(t, uuid.Nil, "here", "m b 1")
	var all sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		all.Go(func() {
			_, errs[i] = h.correct(t, id, fmt.Sprintf("m s%d 1 2", i))
		})
	}
	all.Wait()
	accepted := 0
	for _, err := range errs {
		switch {
		case err == nil:
			accepted++
		case !errors.Is(err, engine.ErrResolved):
			t.Error(err)
		}
	}
	test, err := h.Test("m")
	if err != nil || accepted != 1 || test.Count() != 1 {
		t.Errorf("%d accepted, %v", accepted, err)
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	vault := openVault(t, fs)
	strict := &house{vault: vault, Engine: start(t, engine.Options{Log: vault, Intake: registry(t, stricter{})})}
	if err := strict.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := strict.refuse(t, uuid.Nil, "scanner", "m secret-student 1 2")
	_, err := strict.Retry(t.Context(), id, "office", nil)
	refusal, ok := errors.AsType[*engine.RefusedError](err)
	if !ok || refusal.ImportID != id || refusal.Position != 1 || refusal.Document.Reason != "is not liked any more" {
		t.Fatalf("retry: %v", err)
	}
	if p := strict.State().Position(); p != 1 {
		t.Errorf("something was stored: position %d", p)
	}
	// It can be tried again, which a claim that was not given back would prevent.
	if _, err := strict.Retry(t.Context(), id, "office", nil); errors.Is(err, engine.ErrResolved) {
		t.Error(err)
	}
	strict.close(t)

	metrics := prometheus.NewPedanticRegistry()
	vault = openVault(t, fs)
	h := &house{vault: vault, Engine: start(t, engine.Options{Log: vault, Intake: registry(t, toy{}), Registerer: metrics})}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := h.Retry(t.Context(), id, "office", nil)
	if err != nil || r.StudentsAdded != 1 || r.Position != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	h.want(t, "m", "n=1 mean=50 sd=0 min=50 p25=50 p50=50 p75=50 max=50")
	const want = `
# HELP markr_import_refused_resolved_total Refused documents that were resolved, by how.
# TYPE markr_import_refused_resolved_total counter
markr_import_refused_resolved_total{how="correction"} 0
markr_import_refused_resolved_total{how="retry"} 1
`
	if err := testutil.GatherAndCompare(metrics, strings.NewReader(want), "markr_import_refused_resolved_total"); err != nil {
		t.Error(err)
	}
	h = h.reopen(t, fs, 1)
	one, retried := h.found(t, id), h.found(t, r.ImportID)
	if one.ResolvedBy.ID != r.ImportID || retried.Retries != id || retried.Corrects != uuid.Nil || retried.Source != "office" ||
		retried.Digest != one.Digest || retried.MediaType != one.MediaType {
		t.Errorf("%+v\n%+v", one, retried)
	}
	h.close(t)
}

func TestRefusedFilters(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), scoring.Rule{})
	defer h.close(t)
	long := strings.Repeat("l", 300) // Not counted by name.
	var ids []uuid.UUID
	for i := range 60 {
		line := "m b 1"
		if i%3 == 0 {
			line = "m b x 2"
		}
		ids = append(ids, h.refuse(t, uuid.Nil, []string{"here", "there", long, long + "2"}[i%4], line))
	}
	for i := range 10 {
		if _, err := h.correct(t, ids[i], fmt.Sprintf("m s%d 1 2", i)); err != nil {
			t.Fatal(err)
		}
	}
	yes, no := true, false
	text := func(s string) *string { return &s }
	for _, test := range []struct {
		filter engine.RefusedFilter
		want   func(i int) bool
	}{
		{engine.RefusedFilter{}, func(int) bool { return true }},
		{engine.RefusedFilter{Code: intake.CodeInvalidValue}, func(i int) bool { return i%3 == 0 }},
		{engine.RefusedFilter{Code: intake.CodeTooDeep}, func(int) bool { return false }},
		{engine.RefusedFilter{Source: text("there")}, func(i int) bool { return i%4 == 1 }},
		{engine.RefusedFilter{Source: &long}, func(i int) bool { return i%4 == 2 }},
		{engine.RefusedFilter{Source: text("nobody")}, func(int) bool { return false }},
		{engine.RefusedFilter{Resolved: &yes}, func(i int) bool { return i < 10 }},
		{engine.RefusedFilter{Resolved: &no, Code: intake.CodeMissingField, Source: text("here")}, func(i int) bool { return i >= 10 && i%3 != 0 && i%4 == 0 }},
	} {
		var want, got []uuid.UUID
		for i, id := range slices.Backward(ids) {
			if test.want(i) {
				want = append(want, id)
			}
		}
		for before := entry.Position(0); ; {
			list, more, err := h.Refused(before, test.filter, 4)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range list {
				got = append(got, one.ID)
			}
			if before = more; more == 0 {
				break
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v: %d imports, want %d", test.filter, len(got), len(want))
		}
	}
	counts, err := h.RefusedCounts(1)
	if got := fmt.Sprintf("%+v", counts); err != nil || got != "{Kept:60 Unresolved:50 "+
		"ByCode:[{Name:missing_field Kept:40 Unresolved:34} {Name:invalid_value Kept:20 Unresolved:16}] "+
		"BySource:[{Name:here Kept:15 Unresolved:12}] OtherSources:{Name: Kept:45 Unresolved:38}}" {
		t.Errorf("%s, %v", got, err)
	}
}

// Random refusals, corrections, duplicates and restarts, under a quota that drops: what
// is known is what the log says, whatever it was read from.
func TestRefusedModel(t *testing.T) {
	t.Parallel()
	random := newRandom(t)
	fs := vfs.NewMem()
	reopen := func() *house {
		vault, err := wal.Open(wal.Options{Dir: "data", FS: fs, FreeBytesMin: -1, RefusedBytesMax: 12_000})
		if err != nil {
			t.Fatal(err)
		}
		h := &house{vault: vault}
		opts := engine.Options{Log: vault, Intake: registry(t, toy{})}
		if random.IntN(3) > 0 {
			opts.Checkpoints, opts.CheckpointRecords = vault, 1+random.IntN(300)
		}
		h.Engine = start(t, opts)
		if err := h.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		return h
	}
	h := reopen()
	var ids []uuid.UUID
	dropped := false
	for i := range 1500 {
		some := func() uuid.UUID {
			if len(ids) == 0 {
				return uuid.Nil
			}
			return ids[max(0, len(ids)-1-random.IntN(60))]
		}
		switch n := random.IntN(100); {
		case n < 3:
			want := h.desk(t)
			h.close(t)
			h = reopen()
			if got := h.desk(t); got != want {
				t.Fatalf("step %d, after a restart:\n%s\nwant\n%s", i, got, want)
			}
		case n < 40:
			ids = append(ids, h.refuse(t, uuid.Nil, fmt.Sprint("s", random.IntN(9)), fmt.Sprintf("m %d", i)))
		default:
			line := []string{fmt.Sprintf("m s%d 1 2", i), "m again 1 2", "refused"}[random.IntN(3)]
			_, err := h.correct(t, some(), line)
			refusal, refused := errors.AsType[*engine.RefusedError](err)
			switch {
			case refused:
				ids = append(ids, refusal.ImportID)
			case errors.Is(err, engine.ErrUnknownImport):
				dropped = true
			case err != nil && !errors.Is(err, engine.ErrResolved):
				t.Fatal(err)
			}
		}
		if i%50 == 0 {
			h.matchesLog(t)
		}
	}
	h.matchesLog(t)
	if !dropped {
		t.Error("nothing was dropped")
	}
	h.close(t)
}

// A reprocess that is committed changes nothing of what is known of refused documents:
// not at once, not after a restart from the checkpoint of the new book, and not after one
// from the log, where a checkpoint of the old book is no use.
func TestRefusalsOutliveReprocess(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	h, _ := openWith(t, fs, scoring.Rule{}, 20)
	var left []uuid.UUID
	some := func(name string) {
		t.Helper()
		for i := range 10 {
			resolved := h.refuse(t, uuid.Nil, name, fmt.Sprintf("m %s%d 1", name, i))
			if _, err := h.correct(t, resolved, fmt.Sprintf("m %s%d %d 9", name, i, i)); err != nil {
				t.Fatal(err)
			}
			h.post(t, fmt.Sprintf("m %s%d 9 9", name, i))
			kept := h.refuse(t, uuid.Nil, "other "+name, fmt.Sprintf("m %s%d x 2", name, i))
			left = append(left, kept, h.refuse(t, kept, name, "chained"))
		}
	}
	some("early")
	h.close(t) // Their checkpoint is under the rule of now.
	vault := openVault(t, fs)
	log := &faultyLog{Vault: vault}
	h = &house{vault: vault, Engine: start(t, engine.Options{
		Log: log, Checkpoints: vault, CheckpointRecords: 20, Intake: registry(t, toy{}),
	})}
	if err := h.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	some("behind")
	r := h.reprocess(t, scoring.Rule{Policy: scoring.First})
	some("meanwhile")
	// What was refused before it is resolved beside it.
	if _, err := h.correct(t, left[0], "m late 1 2"); err != nil {
		t.Fatal(err)
	}
	before := h.desk(t)
	var killed vfs.FS // Before anything else than the event is on disk.
	log.append = func(entries []*entry.Entry) error {
		err := vault.Append(entries)
		killed = copied(t, fs)
		return err
	}
	h.commit(t, r, engine.CommitOptions{})
	if got := h.desk(t); got != before {
		t.Errorf("after the commit:\n%s\nwant\n%s", got, before)
	}
	want := h.encoded(t)
	same := func(when string, h *house) {
		t.Helper()
		h.matchesLog(t)
		if got := h.desk(t); got != before || !bytes.Equal(h.encoded(t), want) {
			t.Errorf("%s:\n%s\nwant\n%s", when, got, before)
		}
		// Claims and chains are there: one correction resolves both, and is the last one.
		if _, err := h.correct(t, left[3], "m resolved 1 2"); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		for _, id := range []uuid.UUID{left[0], left[1], left[2], left[3]} {
			if _, err := h.correct(t, id, "m again 1 2"); !errors.Is(err, engine.ErrResolved) {
				t.Errorf("%s: corrected once more: %v", when, err)
			}
		}
		h.close(t)
	}
	h.close(t)
	for what, disk := range map[string]vfs.FS{"killed in the commit": killed, "stopped": fs} {
		for _, records := range []int{20, 0} { // 0: from the log alone.
			again := copied(t, disk)
			var h *house
			if records > 0 {
				h, _ = openWith(t, again, scoring.Rule{}, records)
				if failed := h.Progress().CheckpointErr != nil; failed != (what != "stopped") {
					t.Errorf("%s: the checkpoint: %v", what, h.Progress().CheckpointErr)
				}
			} else {
				h = open(t, again, scoring.Rule{})
			}
			same(what, h)
		}
	}
}

// matchesLog compares the list of refused imports with the log's headers.
func (h *house) matchesLog(t *testing.T) {
	t.Helper()
	headers, err := h.vault.Headers(0, entry.Refused, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	list, more, err := h.Refused(0, engine.RefusedFilter{}, len(headers)+1)
	if err != nil || more != 0 || len(list) != len(headers) {
		t.Fatalf("%d refused imports and more before %d, the log has %d; %v", len(list), more, len(headers), err)
	}
	counts, err := h.RefusedCounts(1000)
	if err != nil {
		t.Fatal(err)
	}
	byCode, bySource, unresolved := make(map[string]int), make(map[string]int), 0
	for i, one := range list {
		if one.ID != headers[i].ID {
			t.Fatalf("import %v, the log has %v", one.ID, headers[i].ID)
		}
		byCode[string(one.Refusal.Code)]++
		bySource[one.Source]++
		if one.ResolvedBy.Position == 0 {
			unresolved++
		}
	}
	if counts.Kept != len(list) || counts.Unresolved != unresolved || len(counts.ByCode) != len(byCode) || len(counts.BySource) != len(bySource) {
		t.Errorf("%+v; %v %v, %d unresolved", counts, byCode, bySource, unresolved)
	}
	for _, one := range counts.ByCode {
		if one.Kept != byCode[one.Name] {
			t.Errorf("%+v, want %d", one, byCode[one.Name])
		}
	}
	for _, one := range counts.BySource {
		if one.Kept != bySource[one.Name] {
			t.Errorf("%+v, want %d", one, bySource[one.Name])
		}
	}
}
