package httpapi

import "sync"

// The sizes of buffers that are kept for the next request, in bytes. A buffer
// grows to four times its size as long as it is small, because a document of
// the usual 171 KB then is copied twice, and to twice its size from there on,
// because what is held in vain then is at most what has arrived.
const (
	bufferBytesMin  = 16 << 10
	bufferBytesKept = 1 << 20 // the largest that is kept: a bound on what idle buffers hold
	bufferClasses   = 4       // 16 KiB, 64 KiB, 256 KiB, 1 MiB
)

// buffers keeps buffers between requests, by size.
type buffers [bufferClasses]sync.Pool

// get returns an empty buffer with room for size bytes; size is one that sizeFor
// has given.
func (p *buffers) get(size int64) []byte {
	if class := classOf(size); class >= 0 {
		if kept, ok := p[class].Get().(*[]byte); ok {
			return (*kept)[:0]
		}
	}
	return make([]byte, 0, size)
}

// put takes a buffer back.
func (p *buffers) put(buffer []byte) {
	if class := classOf(int64(cap(buffer))); class >= 0 {
		p[class].Put(&buffer)
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

// sizeFor is how large the buffer after one of size bytes is, for a body of at
// most expected bytes.
func sizeFor(size, expected int64) int64 {
	if size < bufferBytesKept {
		next := int64(bufferBytesMin)
		for next <= size {
			next *= 4
		}
		return next
	}
	if expected > size {
		return min(size*2, expected)
	}
	return size * 2
}
