package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"markr/engine/audit"
	"markr/engine/exam"
	"markr/engine/intake"
	"markr/engine/scoring"
	"markr/wal/entry"
)

// Options are what an Engine is made of. Log and Intake are required.
type Options struct {
	Log Log
	// Intake reads the documents that arrive.
	Intake *intake.Registry
	// Replay reads the documents of the log. They were accepted under the limits
	// of their day, so it should have none; default Intake.
	Replay *intake.Registry
	// Rule decides what counts where the log has no rule; the zero value is the
	// default rule.
	Rule scoring.Rule
	// RuleAsked says which parts of Rule somebody has asked for: they are not the
	// log's to fill in. See rule.go for what comes of it if the two differ.
	RuleAsked struct{ Policy, Denominator bool }
	// InForce are settings as they are from now on. Each is recorded before the engine is
	// ready, unless the last event of its action says so already.
	InForce []InForce
	// QueueMax is how many imports may wait for the committer; default 4096.
	QueueMax int
	// Checkpoints keeps the state between runs; default none: it is computed from the
	// whole log at each start.
	Checkpoints Checkpoints
	// CheckpointRecords is how many records are applied, at least, between two
	// checkpoints; default 2 000 000, which take a second or two to read again.
	CheckpointRecords int
	// ItemAnalysis keeps what the answers of kept sheets say of the questions of their
	// tests, see [Engine.Items]: 4 bytes a sheet and one for each of its questions. After a
	// start from a checkpoint without it, it is read from the log in the background.
	ItemAnalysis bool
	// StallAfter is how long an append may take before the engine answers
	// [ErrStalled] to those who come; default 5 s.
	StallAfter time.Duration
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Random makes import ids hard to guess; default crypto/rand.
	Random io.Reader
	// Registerer takes the metrics; default none.
	Registerer prometheus.Registerer
}

const (
	queueMaxDefault          = 4096
	checkpointRecordsDefault = 2_000_000
)

