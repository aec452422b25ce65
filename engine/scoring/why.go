package scoring

import "fmt"

// Why says why a scan is kept that others were compared with, as the end of a
// sentence.
func (p Policy) Why() string {
	switch p {
	case Highest:
		return "has the most marks obtained"
	case MostComplete:
		return "has the most marks available, and of those the most obtained"
	case Latest:
		return "was scanned last"
	case First:
		return "arrived first"
	}
	return "is kept"
}

// WhyNot says why the other scan is not kept, as the end of a sentence. It agrees with
// Better: it is about the first thing in which the two differ.
func (p Policy) WhyNot(kept, other Scan) string {
	switch {
	case p == MostComplete && kept.Available != other.Available:
		return fmt.Sprintf("has %v marks available, the kept one %v", other.Available, kept.Available)
	case (p == Highest || p == MostComplete) && kept.Obtained != other.Obtained:
		return fmt.Sprintf("has %v marks obtained, the kept one %v", other.Obtained, kept.Obtained)
	case p == Latest && kept.ScannedOn != other.ScannedOn:
		return "was scanned before the kept one, or does not say when"
	case p == Latest:
		return "was scanned when the kept one was, and arrived before it"
	case p == First:
		return "arrived after the kept one"
	}
	return "has the same marks as the kept one, and arrived after it"
}
