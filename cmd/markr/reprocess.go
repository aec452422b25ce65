package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"markr/engine/scoring"
)

// reprocessOptions are the flags of the verb.
type reprocessOptions struct {
	server, bearer        string
	dataDir               string
	scoring, denominator  string
	preview, commit       bool
	pause, resume, cancel bool
	uncount, asJSON       bool
	test                  string
}

const reprocessDescription = `Reads every document of a running server's vault again, under another rule or with the decoder of today, into a second state beside the live one, while imports and reads go on. It asks nothing.

--preview reads, shows what would change, and leaves the second state ready; it takes as much memory as the first. --commit reads if need be and puts it in the place of the live one, in one step: recorded in the vault, so that every later start goes by it. --cancel gives the memory back. Without any of them it is shown what is under way. Interrupted, it cancels what it has started.

What --scoring and --denominator do not name stays as it is. Accepted documents that the decoder of today refuses stand against a commit, unless --uncount says that they may stop to count. It takes a token with the scope admin, or this machine; with --data-dir neither, but the user who runs the server, or root.

Exit status 3: documents stand against the commit; nothing has changed.`

func newReprocess(std streams) *cli.Command {
	o := &reprocessOptions{}
	return &cli.Command{
		Name:        "reprocess",
		Usage:       "read the vault again under another rule, and commit it",
		UsageText:   "markr reprocess --scoring latest --preview\nmarkr reprocess --preview --test 9863\nmarkr reprocess --scoring latest --commit\nmarkr reprocess --cancel",
		Description: reprocessDescription,
		Flags: []cli.Flag{
			serverFlag(&o.server),
			bearerFlag(&o.bearer),
			&cli.StringFlag{
				Name: "data-dir", TakesFile: true, Destination: &o.dataDir,
				Usage: "ask the server that has `DIR`, through its control socket, without address and token",
			},
			&cli.StringFlag{
				Name: "scoring", Usage: "count the scan that the `RULE` keeps: highest, most-complete, latest or first", Destination: &o.scoring,
				Validator: func(name string) error {
					_, err := scoring.ParsePolicy(name)
					return err
				},
			},
			&cli.StringFlag{
				Name: "denominator", Usage: "count percent `OF` test or of sheet", Destination: &o.denominator,
				Validator: func(name string) error {
					_, err := scoring.ParseDenominator(name)
					return err
				},
			},
			&cli.BoolFlag{Name: "preview", Usage: "show what would change", Destination: &o.preview},
			&cli.StringFlag{Name: "test", Usage: "with --preview, show the students of the test `ID`", Destination: &o.test},
			&cli.BoolFlag{Name: "commit", Usage: "put it in the place of the live state", Destination: &o.commit},
			&cli.BoolFlag{Name: "uncount", Usage: "with --commit, let accepted documents stop to count that are refused today", Destination: &o.uncount},
			&cli.BoolFlag{Name: "pause", Usage: "let the one under way wait", Destination: &o.pause},
			&cli.BoolFlag{Name: "resume", Usage: "let it go on", Destination: &o.resume},
			&cli.BoolFlag{Name: "cancel", Usage: "end it, and forget it", Destination: &o.cancel},
			jsonFlag("print what the server answers, then one JSON object per test or student", &o.asJSON),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			if err := o.check(); err != nil {
				return err
			}
			c, err := o.client()
			if err != nil {
				return err
			}
			return explainReprocess((&reprocessing{client: c, std: std, options: o}).run(ctx))
		},
	}
}

// client talks to the server that is named by its address, or else by its directory.
func (o *reprocessOptions) client() (*client, error) {
	if o.dataDir == "" || o.server != serverDefault && !typed("data-dir", o.dataDir) {
		c, err := newClient(serverFlagName, o.server, 1)
		if err == nil {
			err = c.present(o.bearer)
		}
		return c, err
	}
	return newControlClient(o.dataDir), isThere(o.dataDir)
}

