package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"headway/internal/fault"
	"headway/internal/openai"
	"headway/record"
	"headway/workload"
)

// The requests of an endpoint's checks.
const (
	wholeTokens = 8  // output of a completion that comes whole
	longTokens  = 32 // output of a stream whose chunks are looked at
	shortTokens = 4  // output that a limit is tried with
	// longNumbers is the length of the prompt that is sent twice: two to three
	// tokens a number.
	longNumbers = 1000
	// mostRequests is how many completions are asked for at most: one whole, one
	// stream, three about fields that are refused, four about lengths, two about
	// the cache.
	mostRequests = 11
	// oneRequest bounds a request.
	oneRequest = 8 * time.Second
	// replyEvents bounds a reply, with room for events without text: a server that
	// does not stop is found by less than it would send.
	replyEvents = 3 * longTokens
)

// The prompts: one with a short answer, and one with a long one.
const (
	shortAnswer = "Reply with the single word: ready"
	longAnswer  = "Count from one to two hundred in words."
)

// endpoint is what is learnt about a server from check to check.
type endpoint struct {
	written string // the address as it was given
	flag    func(fault.Field) string
	client  openai.Config
	reach   openai.Reach
	target  *openai.Target
	agreed  openai.Agreed
	asked   int
	answers []openai.Answer  // of pages
	streams []*record.Record // replies that came as streams
	// honoured are the limits of a reply that were kept.
	honoured map[string]bool
}

// OfEndpoint is the server at the first address of c. Its models may be empty: the
// first that the server lists is then asked for. The caller calls end; name is what options are called.
func OfEndpoint(c openai.Config, name func(fault.Field) string) (s Subject, end func()) {
	e := &endpoint{written: c.URLs[0], client: c, flag: name, honoured: map[string]bool{}}
	e.client.URLs = c.URLs[:1]
	e.client.Extra = withoutLengths(c.Extra)
	e.client.Streaming = true
	e.client.PerChunkUsage = false
	e.client.MaxReplyEvents = cmp.Or(c.MaxReplyEvents, replyEvents)
	if e.client.Timeout <= 0 || e.client.Timeout > oneRequest {
		e.client.Timeout = oneRequest
	}
	return Subject{
		Title: "endpoint " + openai.Shown(e.written),
		Note: fmt.Sprintf("sends at most %d requests with %d output tokens together", mostRequests,
			wholeTokens+3*longTokens+2*shortTokens+3+2),
		Secrets: c.Secrets(),
		Checks: []Check{
			{Name: "address", Run: e.address},
			{Name: "name", Needs: []string{"address"}, Run: e.name},
			{Name: "connect", Needs: []string{"name"}, Run: e.connect},
			{Name: "TLS", Needs: []string{"connect"}, Run: e.tls},
			{Name: "proxy", Needs: []string{"address"}, Run: e.proxy},
			{Name: "health", Needs: []string{"connect", "TLS"}, Run: e.health},
			{Name: "models", Needs: []string{"connect", "TLS"}, Run: e.models},
			{Name: "completion", Needs: []string{"models"}, Run: e.completion},
			{Name: "streaming", Needs: []string{"completion"}, Run: e.streaming},
			{Name: "usage", Needs: []string{"streaming"}, Run: e.usage},
			{Name: "ignore_eos", Needs: []string{"streaming"}, Run: e.ignoreEOS},
			{Name: "min_tokens", Needs: []string{"streaming"}, Run: e.minTokens},
			{Name: maxTokens, Needs: []string{"completion"}, Run: e.maxTokens},
			{Name: maxCompletionTokens, Needs: []string{"completion"}, Run: e.maxCompletionTokens},
			{Name: "chunks", Needs: []string{"streaming"}, Run: e.chunks},
			{Name: "first chunk", Needs: []string{"streaming"}, Run: e.firstChunk},
			{Name: "buffering", Needs: []string{"streaming"}, Run: e.buffering},
			{Name: "keep-alive", Needs: []string{"streaming"}, Run: e.keepAlive},
			{Name: "clock", Needs: []string{"connect", "TLS"}, Run: e.clock},
			{Name: "metrics", Needs: []string{"connect", "TLS"}, Run: e.metrics},
			{Name: "prefix cache", Needs: []string{"streaming"}, Limit: 2 * oneRequest, Run: e.prefixCache},
		},
	}, e.close
}

