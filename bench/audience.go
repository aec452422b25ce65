package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"markr/bench/load"
)

// The subscribers run in a process of their own, this program again, as they would on
// other machines, so that their processor time is not the load generator's and can be
// told apart. It subscribes, says so in a line, and after that answers each line it is
// sent with one that says what its streams have had since the last; at the end of its
// input it hangs up.

// subscribersArgument, before an address, a number of streams and names of tests, turns
// the program into subscribers.
const subscribersArgument = "subscribers"

// testsEach is how many tests a stream is about: a page and its neighbours.
const testsEach = 4

// streamsHad is what streams have had since the last look.
type streamsHad struct {
	Events int64 // in all
	Fewest int64 // of one stream
	Bytes  int64 // of events, without what HTTP adds
	Ended  int   // streams that the server has ended, since ever
}

// subscriber is a stream and what has come on it.
type subscriber struct {
	stream        *load.Stream
	events, bytes atomic.Int64
	seen          int64 // events at the last look
}

// runSubscribers is the process itself.
func runSubscribers(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) (err error) {
	const argumentsMin = 3
	if len(args) < argumentsMin {
		return errors.New("subscribers of what? ADDRESS STREAMS TEST …")
	}
	target, err := load.ParseTarget(ctx, args[0])
	if err != nil {
		return err
	}
	streams, err := strconv.Atoi(args[1])
	if err != nil || streams < 1 {
		return fmt.Errorf("%q streams, must be at least 1", args[1])
	}
	var ended atomic.Int64
	var reading sync.WaitGroup
	all := make([]*subscriber, 0, streams)
	defer func() {
		for _, s := range all {
			_ = s.stream.Close() // All that was wanted of it has been read.
		}
		reading.Wait()
	}()
	tests := args[2:]
	for i := range streams {
		s := &subscriber{}
		if s.stream, err = load.Subscribe(ctx, target, someOf(tests, i)); err != nil {
			return err
		}
		all = append(all, s)
		reading.Go(func() {
			s.read()
			ended.Add(1)
		})
	}
	asked := make(chan struct{})
	go func() { // ends with its input, at the latest with the process
		defer close(asked)
		for lines := bufio.NewScanner(stdin); lines.Scan(); {
			asked <- struct{}{}
		}
	}()
	answers := json.NewEncoder(stdout)
	var bytesSeen int64
	for {
		had := look(all, &bytesSeen)
		had.Ended = int(ended.Load())
		if err := answers.Encode(had); err != nil {
			return err
		}
		select {
		case _, more := <-asked:
			if !more {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// someOf are the tests of a stream: the streams go round.
func someOf(tests []string, stream int) []string {
	some := make([]string, 0, testsEach)
	for i := range min(testsEach, len(tests)) {
		some = append(some, tests[(stream*testsEach+i)%len(tests)])
	}
	return some
}

// read takes what comes until the stream ends.
func (s *subscriber) read() {
	for {
		event, err := s.stream.Next()
		if err != nil || event.Name == "end" {
			return
		}
		s.events.Add(1)
		s.bytes.Store(s.stream.Heard())
	}
}

// look adds up what the streams have had since the last look.
func look(all []*subscriber, bytesSeen *int64) (had streamsHad) {
	bytes := -*bytesSeen
	for i, s := range all {
		events := s.events.Load()
		fresh := events - s.seen
		s.seen = events
		had.Events += fresh
		if i == 0 || fresh < had.Fewest {
			had.Fewest = fresh
		}
		bytes += s.bytes.Load()
	}
	*bytesSeen += bytes
	had.Bytes = bytes
	return had
}

// audience is that process, seen from here.
type audience struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	answers *json.Decoder
	cpu     func() (time.Duration, error)
	times   []time.Duration // processor time when it was looked at
	had     streamsHad      // between the last two looks
	err     error
}

// startAudience starts the process and waits until all streams are open.
func (b *bencher) startAudience(ctx context.Context, server *child, streams int, tests []string) (*audience, error) {
	args := append([]string{subscribersArgument, server.target.Host, strconv.Itoa(streams)}, tests...)
	// It is asked to end by leave, also when ctx is done.
	command := exec.Command(b.self, args...) //nolint:noctx // See above.
	command.Stderr = os.Stderr
	stdin, inErr := command.StdinPipe()
	stdout, outErr := command.StdoutPipe()
	if err := errors.Join(inErr, outErr, command.Start()); err != nil {
		return nil, err
	}
	a := &audience{
		command: command, stdin: stdin, answers: json.NewDecoder(stdout),
		cpu: load.ProcessCPU(command.Process.Pid),
	}
	err := a.answers.Decode(&a.had)
	if err == nil {
		err = server.checkSubscribers(ctx, streams)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("subscribe: %w", err), a.leave())
	}
	return a, nil
}

// alongside has the process looked at whenever the server's processor time is read, so
// that both are of the same time: that which is counted.
func (a *audience) alongside(server func() (time.Duration, error)) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		used, err := server()
		a.err = errors.Join(a.err, a.look())
		return used, err
	}
}

func (a *audience) look() error {
	at, err := a.cpu()
	if err != nil {
		return err
	}
	a.times = append(a.times, at)
	if _, err := io.WriteString(a.stdin, "\n"); err != nil {
		return err
	}
	if err := a.answers.Decode(&a.had); err != nil {
		return err
	}
	if a.had.Ended > 0 {
		return errStreamsEnded(a.had.Ended)
	}
	return nil
}

// took is the processor time between the last two looks.
func (a *audience) took() (time.Duration, error) {
	if n := len(a.times); a.err == nil && n > 1 {
		return a.times[n-1] - a.times[n-2], nil
	}
	return 0, errors.Join(a.err, errors.New("the subscribers were not looked at"))
}

// leave ends the process, and waits until it has.
func (a *audience) leave() error {
	return errors.Join(a.stdin.Close(), a.command.Wait())
}

// checkSubscribers asks the server whether so many streams are open.
func (c *child) checkSubscribers(ctx context.Context, want int) error {
	_, page, err := c.get(ctx, "/metrics")
	if err != nil {
		return err
	}
	open, err := metricIn(page, "markr_events_subscribers")
	if err == nil && int(open) != want {
		err = fmt.Errorf("%v streams are open, not %d", open, want)
	}
	return err
}
