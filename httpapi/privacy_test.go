package httpapi_test

import (
	"strings"
	"testing"
)

// What is no HTTP is not quoted in the log, whatever its level.
func TestLogQuotesNoRequest(t *testing.T) {
	t.Parallel()
	b := newBorder(t, nil)
	b.exchange(t, "GET /S7700770077 Canarylast\r\n\r\n").want(t, 400)
	eventually(t, "the core says what it made of it", func() bool { return strings.Contains(b.logs.String(), "msg=connection") })
	if logged := b.logs.String(); strings.Contains(logged, "S7700770077") || strings.Contains(logged, "Canarylast") {
		t.Errorf("the log quotes the request:\n%s", logged)
	}
}
