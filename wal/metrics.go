package wal

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"markr/wal/entry"
)

// metrics are the vault's figures. Counters and histograms are kept; gauges are
// read from the vault when they are asked for.
type metrics struct {
	vault      *Vault
	registered []prometheus.Collector

	appends        prometheus.Counter
	appendFailures prometheus.Counter
	fsyncDuration  prometheus.Histogram
	batchEntries   prometheus.Histogram
	writtenBytes   prometheus.Counter
	refusedDropped prometheus.Counter
	writeStalls    prometheus.Counter
	diskSlow       prometheus.Counter
	snapshotPause  prometheus.Histogram

	sizeBytes      *prometheus.Desc
	refusedBytes   *prometheus.Desc
	diskFree       *prometheus.Desc
	diskSize       *prometheus.Desc
	l0Files        *prometheus.Desc
	compactionDebt *prometheus.Desc
	memTable       *prometheus.Desc
	snapshots      *prometheus.Desc
	backupTime     *prometheus.Desc
	backupPosition *prometheus.Desc
}

func newMetrics(v *Vault) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: buckets,
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		})
	}
	gauge := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &metrics{
		vault: v,

		appends:        counter("markr_wal_appends_total", "Groups of entries made durable."),
		appendFailures: counter("markr_wal_append_failures_total", "Groups of entries that were not made durable, for whatever reason."),
		fsyncDuration: histogram("markr_wal_fsync_duration_seconds",
			"Time of one synced commit: write to the write-ahead log, fsync, and the wait for both.",
			[]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}),
		batchEntries: histogram("markr_wal_batch_entries", "Entries per group, which share one fsync.",
			prometheus.ExponentialBuckets(1, 2, 11)),
		writtenBytes:   counter("markr_wal_written_bytes_total", "Bytes of all groups made durable, keys included."),
		refusedDropped: counter("markr_wal_refused_dropped_total", "Refused entries dropped to stay under the quota."),
		writeStalls:    counter("markr_pebble_write_stalls_total", "Times that Pebble made writers wait for flushes or compactions."),
		diskSlow:       counter("markr_pebble_disk_slow_total", "Disk operations that took longer than 5 s."),
		snapshotPause: histogram("markr_wal_snapshot_pause_seconds", "How long appends had to wait for a snapshot.",
			[]float64{.01, .1, 1}),

		sizeBytes:      gauge("markr_wal_size_bytes", "Bytes the vault takes on disk."),
		refusedBytes:   gauge("markr_wal_refused_bytes", "Bytes of refused entries kept, as stored."),
		diskFree:       gauge("markr_data_disk_free_bytes", "Free bytes on the disk of the data directory."),
		diskSize:       gauge("markr_data_disk_size_bytes", "Size in bytes of the disk of the data directory."),
		l0Files:        gauge("markr_pebble_l0_files", "Files in the first level of Pebble, not yet merged into the others."),
		compactionDebt: gauge("markr_pebble_compaction_debt_bytes", "Estimate of bytes that Pebble still has to compact."),
		memTable:       gauge("markr_pebble_memtable_bytes", "Bytes in memtables of Pebble."),
		snapshots:      gauge("markr_wal_snapshots", "Snapshots that are held for backups; they keep disk space from becoming free."),
		backupTime:     gauge("markr_backup_last_success_timestamp_seconds", "Unix time of the data in the newest backup; 0 before the first."),
		backupPosition: gauge("markr_backup_last_success_position", "Position up to which the newest backup goes; 0 before the first."),
	}
}

// appended counts a group.
func (m *metrics) appended(g *group) {
	m.appends.Inc()
	m.batchEntries.Observe(float64(len(g.headers)))
	m.writtenBytes.Add(float64(g.batch.Len()))
	m.refusedDropped.Add(float64(g.dropped))
}

// kept are the metrics that have a value of their own.
func (m *metrics) kept() []prometheus.Collector {
	return []prometheus.Collector{
		m.appends, m.appendFailures, m.fsyncDuration, m.batchEntries,
		m.writtenBytes, m.refusedDropped, m.writeStalls, m.diskSlow, m.snapshotPause,
	}
}

// register registers all of them, or none.
func (m *metrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	for _, c := range append(m.kept(), gauges{m}) {
		if err := r.Register(c); err != nil {
			m.unregister(r)
			return fmt.Errorf("register metrics: %w", err)
		}
		m.registered = append(m.registered, c)
	}
	return nil
}

// unregister makes room for the next vault. It takes out only what register has
// put in, because to a registry another vault's metrics are the same.
func (m *metrics) unregister(r prometheus.Registerer) {
	for _, c := range m.registered {
		r.Unregister(c)
	}
	m.registered = nil
}

// gauges reads the vault when it is asked. A closed vault has no figures.
type gauges struct{ *metrics }

// Describe is prometheus.Collector's.
func (g gauges) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		g.sizeBytes, g.refusedBytes, g.diskFree, g.diskSize, g.l0Files, g.compactionDebt, g.memTable,
		g.snapshots, g.backupTime, g.backupPosition,
	} {
		descs <- d
	}
}

// Collect is prometheus.Collector's.
func (g gauges) Collect(values chan<- prometheus.Metric) {
	done, err := g.vault.use()
	if errors.Is(err, entry.ErrClosed) {
		return
	}
	defer done()
	set := func(d *prometheus.Desc, value float64) {
		values <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	m := g.vault.db.Metrics()
	set(g.sizeBytes, float64(m.DiskSpaceUsage()))
	set(g.l0Files, float64(m.Levels[0].TablesCount))
	set(g.compactionDebt, float64(m.Compact.EstimatedDebt))
	set(g.memTable, float64(m.MemTable.Size))
	totals := g.vault.current()
	set(g.refusedBytes, float64(totals.refused.bytes))
	set(g.snapshots, float64(g.vault.snapshots.count()))
	last, taken := g.vault.lastBackup.Load(), int64(0)
	if last == nil {
		last = &lastBackup{}
	} else {
		taken = last.taken.Unix()
	}
	set(g.backupTime, float64(taken))
	set(g.backupPosition, float64(last.position))
	if usage, err := g.vault.disk.space(); err == nil {
		set(g.diskFree, float64(usage.AvailBytes))
		set(g.diskSize, float64(usage.TotalBytes))
	}
}
