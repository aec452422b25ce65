package httpapi

import (
	"sync"
	"time"

	"markr/engine"
	"markr/engine/exam"
	"markr/engine/summary"
	"markr/wal/entry"
)

// Bounds of the feed.
const (
	// feedInterval is the length of a beat. In each an event of one kind about one test
	// is sent once at most, the first one at once.
	feedInterval = 100 * time.Millisecond
	// feedStreams is for how many streams a beat is that short. With up to twice as many
	// it is twice as long, and so on up to feedIntervalMax, so that the streams of busy
	// tests, however many there are, take some 5 000 writes a second and no more.
	feedStreams     = 500
	feedIntervalMax = time.Second
	// feedScoresMax is up to how many distinct scores are told, some 24 KB; who wants
	// more asks for a histogram.
	feedScoresMax = 2000
)

// The feed tells subscribers what has changed. One goroutine follows the engine while
// there are subscribers; without any it costs nothing.
//
//  1. The committer leaves a note of what is visible in a [engine.Watch]. It never waits.
//  2. The goroutine takes the notes, and marks the topics that somebody has subscribed to.
//  3. Time is cut into beats, the same for everything that is told. What
//     is marked and was not told of in this beat is written once, for all of its
//     subscribers. The rest is told when the next beat begins, so that what is busy is
//     told together.
//  4. Each subscriber is handed all that a look at the feed has for it, and woken once.
//     Its connection sends what waits for it. Who is a megabyte behind is told so and
//     dropped.
type feed struct {
	server *Server
	wake   chan struct{} // a subscriber has left, or the feed ends
	began  time.Time     // where the first beat begins
	mu     struct {
		sync.Mutex

		subscribers map[*subscriber]struct{}
		topics      map[exam.TestID]*topic
		due         map[*topic]struct{} // those that are marked
		served      []*subscriber       // those that something is told to
		totals      pace
		imports     pace
		arrived     engine.Changes // what imports will tell
		told        entry.Position // up to which arrivals have been told
		watch       *engine.Watch  // nil while nobody is subscribed
		ended       bool
	}
}

// A topic is a test that somebody has subscribed to.
type topic struct {
	test        exam.TestID
	subscribers map[*subscriber]struct{}
	pace        pace
	// What was told last: who subscribes begins with it, so that changes add up.
	view   *engine.Test // nil: the test is unknown
	shown  entry.Position
	counts []summary.Count
	listed bool // counts are all there are
}

// pace keeps events of one kind apart.
type pace struct {
	marked bool
	next   time.Time // not before
}

// due says whether it is time to tell; if so, it is again when the next beat begins.
func (p *pace) due(now, next time.Time) bool {
	if !p.marked || now.Before(p.next) {
		return false
	}
	p.marked, p.next = false, next
	return true
}

// nextBeat is when the beat after now begins, if the first one began at began, with so
// many streams.
func nextBeat(now, began time.Time, streams int) time.Time {
	beat := feedInterval * time.Duration(max(1, (streams+feedStreams-1)/feedStreams))
	beat = min(beat, feedIntervalMax)
	// By differences, which a clock that is set does not touch.
	return now.Add(beat - now.Sub(began)%beat)
}

func newFeed(s *Server) *feed {
	f := &feed{server: s, wake: make(chan struct{}, 1), began: s.now()}
	f.mu.subscribers = make(map[*subscriber]struct{})
	f.mu.topics = make(map[exam.TestID]*topic)
	f.mu.due = make(map[*topic]struct{})
	return f
}

// subscribe makes a stream that begins with how things stand, and after that with the
// imports since a position, if that is not 0. The error is that of an engine that is not
// ready, or errSubscribers, or errStopping.
func (f *feed) subscribe(tests []exam.TestID, since entry.Position) (*subscriber, error) {
	sub := newSubscriber(f)
	first, through, err := f.join(sub, tests)
	if err != nil {
		return nil, err
	}
	if since > 0 && since < through {
		missed, err := f.missed(since, through)
		if err != nil {
			f.leave(sub)
			return nil, err
		}
		first = append(first, missed...)
	}
	sub.begin(first)
	return sub, nil
}

// join lets a subscriber in, and returns how things stand and the position through
// which no import will be told to it.
func (f *feed) join(sub *subscriber, tests []exam.TestID) (first []byte, through entry.Position, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch limit := f.server.limits.SubscribersMax; {
	case f.mu.ended:
		return nil, 0, errStopping
	case len(f.mu.subscribers) >= limit:
		return nil, 0, errSubscribers(limit)
	}
	if err := f.startLocked(); err != nil {
		return nil, 0, err
	}
	state := f.gatherLocked()
	if len(f.mu.subscribers) == 0 {
		f.toldLocked() // to nobody: what has been missed is read from the vault
	}
	first = append([]byte(retryFrame), totalsFrame(state)...)
	for _, id := range tests {
		t := f.topicLocked(id, state)
		t.subscribers[sub] = struct{}{}
		sub.topics = append(sub.topics, t)
		first = append(first, t.whole()...)
	}
	f.mu.subscribers[sub] = struct{}{}
	f.server.metrics.subscribers.Inc()
	return first, f.mu.told, nil
}

// startLocked begins to follow the engine.
func (f *feed) startLocked() error {
	if f.mu.watch != nil {
		return nil
	}
	watch, err := f.server.engine.Watch()
	if err != nil {
		return err
	}
	f.mu.watch, f.mu.told = watch, f.server.engine.State().Position()
	go f.follow(watch)
	return nil
}