func (o Options) withDefaults() Options {
	if o.Replay == nil {
		o.Replay = o.Intake
	}
	if o.QueueMax <= 0 {
		o.QueueMax = queueMaxDefault
	}
	if o.CheckpointRecords <= 0 {
		o.CheckpointRecords = checkpointRecordsDefault
	}
	if o.StallAfter <= 0 {
		o.StallAfter = stallAfterDefault
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // The default; everything here takes the clock from the options.
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return o
}

// Engine accepts documents and answers reads. It is safe for concurrent use.
type Engine struct {
	opts    Options
	codec   *entry.Codec
	metrics *metrics
	drafts  sync.Pool // *draft
	turns   turns

	// state is what readers see; nil until recovery has ended well.
	state    atomic.Pointer[State]
	recovery recovery
	saving   saving
	refused  *refusals
	queue    chan *draft // to the committer, which drains it and ends when it is closed
	owed     atomic.Int64

	inForce      *RuleInForce // at the start
	orders       chan order   // to the committer, between two batches
	reprocessing reprocessing

	appending appending
	watches   watches

	// live is the book for those who look at more than a state holds: one student's
	// scans, a test as it was. The committer holds it while it takes a batch, others
	// while they take a view: there is no I/O under it, and nothing whose time grows
	// with a test. The book is nil until recovery has ended well.
	live struct {
		sync.Mutex

		book *book
	}
	eras   eras
	pasts  chan struct{} // a token for each test that is being computed as it was
	traces chan struct{} // a token for each student who is being looked up
	rolls  rolls
	items  itemsReading

	analyses analyses

	// Held shared by everybody who may send to queue, exclusively to close it.
	closing struct {
		sync.RWMutex

		closed bool
	}
	ctx  context.Context    // done when the engine is told to close
	stop context.CancelFunc // ends recovery and reprocesses
	done chan struct{}      // closed when recovery and committer have ended
}

// Open starts to recover the state from the log and returns at once; see
// [Engine.Progress] and [Engine.WaitReady]. Until it is ready, imports and reads
// answer [ErrNotReady].
func Open(opts Options) (*Engine, error) {
	if opts.Log == nil || opts.Intake == nil {
		return nil, errors.New("open engine: Log and Intake are required")
	}
	codec, err := entry.NewCodec()
	if err != nil {
		return nil, fmt.Errorf("open engine: %w", err)
	}
	for i := range opts.InForce {
		if _, err := audit.Encode(&opts.InForce[i].Event); err != nil {
			return nil, fmt.Errorf("open engine: %w", err)
		}
	}
	opts = opts.withDefaults()
	e := &Engine{
		opts:   opts,
		codec:  codec,
		drafts: sync.Pool{New: func() any { return &draft{done: make(chan struct{}, 1)} }},
		queue:  make(chan *draft, opts.QueueMax),
		orders: make(chan order),
		done:   make(chan struct{}),

		refused: newRefusals(),

		pasts:  make(chan struct{}, pastsMax),
		traces: make(chan struct{}, tracesMax),
	}
	unsettled := e.settleRule()
	if _, conflict := errors.AsType[*RuleError](unsettled); conflict {
		return nil, fmt.Errorf("open engine: %w", unsettled)
	}
	e.turns.init()
	e.analyses.bytesMax = analysesBytesMax
	e.recovery.init(opts.Now(), opts.Log.Last())
	if e.metrics, err = newMetrics(opts.Registerer, e); err != nil {
		return nil, fmt.Errorf("open engine: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	e.ctx, e.stop = ctx, stop
	// The one goroutine that changes state: first from the log, then from the
	// queue. Close stops it and waits for it.
	go func() {
		defer close(e.done)
		if unsettled != nil { // The log cannot be read.
			e.recovery.end(unsettled, opts.Now())
			return
		}
		e.run(ctx)
	}()
	return e, nil
}

func (e *Engine) run(ctx context.Context) {
	b := e.restored()
	err := e.recover(ctx, b, nil)
	var t *trail
	if err == nil {
		t, err = e.readTrail()
	}
	if err == nil {
		b.events = t.recorded
		err = e.declare(b, t)
	}
	if err == nil {
		e.live.Lock()
		e.live.book = b
		e.state.Store(b.publish())
		e.live.Unlock()
	}
	if err == nil {
		e.startItems(b)
	}
	e.recovery.end(err, e.opts.Now())
	if err == nil {
		e.saveLastCheckpoint(e.commitUntilClosed(b, t))
	}
}

// Close stops taking imports, waits for those under way, saves a checkpoint if much
// has happened since the last, and stops. It does not close the log. Reads go on.
func (e *Engine) Close() error {
	e.closing.Lock()
	if !e.closing.closed {
		e.closing.closed = true
		close(e.queue)
	}
	e.closing.Unlock()
	e.stop()
	<-e.done
	e.reprocessing.end()
	e.items.Wait()
	e.rolls.drop()
	return nil
}

// Writable is nil, or why Import would answer neither accepted nor refused now.
func (e *Engine) Writable() error {
	if err := e.ready(); err != nil {
		return err
	}
	// Asked first, because a log may look at its disk to answer.
	if err := e.stalled(); err != nil {
		return err
	}
	return e.opts.Log.Writable()
}

// State returns the newest state: immutable, consistent over all tests. Nil
// until the engine is ready.
func (e *Engine) State() *State { return e.state.Load() }

// Test is State().Test(id), with [ErrNotReady] until the engine is ready and
// [ErrUnknownTest] for a test no accepted document has named.
func (e *Engine) Test(id exam.TestID) (*Test, error) {
	s := e.state.Load()
	if s == nil {
		return nil, e.ready()
	}
	t := s.Test(id)
	if t == nil {
		return nil, ErrUnknownTest
	}
	return t, nil
}