// check says what does not go together.
func (o *reprocessOptions) check() error {
	actions := 0
	for _, given := range []bool{o.preview, o.commit, o.pause, o.resume, o.cancel} {
		if given {
			actions++
		}
	}
	switch {
	case actions > 1:
		return usageError(errors.New("--preview, --commit, --pause, --resume and --cancel are one at a time"))
	case !o.preview && !o.commit && (typed("scoring", o.scoring) || typed("denominator", o.denominator)):
		return usageError(errors.New("a rule is named, and neither --preview nor --commit is given"))
	case o.test != "" && !o.preview:
		return usageError(errors.New("--test is for --preview"))
	case o.uncount && !o.commit:
		return usageError(errors.New("--uncount is for --commit"))
	case typed("data-dir", o.dataDir) && typed(serverFlagName, o.server) && o.server != serverDefault:
		return usageError(errors.New("--server and --data-dir both name a server"))
	}
	return nil
}

// typed says whether a flag with this value was typed. The environment has the server's
// flags of the same names, and is no reason to complain.
func typed(flag, value string) bool { return value != "" && os.Getenv(envName(flag)) != value }

// reprocessState is what the server says of itself.
type reprocessState struct {
	InForce   ruleState   `json:"in_force"`
	Reprocess *underState `json:"reprocess"`
	body      []byte
}

type ruleState struct {
	Scoring            string `json:"scoring"`
	ScoringVersion     int    `json:"scoring_version"`
	Denominator        string `json:"denominator"`
	DenominatorVersion int    `json:"denominator_version"`
	Position           uint64 `json:"position"`
	StartDiffers       bool   `json:"start_differs"`
}

// String is the rule as the server's log has it.
func (r ruleState) String() string {
	return fmt.Sprintf("%s@%d/%s@%d", r.Scoring, r.ScoringVersion, r.Denominator, r.DenominatorVersion)
}

type underState struct {
	Rule       ruleState        `json:"rule"`
	Phase      string           `json:"phase"`
	Paused     bool             `json:"paused"`
	Position   int              `json:"position"`
	Last       int              `json:"last"`
	Difference *differenceState `json:"difference"`
	Error      string           `json:"error"`
}

// ended says whether a new one may be started.
func (u *underState) ended() bool { return u == nil || u.Phase == "committed" || u.Phase == "failed" }

// reprocessing is one run of the verb.
type reprocessing struct {
	client  *client
	std     streams
	options *reprocessOptions
	started bool // by this run
}

func (r *reprocessing) run(ctx context.Context) error {
	o := r.options
	switch {
	case o.pause:
		return r.change(ctx, http.MethodPost, "pause")
	case o.resume:
		return r.change(ctx, http.MethodPost, "resume")
	case o.cancel:
		return r.change(ctx, http.MethodDelete)
	case !o.preview && !o.commit:
		state, err := r.ask(ctx, http.MethodGet, nil)
		if err != nil {
			return err
		}
		return r.show(ctx, state, false)
	}
	state, err := r.ready(ctx)
	if err != nil {
		r.cancelAfter(ctx)
		return err
	}
	if o.preview {
		err = r.show(ctx, state, true)
		if err == nil && !o.asJSON {
			note(r.std.err, "the second state stays in the server's memory: --commit puts it in place, --cancel gives it back")
		}
		return err
	}
	committed, err := r.ask(ctx, http.MethodPost, map[string]bool{"uncount": o.uncount}, "commit")
	if err != nil {
		return err
	}
	if committed.InForce.StartDiffers {
		note(r.std.err, "markr: warning: the server was started with another rule: take --scoring and --denominator out of its configuration, or its next start is refused")
	}
	if o.asJSON {
		_, err := fmt.Fprintf(r.std.out, "%s\n", committed.body)
		return err
	}
	table := newTable(r.std.out)
	table.row("in force", committed.InForce)
	table.row("recorded at", committed.InForce.Position)
	return table.flush()
}

// change does something to the one under way.
func (r *reprocessing) change(ctx context.Context, method string, segments ...string) error {
	state, err := r.ask(ctx, method, nil, segments...)
	if err != nil {
		return err
	}
	return r.show(ctx, state, false)
}

