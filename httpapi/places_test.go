package httpapi_test

import (
	"testing"
	"testing/synctest"
	"time"

	"markr/httpapi"
)

// TestPlacesWeigh: small documents have a place each, long ones as many as make the bytes,
// and a few at least however long they are.
func TestPlacesWeigh(t *testing.T) {
	t.Parallel()
	const number, bytes = 64, 64 << 10
	for _, c := range []struct {
		documentBytes int64
		want          int
	}{
		{0, number}, {1, number}, {1 << 10, number}, {4 << 10, 16}, {8 << 10, httpapi.PlacesMin}, {1 << 30, httpapi.PlacesMin},
	} {
		p := httpapi.NewPlaces(number, bytes, 0)
		var taken []int64
		for place := p.Enter(c.documentBytes); place > 0; place = p.Enter(c.documentBytes) {
			taken = append(taken, place)
		}
		if len(taken) != c.want {
			t.Errorf("%d documents of %d bytes have a place, not %d", len(taken), c.documentBytes, c.want)
		}
		for _, place := range taken {
			p.Leave(place)
		}
		for range number {
			if p.Enter(0) == 0 {
				t.Fatalf("places of %d bytes are not given back whole", c.documentBytes)
			}
		}
	}
}

// TestPlacesAfterAStall: whoever waits in vain, alone, says that waiting is hopeless, which
// is believed for a second; then the next may try, and gets a place that becomes free.
func TestPlacesAfterAStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const wait = 100 * time.Millisecond
		p := httpapi.NewPlaces(1, 1, wait)
		stalled := p.Enter(1)
		if p.Full() {
			t.Error("hopeless before anybody has waited")
		}
		if p.Enter(1) != 0 {
			t.Fatal("two have the one place")
		}
		if began := time.Now(); !p.Full() || p.Enter(1) != 0 || time.Since(began) > 0 {
			t.Error("the next waited as well")
		}
		time.Sleep(httpapi.PaceKept + time.Millisecond) // Of the bubble's clock.
		if p.Full() {
			t.Error("still hopeless, of which nobody can know")
		}
		freed := make(chan struct{})
		go func() {
			defer close(freed)
			time.Sleep(wait / 2)
			p.Leave(stalled)
		}()
		if p.Enter(1) == 0 {
			t.Error("no place, though one became free")
		}
		<-freed
		if p.Full() {
			t.Error("hopeless after a wait that was not in vain")
		}
	})
}
