package main

import (
	"math"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"markr/httpapi"
)

// inFlightShare is the part of the memory limit that documents under way may
// hold. The rest is for the marks, Pebble's caches and garbage not yet collected.
const inFlightShare = 4

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

// fit sizes what was left to be sized by memory. One document of the greatest
// size always fits in, however little memory there is.
func (o *serveOptions) fit(memoryLimit int64) {
	if o.limits.BytesInFlightMax == 0 && memoryLimit > 0 {
		o.limits.BytesInFlightMax = max(o.limits.DecodedBytesMax, min(memoryLimit/inFlightShare, httpapi.BytesInFlightMaxDefault))
	}
}
