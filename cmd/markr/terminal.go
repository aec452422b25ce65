package main

import (
	"io"
	"os"

	"github.com/cheggaaa/pb/v3"
	"github.com/mattn/go-isatty"
)

// The rules of the terminal: data goes to standard output and nothing else does;
// a bar is drawn on standard error, only when that is a terminal, and leaves
// nothing behind; no colours.

// isTerminal says whether a person is looking at w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}

// progress is a bar on a terminal, and nothing at all elsewhere: a nil *progress
// does nothing.
type progress struct {
	bar *pb.ProgressBar
}

// newProgress draws a bar on w for work of a known size, if w is a terminal and
// there is more than one thing to do.
func newProgress(w io.Writer, total int, noun string) *progress {
	if total < 2 || !isTerminal(w) {
		return nil
	}
	bar := pb.New(total).SetWriter(w).Set(pb.CleanOnFinish, true).Set(pb.Color, false).
		SetTemplateString(`{{counters .}} ` + noun + ` {{bar .}} {{percent .}} {{rtime . "%s left"}}`)
	return &progress{bar: bar.Start()}
}

// newByteProgress is newProgress for bytes.
func newByteProgress(w io.Writer, total int64) *progress {
	if total < 2 || !isTerminal(w) {
		return nil
	}
	bar := pb.New64(total).SetWriter(w).Set(pb.CleanOnFinish, true).Set(pb.Color, false).Set(pb.Bytes, true).
		SetTemplateString(`{{counters .}} {{bar .}} {{percent .}} {{speed .}} {{rtime . "%s left"}}`)
	return &progress{bar: bar.Start()}
}

func (p *progress) set64(n int64) {
	if p != nil {
		p.bar.SetCurrent(n)
	}
}

func (p *progress) add(n int) {
	if p != nil {
		p.bar.Add(n)
	}
}

func (p *progress) set(n int) {
	if p != nil {
		p.bar.SetCurrent(int64(n))
	}
}

// clear makes room for a line on out, if that is a terminal too: the bar is drawn
// again below it.
func (p *progress) clear(out io.Writer) {
	if p != nil && isTerminal(out) {
		_, _ = io.WriteString(out, "\r\x1b[K") // What is lost is the look of a line.
	}
}

func (p *progress) finish() {
	if p != nil {
		p.bar.Finish()
	}
}