// ask sends a request about reprocessing.
func (r *reprocessing) ask(ctx context.Context, method string, words any, segments ...string) (reprocessState, error) {
	var state reprocessState
	body, err := r.client.send(ctx, method, r.client.url(nil, append([]string{"admin", "reprocess"}, segments...)...), words)
	if err != nil {
		return state, err
	}
	state.body = body
	if err := json.Unmarshal(body, &state); err != nil {
		return state, fmt.Errorf("read the server's answer: %w", err)
	}
	return state, nil
}

// send sends a request with a few words of JSON, or none, and reads the answer.
func (c *client) send(ctx context.Context, method, address string, words any) ([]byte, error) {
	var body bytes.Buffer
	if words != nil {
		if err := json.NewEncoder(&body).Encode(words); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, address, &body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if words != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	a, err := c.do(request)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, c.failure(a)
	}
	return a.body, nil
}

// lookEvery is how often it is asked how far it is.
const lookEvery = 250 * time.Millisecond

// ready starts a reprocess, or takes up the one under way with that rule, and waits
// until it has read everything.
func (r *reprocessing) ready(ctx context.Context) (reprocessState, error) {
	state, err := r.ask(ctx, http.MethodGet, nil)
	if err != nil {
		return state, err
	}
	wanted := state.InForce
	if !state.Reprocess.ended() && r.options.scoring == "" && r.options.denominator == "" {
		wanted = state.Reprocess.Rule // The one under way is meant.
	}
	if r.options.scoring != "" {
		wanted.Scoring = r.options.scoring
	}
	if r.options.denominator != "" {
		wanted.Denominator = r.options.denominator
	}
	switch under := state.Reprocess; {
	case under.ended():
		words := map[string]string{"scoring": wanted.Scoring, "denominator": wanted.Denominator}
		if state, err = r.ask(ctx, http.MethodPost, words); err != nil {
			return state, err
		}
		r.started = true
	case under.Rule.Scoring != wanted.Scoring || under.Rule.Denominator != wanted.Denominator:
		return state, withHint(fmt.Errorf("another reprocess is under way, under %v", under.Rule),
			"wait for whoever has started it, or end it with `markr reprocess --cancel`")
	}
	return r.wait(ctx, state)
}

// wait waits until the one under way has read everything.
func (r *reprocessing) wait(ctx context.Context, state reprocessState) (reprocessState, error) {
	bar := newProgress(r.std.err, state.Reprocess.Last, "documents read again")
	defer bar.finish()
	told := false
	for {
		under := state.Reprocess
		switch {
		case under == nil:
			return state, errors.New("somebody has cancelled the reprocess")
		case under.Phase == "failed":
			return state, fmt.Errorf("the reprocess has failed, and nothing has changed: %s", under.Error)
		case under.ended():
			return state, fmt.Errorf("somebody has committed the reprocess, under %v", under.Rule)
		case under.Paused && !told:
			told = true
			note(r.std.err, "it is paused; `markr reprocess --resume` lets it go on")
		case under.Phase == "ready" && !under.Paused:
			return state, nil
		}
		bar.set(under.Position)
		select {
		case <-ctx.Done():
			return state, ctx.Err()
		case <-time.After(lookEvery):
		}
		var err error
		if state, err = r.ask(ctx, http.MethodGet, nil); err != nil {
			return state, err
		}
	}
}

// cancelPatience is how long somebody who interrupts waits for the end.
const cancelPatience = 5 * time.Second

// cancelAfter cancels what this run has started when it was interrupted.
func (r *reprocessing) cancelAfter(interrupted context.Context) {
	if !r.started || interrupted.Err() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(interrupted), cancelPatience)
	defer cancel()
	if _, err := r.ask(ctx, http.MethodDelete, nil); err != nil {
		note(r.std.err, "markr: the reprocess goes on, because it could not be cancelled: %v", err)
	}
}

// explainReprocess says what to do about an answer.
func explainReprocess(err error) error {
	p, ok := errors.AsType[*problem](err)
	switch {
	case !ok:
		return err
	case p.Code == "would_uncount":
		return withHint(&kindError{err, errRefused}, "`--commit --uncount` commits nevertheless; nothing has changed so far")
	case p.Code == "not_found":
		return withHint(err, "administrators' paths are on the address of --ops-listen, if the server has one: name it with --server, or the directory with --data-dir")
	}
	return err
}
