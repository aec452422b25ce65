package access

// StrikesMax is how many addresses are remembered.
const StrikesMax = strikesMax

// Remembered is how many addresses failed attempts are remembered of.
func (g *Guard) Remembered() int {
	g.strikes.mu.Lock()
	defer g.strikes.mu.Unlock()
	return len(g.strikes.mu.due)
}
