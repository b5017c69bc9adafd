package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"headway/internal/engine"
	"headway/internal/openai"
)

// completion is one request for text on its way through the server.
type completion struct {
	server  *Server
	request openai.ServerRequest
	hints   hints
	plan    plan
	fault   fault
	reply   *openai.ServerReply
	stream  *stream
	out     *output
	sent    int // tokens written
}

// complete answers a chat or text completion.
func (s *Server) complete(w http.ResponseWriter, r *http.Request, chat bool) {
	out := newOutput(w, r)
	c := &completion{server: s, out: out, fault: s.faults.draw(), hints: hints{worker: -1}}
	err := c.answer(r, chat)
	out.entry.OutputTokens = c.sent
	if s.log != nil {
		s.log.add(out.entry)
	}
	if errors.Is(err, errAbort) {
		// net/http closes the connection without ending the reply.
		panic(http.ErrAbortHandler)
	}
}

// errAbort asks for the connection to be broken off.
var errAbort = errors.New("simulated loss of the connection")

// answer reads, plans, and writes the reply. The error is errAbort or one of
// the socket; whatever it is, the entry of the log says what happened.
func (c *completion) answer(r *http.Request, chat bool) error {
	refusal := c.read(r, chat)
	if refusal == nil {
		c.plan, refusal = c.server.planReply(c.request)
		c.plan.hints = c.hints
		c.out.entry.PromptTokens = c.plan.prompt
	}
	if refusal == nil && c.fault.fail {
		refusal = &openai.ServerError{Status: http.StatusInternalServerError, Type: "server_error", Message: "simulated failure"}
	}
	if refusal == nil {
		refusal = c.submit()
	}
	if refusal != nil {
		return c.out.refuse(refusal)
	}
	err := c.write(r)
	c.server.driver.closeStream(c.stream)
	c.out.entry.stations(c.server.driver, c.stream.times())
	c.out.entry.Worker = c.stream.at().worker
	return err
}

// read takes in the body and notes when its last byte came.
func (c *completion) read(r *http.Request, chat bool) *openai.ServerError {
	limit := c.server.cfg.MaxBodyBytes
	body, err := io.ReadAll(http.MaxBytesReader(c.out.w, r.Body, limit))
	at, kernel := c.out.conn.Received()
	c.out.entry.received(at, kernel)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &openai.ServerError{
			Status: http.StatusRequestEntityTooLarge, Type: "invalid_request_error",
			Message: fmt.Sprintf("the body is larger than %d bytes", limit),
		}
	}
	if err != nil {
		return &openai.ServerError{
			Status: http.StatusBadRequest, Type: "invalid_request_error",
			Message: fmt.Sprintf("reading the body: %v", err),
		}
	}
	var refusal *openai.ServerError
	c.request, refusal = openai.ParseServerRequest(chat, body)
	if refusal == nil && bytes.Contains(body, []byte(`"nvext"`)) {
		if c.hints, err = parseHints(body); err != nil {
			refusal = invalid(err.Error())
		}
	}
	if refusal == nil && c.request.Model != c.server.cfg.Model {
		refusal = c.server.unknownModel(c.request.Model)
	}
	return refusal
}

// submit hands the request to a worker. The reply's head goes out before the
// request is done, so it can name the worker only where one was chosen at
// once, and with prefill workers it names that one.
func (c *completion) submit() *openai.ServerError {
	// A worker computes at least one token: even an empty chat has a template
	// around it. usage still says what the text has.
	st, err := c.server.driver.submit(c.sinceReceived(), max(c.plan.prompt, 1), c.plan, !c.request.Stream)
	var long *engine.TooLongError
	switch {
	case errors.As(err, &long):
		return tooLong(long.Capacity, c.plan.prompt, c.plan.tokens)
	case err != nil:
		return invalid(err.Error())
	}
	c.stream = st
	if c.server.several() && st.chosen >= 0 {
		c.out.w.Header().Set("X-Worker-Id", strconv.Itoa(st.chosen))
	}
	return nil
}

