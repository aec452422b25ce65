package engine

import (
	"slices"
	"sync"
	"time"

	"markr/engine/exam"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// How many past rolls are kept, and for how long after they were last asked for: whoever
// reads one page by page comes again within seconds, and each holds as much as its test.
const (
	rollsKept = 2
	rollKept  = time.Minute
)

// rolls are the past rolls that somebody is reading page by page.
type rolls struct {
	mu struct {
		sync.Mutex

		kept   []keptRoll // the latest asked for is the last
		forget *time.Timer
	}
}

// rollKey is what a past roll depends on.
type rollKey struct {
	test   exam.TestID
	at     entry.Position
	rule   scoring.Rule
	ruleAt entry.Position
}

type keptRoll struct {
	key  rollKey
	roll *Roll
}

// key is that of the same test's roll at a position, under the same rule.
func (r *Roll) key(at entry.Position) rollKey {
	return rollKey{r.Test.ID, at, r.inForce.Rule, r.inForce.Position}
}

// get is a past roll: a kept one, or else what its maker makes.
func (k *rolls) get(key rollKey, made func() (*Roll, error)) (*Roll, error) {
	if roll := k.touch(key, nil); roll != nil {
		return roll, nil
	}
	// Two at once both make it, and get the same.
	roll, err := made()
	if err != nil {
		return nil, err
	}
	return k.touch(roll.key(roll.Position), roll), nil
}

// touch keeps a roll for another while, and returns it: the one that is kept, or else
// made, which may be nil.
func (k *rolls) touch(key rollKey, made *Roll) *Roll {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := slices.IndexFunc(k.mu.kept, func(r keptRoll) bool { return r.key == key }); i >= 0 {
		made = k.mu.kept[i].roll
		k.mu.kept = slices.Delete(k.mu.kept, i, i+1)
	}
	if made == nil {
		return nil
	}
	if len(k.mu.kept) == rollsKept {
		k.mu.kept = slices.Delete(k.mu.kept, 0, 1)
	}
	k.mu.kept = append(k.mu.kept, keptRoll{key, made})
	if k.mu.forget == nil {
		k.mu.forget = time.AfterFunc(rollKept, k.drop)
	} else {
		k.mu.forget.Reset(rollKept)
	}
	return made
}

// drop lets go of all.
func (k *rolls) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.mu.kept)
	k.mu.kept = k.mu.kept[:0]
}
