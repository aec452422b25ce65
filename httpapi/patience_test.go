package httpapi_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"markr/httpapi"
)

// TestPatience: it ends when it is asked and when it is not, and only then.
func TestPatience(t *testing.T) {
	t.Parallel()
	now := time.Now()
	clock := func() time.Time { return now }
	ctx, end := httpapi.NewPatience(now.Add(time.Hour), clock)
	if at, ok := ctx.Deadline(); !ok || !at.Equal(now.Add(time.Hour)) || ctx.Value("x") != nil {
		t.Errorf("deadline %v %v", at, ok)
	}
	end() // nobody has waited
	if err := ctx.Err(); err != nil {
		t.Errorf("before its time: %v", err)
	}
	now = now.Add(time.Hour)
	if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after its time: %v", err)
	}
	// Whoever waits now is not kept waiting.
	<-ctx.Done()
	end()
	if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waited for: %v", err)
	}

	ctx, end = httpapi.NewPatience(now.Add(time.Hour), clock)
	select {
	case <-ctx.Done():
		t.Error("ended before its time")
	default:
	}
	end()
	<-ctx.Done()
}