func (e *endpoint) close() {
	if e.target != nil {
		e.target.Close()
	}
}

// lengths are the fields that say how long a reply is to be, which are tried one by
// one.
var lengths = []string{maxTokens, maxCompletionTokens, "min_tokens", "ignore_eos", "stream"}

// withoutLengths is what the user adds to every request without them.
func withoutLengths(extra json.RawMessage) json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(extra, &all) != nil || len(all) == 0 {
		return extra
	}
	for _, name := range lengths {
		delete(all, name)
	}
	kept, err := json.Marshal(all)
	if err != nil {
		return extra // cannot be: it was JSON
	}
	return kept
}

// ask sends a request and returns when it has ended. tokens may be 0 where the
// limit is among the fields. What a stream brought is kept for later checks.
func (e *endpoint) ask(ctx context.Context, prompt string, tokens int, fields map[string]any) *record.Record {
	tape := record.NewTape(record.NewClock(), record.Record{}, nil)
	extra, err := json.Marshal(fields)
	if err == nil && e.target == nil {
		e.target, err = openai.NewTarget(e.client)
	}
	if err != nil {
		tape.Fail(&record.Failure{Class: record.ClassClient, Type: "ValueError", Message: err.Error()})
		return &tape.Record
	}
	if len(fields) == 0 {
		extra = nil
	}
	e.asked++
	done := make(chan struct{})
	e.target.Start(ctx, workload.Request{Index: 0, Session: fmt.Sprint("doctor ", e.asked), Turns: 1,
		Prompt: workload.Prompt{Text: prompt}, OutputTokens: tokens, Extra: extra}, tape, func() { close(done) })
	<-done
	r := &tape.Record
	if r.Streamed && (r.Failure == nil || cutOff(r)) {
		e.streams = append(e.streams, r)
	}
	return r
}

// cutOff says that a stream was ended here, by its length or its time, and has enough
// to look at.
func cutOff(r *record.Record) bool {
	f := r.Failure
	return f != nil && (f.Class == record.ClassTimeout || f.Class == record.ClassTooLarge) &&
		len(texts(r)) >= leastChunks
}

// refused is the finding of a request that was not answered.
func (e *endpoint) refused(f *record.Failure) Finding {
	if f.Class == record.ClassTimeout || f.Class == record.ClassCancelled {
		return failed(fmt.Sprintf("no answer to one request within %v", e.client.Timeout),
			"The server is overloaded, still loads its model, or waits for a worker: look at its log. With Dynamo "+
				"look at the workers, etcd and NATS: headway doctor --namespace NAME.")
	}
	return failed(f.Described(), openai.Advice(*f, e.client.Address()))
}

// output is how many tokens a reply has: by the server's usage, and otherwise at
// least as many as there were chunks with text.
func output(r *record.Record) (tokens int, exact bool) {
	if n, ok := r.Usage["completion_tokens"]; ok {
		return n, true
	}
	return len(texts(r)), false
}

// texts are the arrivals of a reply that carried text.
func texts(r *record.Record) []record.Arrival {
	var list []record.Arrival
	for _, a := range r.Arrivals {
		if a.Kind.Text() {
			list = append(list, a)
		}
	}
	return list
}

// longest is the stream with the most chunks so far, nil without one.
func (e *endpoint) longest() *record.Record {
	var best *record.Record
	for _, r := range e.streams {
		if best == nil || len(texts(r)) > len(texts(best)) {
			best = r
		}
	}
	return best
}

// milliseconds is a time in seconds for a sentence.
func milliseconds(seconds float64) string {
	switch ms := 1000 * seconds; {
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 10000:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", seconds)
}