// follow is the goroutine. It ends when nobody is subscribed.
func (f *feed) follow(watch *engine.Watch) {
	defer watch.Close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-watch.Changed():
		case <-f.wake:
		case <-timer.C:
		}
		wait, going := f.step(f.server.now())
		if !going {
			return
		}
		if wait > 0 {
			timer.Reset(wait)
		}
	}
}

// step takes what is new, tells what is due, and says how long to wait for the next
// that is, 0 if there is none.
func (f *feed) step(now time.Time) (wait time.Duration, going bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.mu.subscribers) == 0 {
		f.mu.watch, f.mu.arrived = nil, engine.Changes{}
		f.mu.totals, f.mu.imports = pace{}, pace{}
		return 0, false
	}
	state := f.gatherLocked()
	f.tellLocked(state, now)
	soonest := time.Time{}
	for _, p := range f.waitingLocked() {
		if soonest.IsZero() || p.next.Before(soonest) {
			soonest = p.next
		}
	}
	if soonest.IsZero() {
		return 0, true
	}
	return max(soonest.Sub(now), time.Microsecond), true
}

// waitingLocked are the paces of what is marked and was not due.
func (f *feed) waitingLocked() []*pace {
	var waiting []*pace
	for _, p := range []*pace{&f.mu.totals, &f.mu.imports} {
		if p.marked {
			waiting = append(waiting, p)
		}
	}
	for t := range f.mu.due {
		waiting = append(waiting, &t.pace)
	}
	return waiting
}

// gatherLocked takes the engine's notes and marks what they are about.
func (f *feed) gatherLocked() *engine.State {
	changes, state := f.mu.watch.Take()
	if !changes.Any() {
		return state
	}
	f.mu.totals.marked = true
	for id := range changes.Tests {
		if t := f.mu.topics[id]; t != nil {
			t.pace.marked = true
			f.mu.due[t] = struct{}{}
		}
	}
	if changes.All {
		for _, t := range f.mu.topics {
			t.pace.marked = true
			f.mu.due[t] = struct{}{}
		}
	}
	if len(changes.Arrivals) > 0 {
		f.mu.imports.marked = true
		f.mu.arrived.Join(changes)
	}
	return state
}

// tellLocked gives what is due to those who have subscribed to it.
func (f *feed) tellLocked(state *engine.State, now time.Time) {
	next := nextBeat(now, f.began, len(f.mu.subscribers))
	if f.mu.totals.due(now, next) {
		f.giveLocked(f.mu.subscribers, totalsFrame(state), kindTotals)
	}
	for t := range f.mu.due {
		if !t.pace.due(now, next) {
			continue
		}
		delete(f.mu.due, t)
		if frame := t.change(state); frame != nil {
			f.giveLocked(t.subscribers, frame, kindTest)
		}
	}
	if f.mu.imports.due(now, next) {
		f.giveLocked(f.mu.subscribers, importsFrame(&f.mu.arrived), kindImports)
		f.toldLocked()
	}
	f.serveLocked()
}

// toldLocked makes what has arrived be told.
func (f *feed) toldLocked() {
	if n := len(f.mu.arrived.Arrivals); n > 0 {
		f.mu.told = f.mu.arrived.Arrivals[n-1].Position
	}
	f.mu.arrived, f.mu.imports.marked = engine.Changes{}, false
}

// giveLocked puts a frame on the plates of some subscribers.
func (f *feed) giveLocked(to map[*subscriber]struct{}, frame []byte, kind eventKind) {
	for s := range to {
		if len(s.plate) == 0 {
			f.mu.served = append(f.mu.served, s)
		}
		s.plate = append(s.plate, frame)
	}
	f.server.metrics.events[kind].Add(float64(len(to)))
}

// serveLocked offers subscribers what is on their plates, each once.
func (f *feed) serveLocked() {
	for _, s := range f.mu.served {
		if s.offer(s.plate...) {
			f.server.metrics.slowSubscribers.Inc()
		}
		clear(s.plate)
		s.plate = s.plate[:0]
	}
	clear(f.mu.served)
	f.mu.served = f.mu.served[:0]
}

// topicLocked is the topic of a test, made if nobody has subscribed to it yet.
func (f *feed) topicLocked(id exam.TestID, state *engine.State) *topic {
	t := f.mu.topics[id]
	if t == nil {
		t = &topic{test: id, subscribers: make(map[*subscriber]struct{})}
		t.take(state)
		f.mu.topics[id] = t
	}
	return t
}

// take makes t what a state says, and says whether that is new.
func (t *topic) take(state *engine.State) bool {
	view := state.Test(t.test)
	changed := view != t.view
	t.view, t.shown = view, state.Position()
	t.counts, t.listed = nil, true
	if view != nil {
		t.counts, t.listed = view.Counts(nil, feedScoresMax)
	}
	return changed
}

// leave forgets a subscriber whose stream has ended.
func (f *feed) leave(s *subscriber) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, there := f.mu.subscribers[s]; !there {
		return
	}
	f.server.metrics.subscribers.Dec()
	f.leaveLocked(s)
}

func (f *feed) leaveLocked(s *subscriber) {
	delete(f.mu.subscribers, s)
	for _, t := range s.topics {
		delete(t.subscribers, s)
		if len(t.subscribers) == 0 {
			delete(f.mu.topics, t.test)
			delete(f.mu.due, t)
		}
	}
	f.rouse()
}

func (f *feed) rouse() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// end ends all streams, and lets no other begin.
func (f *feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.ended = true
	for s := range f.mu.subscribers {
		s.end(endedStopping)
	}
}
