package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// serverDefault is where `markr serve` listens unless told otherwise.
const serverDefault = "http://" + listenDefault

// serverFlagName is the flag that names the server.
const serverFlagName = "server"

// answerBytesMax bounds what is read of an answer: the longest is a page of
// tests or a problem, and neither comes near.
const answerBytesMax = 16 << 20

// answerWait is how long a server may take over an answer. An import waits for its
// turn and for the disk; one that takes a minute is stuck.
const answerWait = time.Minute

// serverFlag names the server that a verb talks to.
func serverFlag(target *string) cli.Flag {
	return &cli.StringFlag{
		Name: serverFlagName, Usage: "talk to the server at `URL`",
		Value: serverDefault, Destination: target,
		Validator: func(text string) error {
			_, err := parseServer(text)
			return err
		},
	}
}

// bearerFlag names the file with the token that a verb presents to the server. A
// token on the command line would be seen by everybody on the machine.
func bearerFlag(file *string) cli.Flag {
	return &cli.StringFlag{
		Name: "bearer-file", Usage: "present the token in `FILE` to the server, see `markr token new --help`",
		TakesFile: true, Destination: file,
	}
}

// present makes the client present the token in a file; none if file is empty.
func (c *client) present(file string) (err error) {
	c.token, err = readBearer(file)
	return err
}

// readBearer is the token in a file; none if file is empty.
func readBearer(file string) (token string, err error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", withHint(usageError(fmt.Errorf("read token: %w", err)), "--bearer-file names a file with nothing but a token in it")
	}
	token = strings.TrimSpace(string(text))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", withHint(usageError(fmt.Errorf("read token: %s does not hold one token", file)), "--bearer-file names a file with nothing but a token in it")
	}
	return token, nil
}

// parseServer reads a server's address: a URL, or a host and port alone.
func parseServer(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	base, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, err
	case base.Scheme != "http" && base.Scheme != "https", base.Host == "", base.RawQuery != "", base.Fragment != "":
		return nil, errors.New("a server is written like http://127.0.0.1:4567")
	}
	return base, nil
}

// client talks to one server.
type client struct {
	base  *url.URL
	name  string // how to call the server; empty: by its address
	flag  string // that names the server; for hints
	token string // empty: none is sent
	agent string
	http  *http.Client
}

// newClient makes a client of the server that a flag names; it keeps as many
// connections as it has users.
func newClient(flag, server string, users int) (*client, error) {
	base, err := parseServer(server)
	if err != nil {
		return nil, usageError(fmt.Errorf("server %q: %w", server, err))
	}
	return &client{base: base, flag: flag, agent: "markr/" + readBuild().Version, http: &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		MaxIdleConnsPerHost:   users,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		ResponseHeaderTimeout: answerWait,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
	}}}, nil
}

// server is how to call the server in a message.
func (c *client) server() string {
	if c.name != "" {
		return c.name
	}
	return c.base.String()
}

// url is the address of a path, given as segments that are escaped here: an id
// with a slash stays one segment.
func (c *client) url(query url.Values, segments ...string) string {
	escaped := make([]string, len(segments))
	for i, segment := range segments {
		escaped[i] = url.PathEscape(segment)
	}
	address := strings.TrimSuffix(c.base.String(), "/") + "/" + strings.Join(escaped, "/")
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// answer is a response whose body has been read.
type answer struct {
	status     int
	body       []byte
	retryAfter time.Duration // what the server asked for; 0 if it did not
}

// do sends a request and reads the answer. The error is a server that cannot be
// reached, whatever the status is.
func (c *client) do(request *http.Request) (answer, error) {
	response, err := c.begin(request)
	if err != nil {
		return answer{}, err
	}
	return c.whole(response)
}

// begin sends a request and reads the head of the answer.
func (c *client) begin(request *http.Request) (*http.Response, error) {
	request.Header.Set("User-Agent", c.agent)
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.unreachable(err)
	}
	return response, nil
}

// whole reads an answer to its end.
func (c *client) whole(response *http.Response) (answer, error) {
	defer response.Body.Close() //nolint:errcheck // Nothing is lost: the body is read to its end.
	body, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
	if err != nil {
		return answer{}, c.unreachable(err)
	}
	a := answer{status: response.StatusCode, body: body}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		a.retryAfter = time.Duration(seconds) * time.Second
	}
	return a, nil
}

// get reads what is at a path. The error is a *problem for every status but 200.
func (c *client) get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	a, err := c.do(request)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, c.failure(a)
	}
	return a.body, nil
}

// unreachable names the server and the cause, without the request that net/http
// puts around it. A request given up by its context stays what it is.
func (c *client) unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	cause := err
	if e, ok := errors.AsType[*url.Error](err); ok {
		cause = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		cause = e.Err // The rest repeats the address.
	}
	if errors.Is(cause, fs.ErrPermission) { // Of a control socket.
		return withHint(fmt.Errorf("ask %s: %w", c.server(), cause), "be the user who runs the server, or root")
	}
	return withHint(unreachableError(fmt.Errorf("no answer from %s: %w", c.server(), cause)),
		fmt.Sprintf("start a server with `markr serve`, or name a running one with --%s or %s", c.flag, envName(c.flag)))
}

// problem is an error as the server tells it (RFC 9457).
type problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

// Error is what the server says, or the status when it says nothing.
func (p *problem) Error() string {
	switch {
	case p.Detail != "":
		return p.Detail
	case p.Title != "":
		return p.Title
	}
	return fmt.Sprintf("HTTP status %d %s", p.Status, http.StatusText(p.Status))
}

// readProblem reads the body of an answer that is an error.
func readProblem(a answer) *problem {
	p := &problem{}
	if json.Unmarshal(a.body, p) != nil {
		p = &problem{} // Not one of ours: a proxy's page, for example.
	}
	p.Status = a.status
	return p
}

// failure is the error for an answer that nobody expected.
func (c *client) failure(a answer) error {
	p := readProblem(a)
	if c.name != "" && tryAgain(a.status) {
		return withHint(unreachableError(fmt.Errorf("%s: %w", c.name, p)), "try again")
	}
	if tryAgain(a.status) {
		return withHint(unreachableError(fmt.Errorf("%s: %w", c.base, p)),
			"try again; what the server is waiting for stands at "+c.url(nil, "readyz"))
	}
	err := fmt.Errorf("%s: %w", c.server(), p)
	if p.Code == "unauthorized" || p.Code == "forbidden" { // Not a proxy's.
		return withHint(err, "name a file with a token with --bearer-file or "+envName("bearer-file"))
	}
	if p.Code == "" {
		return withHint(err, "is this a Markr server? `markr healthcheck --url "+c.url(nil, "readyz")+"` tells")
	}
	return err
}

// tryAgain says whether the same request may succeed later: the contract says so
// of everything that is neither 2xx nor 4xx, and of 429.
func tryAgain(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}
