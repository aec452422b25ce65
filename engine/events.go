package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"markr/engine/audit"
	"markr/wal/entry"
)

// InForce is a setting as it is from a start on.
type InForce struct {
	Event audit.Event
	// Default: a vault without a word about it is taken to have it, so that what is
	// as always is not recorded.
	Default bool
}

// Record puts an event into the log, in order with the imports. When it returns without
// an error the event is durable, or it is a setting that the last event of its action
// says already.
//
// What cannot be recorded because the disk is nearly full is owed, if it has happened in
// any case: it goes in front of the next group of imports, in the same synced write, so
// that nothing is counted under rules of which the log does not know. Then the error is [entry.ErrReadOnly]. Other errors are [audit.ErrMalformed],
// [ErrClosed], [ErrOverloaded], [entry.ErrFailed], and ctx's, if that ends before the
// log has answered: what has become of the event is not known then.
func (e *Engine) Record(ctx context.Context, event audit.Event) error {
	d, err := e.draftEvent(event)
	if err == nil {
		err = e.enqueue(ctx, d)
	}
	if err != nil {
		return fmt.Errorf("record %s: %w", event.Action, err)
	}
	select {
	case <-d.done:
		if d.err != nil {
			return fmt.Errorf("record %s: %w", event.Action, d.err)
		}
		return nil
	case <-ctx.Done():
		// The draft is the committer's for good; it is none of those that are used again.
		return fmt.Errorf("record %s: %w", event.Action, context.Cause(ctx))
	}
}

// draftEvent makes an event ready to be appended.
func (e *Engine) draftEvent(event audit.Event) (*draft, error) {
	text, err := audit.Encode(&event)
	if err != nil {
		return nil, err
	}
	salt, err := newSalt(e.opts.Random)
	if err != nil {
		return nil, err
	}
	stored := e.codec.Seal(entry.Header{
		Received:  e.opts.Now().UTC().Truncate(time.Microsecond),
		Salt:      salt,
		Source:    event.Who,
		MediaType: audit.MediaType,
		Outcome:   entry.Event,
		Detail:    []byte(event.Action), // Found without reading the event.
	}, text)
	if err := stored.Check(); err != nil {
		return nil, err
	}
	return &draft{entry: stored, event: &event, text: string(text), done: make(chan struct{}, 1)}, nil
}

// readEvent reads an event of the log.
func readEvent(codec *entry.Codec, stored *entry.Entry) (event audit.Event, text []byte, err error) {
	text, err = codec.Raw(stored, nil)
	if err != nil {
		return audit.Event{}, nil, err
	}
	if stored.MediaType != audit.MediaType {
		return audit.Event{}, nil, fmt.Errorf("position %d: event of media type %q: %w: a newer markr wrote it",
			stored.Position, stored.MediaType, entry.ErrUnknownVersion)
	}
	event, err = audit.Decode(text)
	switch {
	case errors.Is(err, audit.ErrNewer):
		return audit.Event{}, nil, fmt.Errorf("position %d: %w: %w", stored.Position, entry.ErrUnknownVersion, err)
	case err != nil:
		return audit.Event{}, nil, &entry.DamagedError{Position: stored.Position, What: err.Error()}
	}
	event.Who = stored.Source
	return event, text, nil
}

// trail is what the committer knows of the events of its log.
type trail struct {
	// settings are the bytes of the last event that is done, of each action that is a
	// setting; of one that is owed, too, because nothing comes before it.
	settings map[audit.Action]string
	owed     []*draft // oldest first; nobody waits for them
	recorded uint64   // events in the log
}

// owedMax bounds what is owed: there is one for each time that somebody changes a
// setting, or makes a backup, while the disk is full.
const owedMax = 1000

// readTrail reads the events of the log, newest first: all headers, because they are
// counted, and as many of their bytes as it takes to know every setting.
func (e *Engine) readTrail() (*trail, error) {
	t := &trail{settings: make(map[audit.Action]string)}
	for before := entry.Position(0); ; {
		headers, err := e.opts.Log.Headers(before, entry.Event, trailPage)
		if err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		for i := range headers {
			t.recorded++
			// What a header says of its event saves reading it.
			action := audit.Action(headers[i].Detail)
			if _, known := t.settings[action]; known || action != "" && !slices.Contains(audit.Settings(), action) {
				continue
			}
			stored, err := e.opts.Log.At(headers[i].Position)
			if err != nil {
				return nil, fmt.Errorf("read events: %w", err)
			}
			event, text, err := readEvent(e.codec, stored)
			if err != nil {
				return nil, fmt.Errorf("read events: %w", err)
			}
			if _, known := t.settings[event.Action]; !known && event.IsSetting() && event.Outcome == audit.Done {
				t.settings[event.Action] = string(text)
			}
		}
		if len(headers) < trailPage {
			return t, nil
		}
		before = headers[len(headers)-1].Position
	}
}

// trailPage is how many headers are read at a time.
const trailPage = 1000

// declare records what is in force and has not been recorded. A log that takes nothing
// is no reason not to start: what it does not take is owed.
func (e *Engine) declare(b *book, t *trail) error {
	var batch []*draft
	for _, setting := range e.opts.InForce {
		if rules := setting.Event.Rules; rules != nil {
			// The rule is what has been settled, which need not be what was asked for.
			settled := *rules
			settled.Scoring, settled.Denominator = b.rule.Policy.String(), b.rule.Denominator.String()
			setting.Event.Rules = &settled
		}
		if _, known := t.settings[setting.Event.Action]; !known && setting.Default {
			continue
		}
		d, err := e.draftEvent(setting.Event)
		if err != nil {
			return fmt.Errorf("record what is in force: %w", err)
		}
		d.told = true
		batch = append(batch, d)
	}
	e.commit(b, t, batch)
	return nil
}

// due is what is to be appended: what is owed, and the batch without settings that
// have been recorded.
func (t *trail) due(batch []*draft) []*draft {
	events := len(t.owed) > 0
	for _, d := range batch {
		events = events || d.event != nil
	}
	if !events {
		return batch
	}
	due := t.owed
	t.owed = nil
	for _, d := range batch {
		if d.event != nil && d.event.IsSetting() && d.event.Outcome == audit.Done {
			if t.settings[d.event.Action] == d.text {
				d.finish(nil)
				continue
			}
			t.settings[d.event.Action] = d.text
		}
		due = append(due, d)
	}
	return due
}

// owe keeps the events of a batch that the log did not take for now.
func (t *trail) owe(batch []*draft, err error) {
	if !errors.Is(err, entry.ErrReadOnly) {
		return
	}
	for _, d := range batch {
		if d.event != nil && d.event.HasHappened() && len(t.owed) < owedMax {
			t.owed = append(t.owed, d)
		}
	}
}

// Owed says how many events wait until the disk has room for them.
func (e *Engine) Owed() int { return int(e.owed.Load()) }
