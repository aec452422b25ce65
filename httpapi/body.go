package httpapi

import (
	"errors"
	"io"
)

// A body is the bytes of one document while its import is under way, and the
// part of the budget that they take.
type body struct {
	server *Server
	bytes  []byte
	taken  int64 // from the budget
}

// release gives the memory back. The bytes are not valid any more.
func (b *body) release() {
	if b.bytes != nil {
		b.server.buffers.put(b.bytes)
	}
	b.server.budget.give(b.taken)
	b.bytes, b.taken = nil, 0
}

// take takes n bytes from the budget, to be given back by release.
func (b *body) take(n int64) error {
	if !b.server.budget.take(n) {
		return errBudget
	}
	b.taken += n
	return nil
}

// fill reads source to its end, at most limit bytes of it. declared is a length, or
// -1. Memory for a length of up to bufferBytesKept is taken at once while most of
// the budget is free. Otherwise it is taken as bytes arrive: what is held is then
// at most bufferBytesMin or four times what has arrived, whatever was declared; a
// length only keeps the last buffer from being larger than needed.
func (b *body) fill(source io.Reader, declared, limit int64) error {
	b.trust(declared)
	for {
		if len(b.bytes) == cap(b.bytes) {
			if int64(len(b.bytes)) >= limit {
				return atEnd(source)
			}
			if err := b.grow(declared, limit); err != nil {
				return err
			}
		}
		room := b.bytes[len(b.bytes):min(int64(cap(b.bytes)), limit)]
		if len(room) == 0 {
			return atEnd(source)
		}
		n, err := source.Read(room)
		b.bytes = b.bytes[:len(b.bytes)+n]
		if errors.Is(err, io.EOF) {
			b.trim()
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// trust takes a buffer for all of a body whose length was declared, if the length
// is a usual one and the budget can do without: the bytes then stay where they are
// received.
func (b *body) trust(declared int64) {
	if b.bytes != nil || declared <= bufferBytesMin || declared > bufferBytesKept {
		return
	}
	size := keptFor(declared)
	if b.server.budget.takeOnTrust(size) {
		b.taken += size
		b.bytes = b.server.buffers.get(size)
	}
}

// grow moves the bytes to a larger buffer. Both are paid for until the old one
// is given back.
func (b *body) grow(declared, limit int64) error {
	old := b.bytes
	size := sizeFor(int64(cap(old)), declared, limit)
	if err := b.take(size); err != nil {
		return err
	}
	b.bytes = append(b.server.buffers.get(size), old...)
	if old != nil {
		b.server.buffers.put(old)
		b.server.budget.give(int64(cap(old)))
		b.taken -= int64(cap(old))
	}
	return nil
}

// trim moves the bytes of a long body whose length was not known to a buffer of their
// own length, if much of theirs is empty: what it takes to decode it comes on top of
// that. It is left undone when the budget has no room for both.
func (b *body) trim() {
	length := int64(len(b.bytes))
	held := int64(cap(b.bytes))
	if length <= bufferBytesKept || held-length <= length/4 || b.take(length) != nil {
		return
	}
	old := b.bytes
	b.bytes = append(make([]byte, 0, length), old...)
	b.server.buffers.put(old)
	b.server.budget.give(held)
	b.taken -= held
}

// atEnd is nil when source has nothing more, and errOverLimit when it has.
func atEnd(source io.Reader) error {
	var one [1]byte
	for {
		n, err := source.Read(one[:])
		switch {
		case n > 0:
			return errOverLimit
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
