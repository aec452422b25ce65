package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// The log formats.
const (
	logText = "text"
	logJSON = "json"
)

// newLogger writes lines to w, with times in UTC, and counts them by level: an
// alert on errors then needs no log pipeline.
func newLogger(w io.Writer, format string, level slog.Level, registerer prometheus.Registerer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: plainly}
	var handler slog.Handler = slog.NewTextHandler(w, opts)
	if format == logJSON {
		handler = slog.NewJSONHandler(w, opts)
	}
	return slog.New(newCountingHandler(handler, registerer))
}

// plainly shows times the same on every machine, and errors by their message: the
// text handler would ask Pebble's for their stack traces too.
func plainly(_ []string, attr slog.Attr) slog.Attr {
	if attr.Value.Kind() == slog.KindTime {
		attr.Value = slog.TimeValue(attr.Value.Time().UTC())
	}
	if err, ok := attr.Value.Any().(error); ok {
		attr.Value = slog.StringValue(err.Error())
	}
	return attr
}

// countingHandler counts what another handler writes.
type countingHandler struct {
	slog.Handler
	messages *prometheus.CounterVec
}

func newCountingHandler(inner slog.Handler, registerer prometheus.Registerer) slog.Handler {
	messages := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "markr_log_messages_total",
		Help: "Log lines written, by level.",
	}, []string{"level"})
	registerer.MustRegister(messages)
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		messages.WithLabelValues(levelLabel(level))
	}
	return countingHandler{inner, messages}
}

// Handle counts and writes.
func (h countingHandler) Handle(ctx context.Context, record slog.Record) error {
	h.messages.WithLabelValues(levelLabel(record.Level)).Inc()
	return h.Handler.Handle(ctx, record)
}

// WithAttrs keeps counting.
func (h countingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return countingHandler{h.Handler.WithAttrs(attrs), h.messages}
}

// WithGroup keeps counting.
func (h countingHandler) WithGroup(name string) slog.Handler {
	return countingHandler{h.Handler.WithGroup(name), h.messages}
}

// levelLabel is one of four values, whatever level a line has.
func levelLabel(level slog.Level) string {
	switch {
	case level < slog.LevelInfo:
		return "debug"
	case level < slog.LevelWarn:
		return "info"
	case level < slog.LevelError:
		return "warn"
	}
	return "error"
}
