package httpapi

import (
	"io"
	"sync"
	"time"
)

// Bounds and pace of one subscriber.
const (
	// subscriberBytesMax is how much may wait for a subscriber to take it. Frames are
	// shared, so this bounds how far behind it is rather than memory.
	subscriberBytesMax = 1 << 20
	// heartbeatEvery keeps proxies from closing a silent stream, and finds clients that
	// are gone.
	heartbeatEvery = 15 * time.Second
	// streamMax ends a stream, so that who is let in is asked again now and then. The
	// client comes back by itself and misses nothing.
	streamMax = 15 * time.Minute
)

// heartbeat is a comment, which clients pass by.
const heartbeat = ":\n\n"

// A subscriber is one stream of events: frames are offered to it, and the connection
// reads them. It never makes who offers wait.
type subscriber struct {
	feed   *feed
	topics []*topic
	wake   chan struct{} // something is new, or it has ended
	over   <-chan time.Time
	beat   *time.Timer
	rest   []byte // of what is being read
	mu     struct {
		sync.Mutex

		queue [][]byte // frames, shared and never changed
		bytes int
		ended bool // nothing is offered any more
	}
}

func newSubscriber(f *feed) *subscriber {
	return &subscriber{
		feed: f, wake: make(chan struct{}, 1),
		over: time.After(streamMax), beat: time.NewTimer(heartbeatEvery),
	}
}

// begin puts what a stream begins with before what has been offered meanwhile.
func (s *subscriber) begin(first []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.queue = append([][]byte{first}, s.mu.queue...)
	s.mu.bytes += len(first)
}

// offer queues a frame, or ends the stream of somebody who is too far behind, and says
// whether it did.
func (s *subscriber) offer(frame []byte) (slow bool) {
	s.mu.Lock()
	switch {
	case s.mu.ended:
	case s.mu.bytes > subscriberBytesMax:
		slow = true
		s.mu.queue, s.mu.bytes = nil, 0
		s.endLocked(endedSlow)
	default:
		s.queueLocked(frame)
	}
	s.mu.Unlock()
	s.rouse()
	return slow
}

// queueLocked queues a frame whatever waits.
func (s *subscriber) queueLocked(frame []byte) {
	s.mu.queue = append(s.mu.queue, frame)
	s.mu.bytes += len(frame)
}

// end lets what waits be read, says why nothing follows, and ends the stream.
func (s *subscriber) end(reason string) {
	s.mu.Lock()
	if !s.mu.ended {
		s.endLocked(reason)
	}
	s.mu.Unlock()
	s.rouse()
}

func (s *subscriber) endLocked(reason string) {
	s.queueLocked(endFrame(reason))
	s.mu.ended = true
}

func (s *subscriber) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // It has been roused and has not looked yet.
	}
}

// Read implements io.Reader for the core, which sends what it gets at once.
func (s *subscriber) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		frame, ended := s.take()
		if frame != nil {
			s.rest = frame
			break
		}
		if ended {
			return 0, io.EOF
		}
		select {
		case <-s.wake:
		case <-s.over:
			s.end(endedRenew)
		case <-s.beat.C:
			s.rest = []byte(heartbeat)
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	for n < len(p) && len(s.rest) == 0 { // one write for all that is there
		frame, _ := s.take()
		if frame == nil {
			break
		}
		more := copy(p[n:], frame)
		n, s.rest = n+more, frame[more:]
	}
	s.beat.Reset(heartbeatEvery)
	return n, nil
}

// take returns the next frame, nil if there is none.
func (s *subscriber) take() (frame []byte, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mu.queue) == 0 {
		return nil, s.mu.ended
	}
	frame = s.mu.queue[0]
	s.mu.queue = s.mu.queue[1:]
	s.mu.bytes -= len(frame)
	return frame, s.mu.ended
}

// Close implements io.Closer: the core calls it once, however the stream has ended.
func (s *subscriber) Close() error {
	s.beat.Stop()
	s.feed.leave(s)
	return nil
}
