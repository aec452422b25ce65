package wal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"markr/wal"
	"markr/wal/entry"
	"markr/wal/waltest"
)

// gathered is one gathering; a registry that is pedantic finds what is
// inconsistent.
func gathered(tb testing.TB, registry *prometheus.Registry) map[string]*dto.MetricFamily {
	tb.Helper()
	families, err := registry.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	byName := map[string]*dto.MetricFamily{}
	for _, f := range families {
		byName[f.GetName()] = f
	}
	return byName
}

// counterNamed makes a collector of the one counter with a name.
func counterNamed(tb testing.TB, registry *prometheus.Registry, name string) prometheus.Collector {
	tb.Helper()
	f := gathered(tb, registry)[name]
	if f == nil {
		tb.Fatalf("there is no %s", name)
	}
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "c"})
	c.Add(f.GetMetric()[0].GetCounter().GetValue())
	return c
}

// The names are what dashboards and alerts are made of. All of them are there from
// the start.
func TestMetricNames(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	fs := vfs.NewMem()
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 5, TotalBytes: 7})
	opts := inMemory(fs)
	opts.Registerer = registry
	openVault(t, opts)
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) != 0 {
		t.Errorf("%v, %v", problems, err)
	}
	var names []string
	for name, f := range gathered(t, registry) {
		names = append(names, name+" "+strings.ToLower(f.GetType().String()))
		if len(f.GetMetric()) != 1 || len(f.GetMetric()[0].GetLabel()) != 0 {
			t.Errorf("%s has labels", name)
		}
	}
	slices.Sort(names)
	want := []string{
		"markr_backup_last_success_position gauge",
		"markr_backup_last_success_timestamp_seconds gauge",
		"markr_data_disk_free_bytes gauge",
		"markr_data_disk_size_bytes gauge",
		"markr_pebble_compaction_debt_bytes gauge",
		"markr_pebble_disk_slow_total counter",
		"markr_pebble_l0_files gauge",
		"markr_pebble_memtable_bytes gauge",
		"markr_pebble_write_stalls_total counter",
		"markr_wal_append_failures_total counter",
		"markr_wal_appends_total counter",
		"markr_wal_batch_entries histogram",
		"markr_wal_fsync_duration_seconds histogram",
		"markr_wal_refused_bytes gauge",
		"markr_wal_refused_dropped_total counter",
		"markr_wal_size_bytes gauge",
		"markr_wal_snapshot_pause_seconds histogram",
		"markr_wal_snapshots gauge",
		"markr_wal_written_bytes_total counter",
	}
	if !slices.Equal(names, want) {
		t.Errorf("%s", strings.Join(names, "\n"))
	}
}

func TestMetricValues(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	fs := vfs.NewMem()
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 5, TotalBytes: 7})
	opts := inMemory(fs)
	opts.Registerer = registry
	v := openVault(t, opts)
	maker := waltest.NewMaker(t)
	if err := v.Append(maker.Accepted(1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	if err := v.Append(maker.Refused(4)); err != nil {
		t.Fatal(err)
	}
	if err := v.Append([]*entry.Entry{{}}); err == nil {
		t.Fatal("appended an empty entry")
	}
	got := gathered(t, registry)
	f := func(name string, low, high float64) {
		t.Helper()
		m := got[name].GetMetric()[0]
		// One of them is there.
		value := m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
		if value < low || value > high {
			t.Errorf("%s is %v, want %v to %v", name, value, low, high)
		}
	}
	f("markr_wal_appends_total", 2, 2)
	f("markr_wal_append_failures_total", 1, 1)
	f("markr_wal_batch_entries", 4, 4)
	f("markr_wal_written_bytes_total", 800, 10_000)
	f("markr_wal_size_bytes", 1, 1<<20)
	f("markr_wal_refused_bytes", 200, 1000)
	f("markr_wal_fsync_duration_seconds", 1e-9, 10)
	f("markr_data_disk_free_bytes", 5, 5)
	f("markr_data_disk_size_bytes", 7, 7)
	f("markr_pebble_memtable_bytes", 1, 1<<20)
	h := got["markr_wal_fsync_duration_seconds"].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 2 || len(h.GetBucket()) != 14 || h.GetSchema() == 0 {
		t.Errorf("fsync: %v", h)
	}

	// After Close there is nothing to ask, and the next vault may register.
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if left := gathered(t, registry); len(left) != 0 {
		t.Errorf("left after close: %v", left)
	}
	openVault(t, opts)
}

// A registerer that already has such metrics is an error, not a panic, and the
// directory is free again afterwards.
func TestMetricsTwice(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	one, other := inMemory(vfs.NewMem()), inMemory(vfs.NewMem())
	one.Registerer, other.Registerer = registry, registry
	openVault(t, one)
	if _, err := wal.Open(other); err == nil {
		t.Fatal("registered twice")
	}
	if left := gathered(t, registry); len(left) != 17 { // There are no figures of the disk.
		t.Errorf("%d metrics of the first vault are left", len(left))
	}
	other.Registerer = nil
	openVault(t, other)
}
