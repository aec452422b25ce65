package engine_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"markr/engine"
	"markr/wal/entry"
)

// While the disk does not answer, whoever has a place in the queue waits, and those
// who come later are told so instead of waiting, too.
func TestStalledDisk(t *testing.T) {
	t.Parallel()
	const after = 5 * time.Second
	var passed atomic.Int64 // since fixedClock
	vault := openVault(t, vfs.NewMem())
	defer vault.Close()
	begun, answers := make(chan struct{}, 2), make(chan struct{})
	log := &faultyLog{Vault: vault, append: func(entries []*entry.Entry) error {
		begun <- struct{}{}
		<-answers
		return vault.Append(entries)
	}}
	metrics := prometheus.NewPedanticRegistry()
	e := start(t, engine.Options{
		Log: log, Intake: registry(t, toy{}), Registerer: metrics,
		Now: func() time.Time { return fixedClock().Add(time.Duration(passed.Load())) },
	})
	defer e.Close()
	if err := e.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := e.Import(t.Context(), submission("m a 1 2"))
		waiting <- err
	}()
	<-begun
	passed.Store(int64(after) - 1)
	if err := e.Writable(); err != nil {
		t.Errorf("an append that is under way for less than %v is no stall: %v", after, err)
	}
	passed.Store(int64(after))
	if _, err := e.Import(t.Context(), submission("m b 1 2")); !errors.Is(err, engine.ErrStalled) || !errors.Is(e.Writable(), engine.ErrStalled) {
		t.Errorf("Import: %v, Writable: %v, want %v", err, e.Writable(), engine.ErrStalled)
	}
	if _, err := e.Test("m"); !errors.Is(err, engine.ErrUnknownTest) {
		t.Errorf("Test: %v: visible before it is durable", err)
	}
	if value := gauge(t, metrics, "markr_import_stalled"); value != 1 {
		t.Errorf("markr_import_stalled is %v, want 1", value)
	}
	close(answers)
	if err := <-waiting; err != nil {
		t.Errorf("the import that has waited: %v", err)
	}
	if err := e.Writable(); err != nil {
		t.Errorf("the disk answers again: %v", err)
	}
	if value := gauge(t, metrics, "markr_import_stalled"); value != 0 {
		t.Errorf("markr_import_stalled is %v, want 0", value)
	}
	if _, err := e.Import(t.Context(), submission("m b 1 2")); err != nil {
		t.Error(err)
	}
}

// gauge is the value of a gauge.
func gauge(t *testing.T, metrics *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
