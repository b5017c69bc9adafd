package openai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"headway/record"
)

// Get asks the i-th server of c for a path below its root, with what requests to
// it have: proxy, TLS, headers and credentials. It reads at most limit bytes of
// the reply; a status that is no success is an error.
func (c Config) Get(ctx context.Context, i int, path string, limit int64) ([]byte, error) {
	a, err := c.call(ctx, http.MethodGet, i, path, limit)
	return a.Body, c.success(i, path, a, err)
}

// Post asks the i-th server of c to do what a path below its root stands for, with
// an empty body; see [Config.Get].
func (c Config) Post(ctx context.Context, i int, path string) error {
	a, err := c.call(ctx, http.MethodPost, i, path, 0)
	return c.success(i, path, a, err)
}

// Answer is a whole answer of a server, with whatever status.
type Answer struct {
	Status int
	// Reason is the status line without the protocol: "404 Not Found".
	Reason string
	Header http.Header
	// Body is its beginning, as long as was allowed.
	Body []byte
	// Asked and Came are right before the request and right after the answer's head.
	Asked, Came time.Time
}

// Ask is [Config.Get] with the answer as it came: a status that is no success is
// no error. The error of a request without an answer is a *record.Failure, fit to
// be shown.
func (c Config) Ask(ctx context.Context, i int, path string, limit int64) (Answer, error) {
	return c.call(ctx, http.MethodGet, i, path, limit)
}

// success is the error of an answer that is none.
func (c Config) success(i int, path string, a Answer, err error) error {
	var f *record.Failure
	s, _ := newServer(c, i)
	switch {
	case errors.As(err, &f):
		return fmt.Errorf("asking %s: %s", s.shownAt(path), f.Message)
	case err != nil:
		return err
	case a.Status < 200 || a.Status > 299:
		return fmt.Errorf("asking %s: it answers %s", s.shownAt(path), a.Reason)
	}
	return nil
}

func (c Config) call(ctx context.Context, method string, i int, path string, limit int64) (Answer, error) {
	c.Defaults()
	secure, err := clientTLS(c)
	if err != nil {
		return Answer{}, err
	}
	s, err := newServer(c, i)
	if err != nil {
		return Answer{}, err
	}
	o := &outlet{dialer: newDialer(c), tls: secure, sockets: map[string]string{}}
	if s.socket != "" {
		o.sockets[s.url.Hostname()] = s.socket
	}
	to := s.at(path)
	req, err := http.NewRequestWithContext(ctx, method, to.String(), http.NoBody)
	if err != nil {
		return Answer{}, err
	}
	t := Target{c: c, servers: []server{s}, words: newWording(c)}
	t.headers(req, 0)
	tr := o.transport(c)
	defer tr.CloseIdleConnections()
	a := Answer{Asked: time.Now()}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		f := unanswered(ctx, err)
		t.words.tell(f)
		s.named(f)
		return a, f
	}
	defer func() { _ = resp.Body.Close() }() // read, or of no use
	a.Came, a.Status, a.Header = time.Now(), resp.StatusCode, resp.Header
	a.Reason = t.words.excerpt([]byte(resp.Status))
	if a.Body, err = io.ReadAll(io.LimitReader(resp.Body, limit)); err != nil {
		f := truncated("reading the answer: " + cause(err))
		t.words.tell(f)
		return a, f
	}
	return a, nil
}

// at is the address of a path of the server, which is none of its endpoint.
func (s server) at(path string) url.URL {
	to := *s.url
	to.RawQuery = ""
	setPath(&to, path)
	return to
}

// shownAt is [server.at] as the user knows the server.
func (s server) shownAt(path string) string {
	to := s.at(path)
	if s.socket != "" {
		return "unix://" + s.socket + to.RequestURI()
	}
	return to.String()
}

// unanswered is the failure of a request that got no answer.
func unanswered(ctx context.Context, err error) *record.Failure {
	if ctx.Err() != nil {
		return timedOut("no answer in time")
	}
	if broke(err) {
		return &record.Failure{Class: record.ClassReset, Type: "ServerDisconnectedError",
			Message: "the connection broke before the answer: " + cause(err)}
	}
	return unconnected(err, false)
}