// sinceReceived is how long ago the last byte of the request came; 0 where the
// clock was set meanwhile.
func (c *completion) sinceReceived() time.Duration {
	at, _ := c.out.conn.Received()
	if at.IsZero() {
		return 0
	}
	// The kernel's time is one of the wall clock.
	if ago := time.Now().Round(0).Sub(at.Round(0)); ago < time.Second {
		return max(ago, 0)
	}
	return 0
}

// write sends the reply and notes how it ended.
func (c *completion) write(r *http.Request) error {
	prefix := "cmpl"
	if c.request.Chat {
		prefix = "chatcmpl"
	}
	id := fmt.Sprintf("%s-%016x%08x", prefix, uint64(c.server.key), c.stream.id)
	c.reply = openai.NewServerReply(c.request.Chat, id, c.server.cfg.Model, c.server.driver.wall(c.stream.submitted))
	var err error
	if c.request.Stream {
		err = c.events(r)
	} else {
		err = c.whole(r)
	}
	if err != nil && !errors.Is(err, errAbort) {
		c.out.entry.Outcome = outcomeCancelled
	}
	return err
}

// whole waits for the last token and sends everything in one body.
func (c *completion) whole(r *http.Request) error {
	if _, _, err := c.stream.wait(r.Context()); err != nil {
		return err
	}
	var text []byte
	for i := range c.plan.tokens {
		text = append(text, c.server.word(c.plan, i)...)
	}
	body := c.reply.AppendWhole(nil, string(text), c.plan.reason, c.usage(c.plan.tokens))
	err := c.out.body(http.StatusOK, body)
	if err == nil {
		c.sent = c.plan.tokens
	}
	return err
}

// events sends every token as soon as it is there. The head of the reply goes
// out at once, as vLLM's does; the event with the role comes with the first
// token.
func (c *completion) events(r *http.Request) error {
	if err := c.out.head(); err != nil {
		return err
	}
	for {
		tokens, finished, err := c.stream.wait(r.Context())
		if err != nil {
			return err
		}
		for range tokens {
			if err := c.token(); err != nil || c.out.entry.Outcome == outcomeCut {
				return err
			}
		}
		if finished {
			return c.ending()
		}
	}
}

// token writes one token, and before it what the reply begins with, what a
// fault puts there, or the end that a fault makes.
func (c *completion) token() error {
	out, middle := c.out, c.plan.tokens/2
	if c.sent == 0 && c.request.Chat {
		if err := out.event(kindRole, c.reply.AppendRole(out.buf[:0])); err != nil {
			return err
		}
	}
	if c.fault.garbage && c.sent == middle {
		if err := out.event(kindGarbage, c.reply.AppendGarbage(out.buf[:0])); err != nil {
			return err
		}
	}
	if c.fault.cut && c.sent == middle {
		out.entry.Outcome = outcomeCut
		if c.fault.abort {
			return errAbort
		}
		return nil
	}
	text := c.server.word(c.plan, c.sent)
	if err := out.event(kindToken, c.reply.AppendText(out.buf[:0], text)); err != nil {
		return err
	}
	c.sent++
	return nil
}

// ending writes what follows the last token.
func (c *completion) ending() error {
	out := c.out
	if err := out.event(kindFinish, c.reply.AppendFinish(out.buf[:0], c.plan.reason)); err != nil {
		return err
	}
	if c.request.IncludeUsage {
		if err := out.event(kindUsage, c.reply.AppendUsage(out.buf[:0], c.usage(c.sent))); err != nil {
			return err
		}
	}
	return out.event(kindDone, append(out.buf[:0], openai.ServerDone...))
}

func (c *completion) usage(tokens int) openai.ServerUsage {
	at := c.stream.at()
	return openai.ServerUsage{PromptTokens: c.plan.prompt, CompletionTokens: tokens, CachedTokens: at.cached,
		By: openai.ServerWorkers{Tell: c.server.several(), Prefill: at.prefill, Decode: at.worker}}
}
