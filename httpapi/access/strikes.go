package access

import (
	"net/netip"
	"sync"
	"time"
)

// Limits on failed attempts. Tokens cannot be guessed; this bounds what somebody
// who tries costs in work and log lines.
const (
	// StrikesAtOnce is how many attempts of one address may fail in a row.
	StrikesAtOnce = 20
	// StrikeInterval is how long it takes until one more may.
	StrikeInterval = 3 * time.Second
	// strikesMax is how many addresses are remembered: half a megabyte.
	strikesMax = 8192
	// ipv6NetworkBits is what one customer has of IPv6 at the least.
	ipv6NetworkBits = 64
)

// strikes counts failed attempts by address.
type strikes struct {
	mu struct {
		sync.Mutex
		// due is, by address, when its attempts so far would have failed
		// StrikeInterval apart.
		due   map[netip.Prefix]time.Time
		swept time.Time
	}
}

// add counts a failed attempt, or says how long until another one is looked at.
func (s *strikes) add(address netip.Addr, now time.Time) (wait time.Duration) {
	who := networkOf(address)
	s.mu.Lock()
	defer s.mu.Unlock()
	due, known := s.mu.due[who]
	if !known && !s.hasRoomLocked(now) {
		return 0 // A flood from everywhere; there is nothing to guess.
	}
	if due.Before(now) {
		due = now
	}
	due = due.Add(StrikeInterval)
	if wait := due.Sub(now) - StrikesAtOnce*StrikeInterval; wait > 0 {
		return wait
	}
	if s.mu.due == nil {
		s.mu.due = make(map[netip.Prefix]time.Time)
	}
	s.mu.due[who] = due
	return 0
}

// hasRoomLocked says whether one more address can be remembered. When it is full,
// those that are over are forgotten, at most once in a StrikeInterval.
func (s *strikes) hasRoomLocked(now time.Time) bool {
	if len(s.mu.due) < strikesMax {
		return true
	}
	if now.Sub(s.mu.swept) < StrikeInterval {
		return false
	}
	s.mu.swept = now
	for who, due := range s.mu.due {
		if !due.After(now) {
			delete(s.mu.due, who)
		}
	}
	return len(s.mu.due) < strikesMax
}

// networkOf is what attempts are counted by: an IPv4 address, or an IPv6 network.
func networkOf(address netip.Addr) netip.Prefix {
	bits := address.BitLen()
	if address.Is6() {
		bits = ipv6NetworkBits
	}
	network, err := address.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{} // No address: all of those together.
	}
	return network
}
