package main

// nearest is the candidate that name is most likely a misspelling of, or empty
// when none is near: a wrong suggestion is worse than none.
func nearest(name string, candidates []string) string {
	// A third of the letters may be wrong, and at least two: "srve", "improt".
	best, limit := "", max(2, len(name)/3)
	for _, candidate := range candidates {
		if d := distance(name, candidate); d <= limit && d < max(len(name), len(candidate))-1 {
			best, limit = candidate, d-1
		}
	}
	return best
}

// distance is how many bytes must be inserted, removed, replaced or swapped with
// their neighbour to make b of a (optimal string alignment).
func distance(a, b string) int {
	before := make([]int, len(b)+1) // two rows ago
	above := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := above[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, above[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
