package wal_test

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"markr/wal"
	"markr/wal/entry"
	"markr/wal/waltest"
)

// noise is a document that does not compress, so that its entry's size is known.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return b
}

func stats(tb testing.TB, v *wal.Vault) wal.Stats {
	tb.Helper()
	s, err := v.Stats()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func verified(tb testing.TB, v *wal.Vault) {
	tb.Helper()
	report, err := v.Verify(tb.Context(), nil)
	if err := errors.Join(err, report.Err()); err != nil {
		tb.Errorf("verify: %v", err)
	}
}

// The oldest refused entries go when the quota is reached, whole, and are counted;
// accepted ones stay.
func TestQuota(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	opts := inMemory(fs)
	opts.RefusedBytesMax = 10_000
	registry := prometheus.NewPedanticRegistry()
	opts.Registerer = registry
	v := openVault(t, opts)
	maker := waltest.NewMaker(t)
	var refused []*entry.Entry
	for i := range 30 {
		r := maker.Entry(entry.Refused, noise(uint64(i), 1000))
		if err := v.Append([]*entry.Entry{r, maker.Entry(entry.Accepted, noise(uint64(i), 500))}); err != nil {
			t.Fatal(err)
		}
		refused = append(refused, r)
	}
	s := stats(t, v)
	// A refused entry of 1000 bytes takes less than 1400, all in all.
	if s.Refused.StoredBytes > 10_000 || s.Refused.Entries < 7 || s.Refused.Entries+s.Dropped != 30 ||
		s.Refused.DocumentBytes != 1000*s.Refused.Entries || s.Accepted.Entries != 30 || s.Last != 60 {
		t.Errorf("%+v", s)
	}
	for i, r := range refused {
		_, errAt := v.At(r.Position)
		_, errFind := v.Find(r.ID)
		dropped := uint64(i) < s.Dropped
		if errors.Is(errAt, entry.ErrNotFound) != dropped || errors.Is(errFind, entry.ErrNotFound) != dropped {
			t.Errorf("refused entry %d of %d, %d dropped: %v, %v", i, len(refused), s.Dropped, errAt, errFind)
		}
	}
	if want := refused[s.Dropped-1].Position; s.DroppedThrough != want || v.DroppedThrough() != want {
		t.Errorf("dropped through %d, by the other door %d, want %d", s.DroppedThrough, v.DroppedThrough(), want)
	}
	headers, err := v.Headers(0, entry.Refused, 100)
	if err != nil || uint64(len(headers)) != s.Refused.Entries {
		t.Errorf("%d headers, %v", len(headers), err)
	}
	n := 0
	if err := v.Replay(t.Context(), 1, func(*entry.Entry) error { n++; return nil }); err != nil || n != 30 {
		t.Errorf("replay: %d entries, %v", n, err)
	}
	verified(t, v)
	if got := testutil.ToFloat64(counterNamed(t, registry, "markr_wal_refused_dropped_total")); got != float64(s.Dropped) {
		t.Errorf("counted %v dropped, want %d", got, s.Dropped)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	// The next vault goes on where this one has ended; a smaller quota is reached
	// with the next append.
	opts.RefusedBytesMax = 3000
	opts.Registerer = nil
	v = openVault(t, opts)
	if got := stats(t, v); got.Refused != s.Refused || got.Dropped != s.Dropped || v.DroppedThrough() != s.DroppedThrough {
		t.Errorf("%+v after reopening, %+v before", got, s)
	}
	if err := v.Append(maker.Accepted(5000)); err != nil {
		t.Fatal(err)
	}
	if s = stats(t, v); s.Refused.StoredBytes > 3000 || s.Refused.Entries == 0 {
		t.Errorf("%+v", s)
	}
	verified(t, v)
}

// An entry that alone is over the quota gets its position and is dropped at once.
func TestQuotaSmall(t *testing.T) {
	t.Parallel()
	for _, quota := range []int64{-1, 500} {
		fs := vfs.NewMem()
		opts := inMemory(fs)
		opts.RefusedBytesMax = quota
		v := openVault(t, opts)
		maker := waltest.NewMaker(t)
		group := []*entry.Entry{
			maker.Entry(entry.Accepted, noise(1, 100)),
			maker.Entry(entry.Refused, noise(2, 2000)),
			maker.Entry(entry.Refused, noise(3, 2000)),
		}
		if err := v.Append(group); err != nil {
			t.Fatal(err)
		}
		s := stats(t, v)
		if s.Last != 3 || s.Dropped != 2 || s.DroppedThrough != 3 || s.Refused.Entries != 0 || group[2].Position != 3 {
			t.Errorf("quota %d: %+v", quota, s)
		}
		verified(t, v)
		// The newest entry is one that is gone: that is no damage.
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		v = openVault(t, opts)
		verified(t, v)
		if err := v.Replay(t.Context(), 3, func(*entry.Entry) error { return errors.New("an entry") }); err != nil {
			t.Error(err)
		}
		if err := v.Append(maker.Accepted(7)); err != nil || v.Last() != 4 {
			t.Errorf("last is %d, %v", v.Last(), err)
		}
		verified(t, v)
	}
}

// Below the floor nothing is appended; above it again, all goes on by itself.
func TestDiskFloor(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 2 << 30, TotalBytes: 100 << 30})
	var now atomic.Int64
	opts := inMemory(fs)
	opts.FreeBytesMin = 0 // The default.
	opts.Now = func() time.Time { return time.Unix(1_800_000_000, now.Load()) }
	v := openVault(t, opts)
	maker := waltest.NewMaker(t)
	if err := v.Append(maker.Accepted(1)); err != nil {
		t.Fatal(err)
	}
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1<<30 - 1, TotalBytes: 100 << 30})
	if err := v.Append(maker.Accepted(2)); err != nil {
		t.Errorf("within a second of the last look: %v", err)
	}
	now.Add(int64(time.Second))
	entries := maker.Accepted(3)
	if err := v.Append(entries); !errors.Is(err, entry.ErrReadOnly) {
		t.Errorf("append: %v", err)
	}
	if err := v.Writable(); !errors.Is(err, entry.ErrReadOnly) {
		t.Errorf("writable: %v", err)
	}
	if e, err := v.At(2); err != nil || e.Position != 2 || v.Last() != 2 || entries[0].Position != 0 {
		t.Errorf("reads go on: last is %d, %v", v.Last(), err)
	}
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30, TotalBytes: 100 << 30})
	now.Add(int64(time.Second))
	if err := v.Append(entries); err != nil || v.Last() != 3 {
		t.Errorf("after it has recovered: %v, last is %d", err, v.Last())
	}
	verified(t, v)
}

// Without a floor nothing is asked; a file system that cannot tell for no good
// reason is not written to.
func TestDiskUnknown(t *testing.T) {
	t.Parallel()
	fs := failingUsage{vfs.NewMem()}
	opts := inMemory(fs)
	v := openVault(t, opts)
	if err := v.Append(waltest.NewMaker(t).Accepted(1)); err != nil {
		t.Error(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	opts.FreeBytesMin = 1
	v = openVault(t, opts)
	if err := v.Writable(); !errors.Is(err, entry.ErrReadOnly) || !errors.Is(err, errUsage) {
		t.Errorf("writable: %v", err)
	}
}

var errUsage = errors.New("no idea")

type failingUsage struct{ vfs.FS }

func (failingUsage) GetDiskUsage(string) (vfs.DiskUsage, error) { return vfs.DiskUsage{}, errUsage }
