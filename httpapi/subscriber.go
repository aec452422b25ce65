package httpapi

import (
	"errors"
	"io"
	"slices"
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
// sends them. It never makes who offers wait.
type subscriber struct {
	feed   *feed
	topics []*topic
	plate  [][]byte      // what will be offered next; the feed's lock guards it
	conn   *conn         // nil if it came past the gate
	wake   chan struct{} // something is new, or it has ended
	over   <-chan time.Time
	beat   *time.Timer
	frames [][]byte // taken, and not sent from the first on
	spare  [][]byte // where they are taken to
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

// offer queues frames, or ends the stream of somebody who is too far behind, and says
// whether it did. Frames that are offered together are sent together.
func (s *subscriber) offer(frames ...[]byte) (slow bool) {
	s.mu.Lock()
	for _, frame := range frames {
		switch {
		case s.mu.ended:
		case s.mu.bytes > subscriberBytesMax:
			slow = true
			s.mu.queue, s.mu.bytes = nil, 0
			s.endLocked(endedSlow)
		default:
			s.queueLocked(frame)
		}
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

// Read implements io.Reader: a frame, or what p has room for of it. The core prefers
// WriteTo.
func (s *subscriber) Read(p []byte) (int, error) {
	if len(s.frames) == 0 && !s.await() {
		return 0, io.EOF
	}
	n := copy(p, s.frames[0])
	if s.frames[0] = s.frames[0][n:]; len(s.frames[0]) == 0 {
		s.frames = s.frames[1:]
	}
	return n, nil
}

// SupportsBodyWriteTo says that WriteTo is as good as reading: the core then writes
// frames of ours and not four kilobytes.
func (*subscriber) SupportsBodyWriteTo() bool { return true }

// WriteTo implements io.WriterTo. All that is there when the stream wakes up leaves the
// server in one write: with a thousand streams that are told ten times a second, what
// each write costs the kernel is most of what they cost.
func (s *subscriber) WriteTo(w io.Writer) (written int64, err error) {
	for len(s.frames) > 0 || s.await() {
		if s.conn != nil {
			s.conn.hold()
		}
		for len(s.frames) > 0 && err == nil {
			var n int
			n, err = w.Write(s.frames[0])
			written += int64(n)
			s.frames = s.frames[1:]
		}
		if s.conn != nil {
			err = errors.Join(err, s.conn.release())
		}
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// await waits for frames and takes them, and says whether there will be any.
func (s *subscriber) await() bool {
	defer s.beat.Reset(heartbeatEvery)
	for {
		ended := s.take()
		if len(s.frames) > 0 {
			return true
		}
		if ended {
			return false
		}
		select {
		case <-s.wake:
		case <-s.over:
			s.end(endedRenew)
		case <-s.beat.C:
			s.frames = append(s.spare[:0], []byte(heartbeat))
			return true
		}
	}
}

// takenBytes is how much is taken at once, the last frame not counted: what is taken is
// sent even if the client turns out to be slow.
const takenBytes = 64 << 10

// take moves what waits to frames.
func (s *subscriber) take() (ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, bytes := 0, 0
	for n < len(s.mu.queue) && bytes < takenBytes {
		bytes += len(s.mu.queue[n])
		n++
	}
	clear(s.spare[:cap(s.spare)]) // What was sent is kept for nobody.
	s.spare = append(s.spare[:0], s.mu.queue[:n]...)
	s.frames = s.spare
	s.mu.queue = slices.Delete(s.mu.queue, 0, n)
	s.mu.bytes -= bytes
	return s.mu.ended
}

// Close implements io.Closer: the core calls it once, however the stream has ended.
func (s *subscriber) Close() error {
	s.beat.Stop()
	s.feed.leave(s)
	return nil
}
