package httpapi

import "sync"

// The sizes of buffers that are kept for the next request, in bytes.
const (
	bufferBytesMin  = 16 << 10
	bufferBytesKept = 1 << 20 // the largest that is kept: a bound on what idle buffers hold
	bufferClasses   = 4       // 16 KiB, 64 KiB, 256 KiB, 1 MiB
)

// buffers keeps buffers between requests, by size.
type buffers struct {
	pools [bufferClasses]sync.Pool
	// released is told of every buffer that is given back; nil but in a test, which
	// overwrites them.
	released func([]byte)
}

// get returns an empty buffer with room for size bytes; size is one that sizeFor
// has given.
func (p *buffers) get(size int64) []byte {
	if class := classOf(size); class >= 0 {
		if kept, ok := p.pools[class].Get().(*[]byte); ok {
			return (*kept)[:0]
		}
	}
	return make([]byte, 0, size)
}

// put takes a buffer back.
func (p *buffers) put(buffer []byte) {
	if p.released != nil {
		p.released(buffer[:cap(buffer)])
	}
	if class := classOf(int64(cap(buffer))); class >= 0 {
		p.pools[class].Put(&buffer)
	}
}

// classOf is the class of buffers of exactly this size, -1 if they are not kept.
func classOf(size int64) int {
	for class, of := 0, int64(bufferBytesMin); class < bufferClasses; class, of = class+1, of*4 {
		if size == of {
			return class
		}
	}
	return -1
}

// keptFor is the size of the smallest kept buffer that has room for size bytes, at
// most bufferBytesKept.
func keptFor(size int64) int64 {
	of := int64(bufferBytesMin)
	for of < size {
		of *= 4
	}
	return of
}

// sizeFor is how large the buffer after one of size bytes is: four times as
// large, and from 1 MiB on no larger than what was declared. From there on a body
// without a declared length gets twice as much each time, because nobody knows how
// much of it will be needed. limit, the longest body there may be, is more than size.
func sizeFor(size, declared, limit int64) int64 {
	switch {
	case size < bufferBytesKept:
		return keptFor(size + 1)
	case declared > size:
		return min(size*4, declared)
	default:
		return min(size*2, limit)
	}
}
