package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"headway/internal/engine"
	"headway/internal/openai"
	"headway/workload"
)

// completion is one request for text on its way through the server.
type completion struct {
	server  *Server
	request openai.ServerRequest
	hints   hints
	adapter uint64
	plan    plan
	fate    fate
	reply   *openai.ServerReply
	stream  *stream
	out     *output
	sent    int   // tokens written
	held    int64 // of the memory of all bodies
}

// complete answers a chat or text completion.
func (s *Server) complete(w http.ResponseWriter, r *http.Request, chat bool) {
	out := newOutput(w, r)
	c := &completion{server: s, out: out, fate: s.faults.draw(), hints: hints{worker: -1}}
	out.patience = s.cfg.WriteTimeout
	err := c.answer(r, chat)
	s.bodies.Add(-c.held)
	out.settle()
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
		c.plan.hints, c.plan.adapter = c.hints, c.adapter
		c.out.entry.PromptTokens = c.plan.prompt
	}
	if refusal == nil && c.fate.fail {
		refusal = &openai.ServerError{Status: http.StatusInternalServerError, Type: "server_error",
			Message: "simulated failure"}
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
	c.out.entry.served(c.stream.at(), c.server.cfg.Cluster.Tiers)
	return err
}

// read takes in the body and notes when its last byte came.
func (c *completion) read(r *http.Request, chat bool) *openai.ServerError {
	body, held, refusal := c.server.readBody(c.out.w, r)
	c.held = held
	at, kernel := c.out.conn.Received()
	c.out.entry.received(at, kernel)
	if refusal != nil {
		return refusal
	}
	if refusal = c.server.cfg.Known.check(body); refusal != nil {
		return refusal
	}
	if err := workload.CheckHints(body); err != nil && c.server.cfg.Known != nil {
		return refusedFields("Failed to deserialize the JSON body into the target type: " + err.Error())
	}
	c.request, refusal = openai.ParseServerRequest(chat, body)
	if refusal == nil && bytes.Contains(body, []byte(`"nvext"`)) {
		var err error
		if c.hints, err = parseHints(body); err != nil {
			refusal = invalid(err.Error())
		}
	}
	c.hints.class = r.Header.Get("X-Dynamo-Meta-Policy-Class")
	if refusal == nil {
		c.adapter, refusal = c.server.adapter(c.request.Model)
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
	c.reply = openai.NewServerReply(c.request.Chat, id, c.request.Model, c.server.driver.wall(c.stream.submitted))
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
	if _, _, err := c.stream.wait(r.Context(), nil); err != nil {
		return err
	}
	var text []byte
	for i := range c.plan.tokens {
		text = append(text, c.server.word(c.plan, i)...)
	}
	body := c.reply.AppendWhole(nil, string(text), c.plan.reason, c.usage(c.plan.tokens))
	err := c.out.body(http.StatusOK, c.telling(body, true))
	if err == nil {
		c.sent = c.plan.tokens
	}
	return err
}

// events sends every token as soon as it is there, those of one step in one event. The head of the reply goes
// out at once, as vLLM's does; the event with the role comes with the first
// token.
func (c *completion) events(r *http.Request) error {
	if err := c.out.head(); err != nil {
		return err
	}
	var steps []int
	for {
		var finished bool
		var err error
		steps, finished, err = c.stream.wait(r.Context(), steps[:0])
		if err != nil {
			return err
		}
		for _, n := range steps {
			if err := c.tokens(n); err != nil || c.out.entry.Outcome == outcomeCut {
				return err
			}
		}
		if finished {
			return c.ending()
		}
	}
}

// tokens writes those of one step, and before them what the reply begins with, what a
// fault puts there, or the end that a fault makes.
func (c *completion) tokens(n int) error {
	out, middle := c.out, c.plan.tokens/2
	if c.sent == 0 && c.request.Chat {
		if err := out.event(kindRole, c.telling(c.reply.AppendRole(out.buf[:0]), false)); err != nil {
			return err
		}
	}
	reached := c.sent <= middle && middle < c.sent+n
	if c.fate.garbage && reached {
		if err := out.event(kindGarbage, c.reply.AppendGarbage(out.buf[:0])); err != nil {
			return err
		}
	}
	if c.fate.cut && reached {
		out.entry.Outcome = outcomeCut
		if c.fate.abort {
			return errAbort
		}
		return nil
	}
	text := c.server.word(c.plan, c.sent)
	for i := 1; i < n; i++ {
		text += c.server.word(c.plan, c.sent+i)
	}
	if err := out.event(kindToken, c.reply.AppendText(out.buf[:0], text)); err != nil {
		return err
	}
	c.sent += n
	return nil
}

// ending writes what follows the last token.
func (c *completion) ending() error {
	out := c.out
	if err := out.event(kindFinish, c.telling(c.reply.AppendFinish(out.buf[:0], c.plan.reason), true)); err != nil {
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
		By: openai.ServerWorkers{Tell: c.server.several() && !c.hints.tellWorkers,
			Prefill: at.prefill, Decode: at.worker}}
}
