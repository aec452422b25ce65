package cohort

// topic keeps the draws for one purpose apart from those for another.
type topic uint64

const (
	topicRescanPlace topic = iota + 1
	topicRescanWhich
	topicRescanFold
	topicFold
	topicFoldExtent
	topicPileStride
	topicPileOffset
	topicScannedOn
	topicTest
	topicQuestion
	topicStudent
	topicSheet
)

// draw is a 64-bit number that depends on the seed, a topic and two numbers, and
// looks drawn. It is what makes every part of a cohort reachable without the parts
// before it.
func (c *Cohort) draw(t topic, a, b int) uint64 {
	h := mix(c.opts.Seed + uint64(t)*0x9e3779b97f4a7c15)
	h = mix(h ^ uint64(a))
	return mix(h ^ uint64(b))
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014), after a step.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below turns a draw into a decision that is true limit times of 2^32.
func below(draw, limit uint64) bool { return draw>>32 < limit }

// normal makes a nearly normal number from 64 random bits: the sum of four
// uniform ones, in thousandths of a standard deviation. Integers keep it the same
// everywhere; the tails end at 3.46 deviations, which no statistic here notices.
func normal(bits uint64) int {
	// The standard deviation of the sum of four uniform 16-bit numbers is
	// 65536 * sqrt(4/12).
	const mean, deviation = 2 * 65535, 37837
	sum := bits&0xffff + bits>>16&0xffff + bits>>32&0xffff + bits>>48
	return (int(sum) - mean) * 1000 / deviation
}
