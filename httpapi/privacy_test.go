package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"markr/httpapi"
)

// canaries are what must never be seen where strangers or log readers look.
var canaries = []string{"Canaryfirst", "Canarylast", "S7700770077", "canary-answer", "markr_canarytoken"}

// canaryPaper is a document full of them, with one mark to put a mistake in.
func canaryPaper(student, marks string) string {
	return `<mcq-test-results><mcq-test-result scanned-on="canary-answer">` +
		`<first-name>Canaryfirst</first-name><last-name>Canarylast</last-name>` +
		`<student-number>` + student + `</student-number><test-id>1</test-id>` +
		`<answer question="0" marks-available="1" marks-awarded="1">canary-answer</answer>` +
		`<summary-marks available="20" obtained="` + marks + `"/></mcq-test-result></mcq-test-results>`
}

// TestNothingPersonalIsLogged keeps a server busy with documents of every fate,
// tokens and panics, at the level that logs most, and looks for what must not be
// in its log, its metrics, and its answers to strangers.
func TestNothingPersonalIsLogged(t *testing.T) {
	t.Parallel()
	token, digest := newToken(t)
	secrets := append([]string{token, strings.TrimPrefix(digest, "sha256:")}, canaries...)
	b := newBorder(t, func(o *httpapi.Options) {
		o.Access = newGuard(t, "canary "+digest+" admin")
		o.SlowAfter = 1 // everything is slow, and is logged
	})
	var strangers struct {
		sync.Mutex
		text strings.Builder
	}
	stranger := func(got reply) {
		strangers.Lock()
		defer strangers.Unlock()
		fmt.Fprintln(&strangers.text, got.Header, got.body)
	}
	var busy sync.WaitGroup
	for worker := range 4 {
		busy.Go(func() {
			for i := range 25 {
				good := canaryPaper(fmt.Sprintf("S7700770077-%d-%d", worker, i), "13")
				for _, paper := range []string{
					good, good, canaryPaper("S7700770077", "S7700770077"), canaryPaper("S7700770077", "99"),
					good[:len(good)-20], "<!DOCTYPE Canaryfirst>" + good, "Canaryfirst", strings.Replace(good, "test-id", "Canarylast", 2),
				} {
					b.post(t, paper, bearer(token)...)
					stranger(b.post(t, paper))
					stranger(b.post(t, paper, bearer("markr_canarytoken")...))
				}
				b.get(t, "/imports", bearer(token)...).want(t, 200)
				b.get(t, "/results/S7700770077/aggregate", bearer(token)...).want(t, 404)
				stranger(b.get(t, "/imports?cursor=S7700770077"))
				b.exchange(t, "POST /import HTTP/1.1\r\nAuthorization: Bearer "+token+"\r\nHost: x\r\nContent-Type: "+
					scannerType+"\r\nContent-Encoding: gzip\r\nContent-Length: 11\r\n\r\nCanaryfirst")
				b.exchange(t, "GET /S7700770077 Canarylast\r\n\r\n")
			}
		})
	}
	busy.Wait()
	b.SetPanic("Canaryfirst Canarylast S7700770077")
	b.get(t, "/livez", bearer(token)...).want(t, http.StatusInternalServerError)

	metrics := b.gather(t)
	if !strings.Contains(metrics, `markr_http_panics_total 1`) || !strings.Contains(b.logs.String(), "slow request") ||
		!strings.Contains(b.logs.String(), "name=canary") || !strings.Contains(b.logs.String(), "request denied") {
		t.Fatal("the run was not as busy as it had to be")
	}
	for where, text := range map[string]string{"log": b.logs.String(), "metrics": metrics, "answers to strangers": strangers.text.String()} {
		for _, secret := range secrets {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%q in %s: …%.300s", secret, where, text[max(0, i-100):])
			}
		}
	}
}

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
