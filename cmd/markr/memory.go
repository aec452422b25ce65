package main

import (
	"math"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// limitMemory makes the garbage collector aim at a share of the memory that this
// process may use, and returns the limit in bytes, 0 when there is none. A
// GOMEMLIMIT in the environment wins.
func limitMemory(ratio float64) (int64, error) {
	if ratio == 0 {
		return 0, nil
	}
	limit, err := memlimit.Set(memlimit.WithRatio(ratio),
		memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)))
	if err != nil || limit == math.MaxInt64 {
		return 0, err
	}
	return limit, nil
}
