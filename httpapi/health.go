package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/valyala/fasthttp"

	"markr/engine"
	"markr/wal/entry"
)

// health is the answer of the health routes. Programs look at the status alone;
// the rest is for people.
type health struct {
	Status string  `json:"status"`
	Checks []check `json:"checks,omitempty"`
}

// A check is one thing that readiness depends on, or that somebody who asks for
// details wants to know.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	// Position and Last are how far recovery has come, and how far it has to go.
	Position *entry.Position `json:"position,omitempty"`
	Last     *entry.Position `json:"last,omitempty"`
}

// livez says that the process is up. It looks at nothing else, because a restart
// would cure nothing else.
func (s *Server) livez(r *request) error {
	return r.health(health{Status: "ok"})
}

// readyz says whether requests may be sent here.
func (s *Server) readyz(r *request) error {
	ready := s.readiness()
	if ready.err != nil {
		return ready.err
	}
	answer := health{Status: "ready"}
	if _, verbose := r.query("verbose"); verbose {
		answer.Checks = ready.checks
	}
	return r.health(answer)
}

func (r *request) health(answer health) error {
	var b bytes.Buffer
	_ = json.NewEncoder(&b).Encode(answer) // strings and numbers always encode
	r.setHeader(fasthttp.HeaderCacheControl, "no-store")
	return r.json(fasthttp.StatusOK, b.Bytes())
}

// A readiness is what the server depends on, and the first reason not to send
// requests here, if there is one.
type readiness struct {
	checks []check
	err    error
}

// notReadyError carries the checks to the client that is refused because of them.
type notReadyError struct {
	requestError
	checks []check
}

func (s *Server) readiness() readiness {
	progress := s.engine.Progress()
	recovery := check{Name: "recovery", Status: "done", Position: &progress.Position, Last: &progress.Last}
	vault := check{Name: "vault", Status: "writable"}
	stop := check{Name: "stop", Status: "no"}
	var reasons []string
	switch {
	case progress.Err != nil:
		recovery.Status = "failed"
		reasons = append(reasons, "the log could not be read to its end")
	case !progress.Ready:
		recovery.Status = "running"
		reasons = append(reasons, fmt.Sprintf("the log has been read up to position %d of %d", progress.Position, progress.Last))
	default:
		var reason string
		vault.Status, reason = vaultStatus(s.engine.Writable())
		if reason != "" {
			reasons = append(reasons, reason)
		}
	}
	if s.draining.Load() {
		stop.Status = "draining"
		reasons = append(reasons, "the server is stopping")
	}
	ready := readiness{checks: []check{recovery, vault, stop}}
	if len(reasons) > 0 {
		ready.err = &notReadyError{
			requestError: *refuse(codeUnavailable, "Not ready: %s.", reasons[0]),
			checks:       ready.checks,
		}
	}
	return ready
}

// vaultStatus says what a vault is good for, and why it makes the server not
// ready. A full disk does not: reads go on, and an instance taken out of
// rotation would serve neither.
func vaultStatus(err error) (status, reason string) {
	switch {
	case err == nil:
		return "writable", ""
	case errors.Is(err, entry.ErrReadOnly):
		return "read-only", ""
	case errors.Is(err, engine.ErrStalled):
		return "stalled", err.Error()
	case errors.Is(err, engine.ErrClosed), errors.Is(err, entry.ErrClosed):
		return "closed", "the server is stopping"
	default:
		return "failed", "the log has failed and takes no documents until the server is started again"
	}
}
