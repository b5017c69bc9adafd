package doctor

import (
	"context"
	"fmt"
	"strings"

	"headway/internal/openai"
	"headway/internal/plain"
	"headway/metric"
	"headway/record"
)

// completion asks for a reply that comes whole.
func (e *endpoint) completion(ctx context.Context) Finding {
	r := e.ask(ctx, shortAnswer, wholeTokens, map[string]any{"stream": false})
	if f := r.Failure; f != nil {
		found := e.refused(f)
		if e.sends() == maxCompletionTokens && f.Code/100 == 4 && strings.Contains(f.Message, maxCompletionTokens) {
			found.Do = "The server does not know max_completion_tokens: measure with --use-legacy-max-tokens."
		}
		return found
	}
	seen := "a reply"
	if took, known := metric.RequestLatency(r); known {
		seen += " in " + milliseconds(took)
	}
	if n, exact := output(r); exact {
		seen += ", " + plain.HowMany(n, "token", "tokens")
	}
	return ok(fmt.Sprintf("%s, finish_reason %q", seen, r.Finish))
}

// streaming asks for a reply as a stream.
func (e *endpoint) streaming(ctx context.Context) Finding {
	r := e.ask(ctx, shortAnswer, longTokens, nil)
	switch {
	case cutOff(r):
		return e.endless(len(texts(r)))
	case r.Failure != nil:
		return e.refused(r.Failure)
	case !r.Streamed:
		return failed("the reply to a request with \"stream\": true came whole", "TTFT and ITL cannot be measured: "+
			"look "+
			"whether a gateway collects replies, and whether this path of the API streams. Without streaming, leave "+
			"--streaming out.")
	}
	seen := plain.HowMany(len(texts(r)), "chunk with text", "chunks with text")
	if ttft, known := metric.TTFT(r); known {
		seen = "the first after " + milliseconds(ttft) + ", " + seen
	}
	if r.Skipped > 0 || r.Unknown > 0 {
		return warn(fmt.Sprintf("%s; %d chunks and %d lines could not be read", seen, r.Skipped, r.Unknown),
			"The stream is not that of the API in all of its parts: look at it with curl -N.")
	}
	return ok(seen)
}

// endless is the finding of a stream that had to be cut off after so many chunks.
func (e *endpoint) endless(chunks int) Finding {
	seen := fmt.Sprintf("%d chunks came, and no end, where %d tokens were asked for", chunks, longTokens)
	if chunks > longTokens {
		return warn(seen, "The server does not stop at the length that is asked for: the checks of the limits below "+
			"say "+
			"which one it knows.")
	}
	return warn(fmt.Sprintf("%s, within %v", seen, e.client.Timeout), "One request alone is slow: the server is "+
		"overloaded, or has no GPU. Under load expect requests to run out of time (--request-timeout-seconds).")
}

// usage looks for the server's own counts in the stream.
func (e *endpoint) usage(context.Context) Finding {
	r := e.streams[0]
	if r.Failure != nil {
		return skipped("the stream was cut off before its end, where usage stands")
	}
	out, has := r.Usage["completion_tokens"]
	if !has {
		return warn("the stream ends without usage", "Tokens are counted on this side, with --tokenizer: nothing "+
			"tells "+
			"whether the server counts the same. Look for an option of the server or gateway that lets stream_options "+
			"through.")
	}
	if in, has := r.Usage["prompt_tokens"]; has {
		return ok(fmt.Sprintf("%d prompt tokens, %d of output", in, out))
	}
	return warn(fmt.Sprintf("%d tokens of output, and no prompt_tokens", out),
		"Input lengths are counted on this side, with --tokenizer.")
}

// chunks holds the chunks of a stream against its tokens.
func (e *endpoint) chunks(context.Context) Finding {
	r := e.longest()
	n, exact := output(r)
	if !exact {
		return skipped("the stream has no usage that says how many tokens there were")
	}
	return perChunk(n, len(texts(r)))
}

// manyTokens is how many tokens a chunk may have, on average: some have text only
// together with the next one.
const manyTokens = 1.25

// perChunk judges how many tokens came in a chunk.
func perChunk(tokens, chunks int) Finding {
	if chunks == 0 {
		return skipped("no chunk had text")
	}
	seen := fmt.Sprintf("%d tokens in %s", tokens, plain.HowMany(chunks, "chunk", "chunks"))
	if float64(tokens) > manyTokens*float64(chunks) {
		return warn(fmt.Sprintf("%s: %.1f in each", seen, float64(tokens)/float64(chunks)),
			"Gaps between chunks are of several tokens: set the server's stream interval to 1 (vLLM and SGLang "+
				"--stream-interval 1), or take ITL and throughput from usage (--token-count server, "+
				"--per-chunk-usage). "+
				"Speculative decoding does the same.")
	}
	if 2*tokens < chunks {
		return warn(seen, "The server sends more chunks than it counts tokens: trust neither count, and look at a "+
			"stream with curl -N.")
	}
	return ok(seen)
}

// firstChunk looks how the head of the reply and its first chunk came.
func (e *endpoint) firstChunk(context.Context) Finding {
	apart := 0
	for _, r := range e.streams {
		if r.HTTP.FirstBody != r.HTTP.FirstByte {
			apart++
		}
	}
	if e.client.HTTP2 {
		return skipped("HTTP/2 has frames of its own")
	}
	return headApart(apart, len(e.streams), metric.HeldFirstChunks(e.streams))
}

// headApart judges of how many streams the head came before the first chunk, and how
// many first chunks came as late as a delayed acknowledgement lets them.
func headApart(apart, streams, held int) Finding {
	switch {
	case held > 0:
		return warn(fmt.Sprintf("in %d of %d streams the first chunk came together with the second, as long after the "+
			"head as an acknowledgement may be delayed", held, streams), "Turn Nagle's algorithm off at the server or "+
			"the proxy (TCP_NODELAY): TTFT is up to 40 ms too long, and ITL too short.")
	case apart == 0:
		return ok("head and first chunk came in one segment")
	}
	return ok(fmt.Sprintf("the head came before the first chunk in %d of %d streams, and did not hold it up", apart,
		streams))
}

// buffering looks whether chunks came when they were made.
func (e *endpoint) buffering(context.Context) Finding {
	r := e.longest()
	f := gathered(r)
	if f.Status == Warn {
		if by := e.gateway(); by != "" {
			f.Seen += "; replies pass " + by
		}
	}
	return f
}

// What a stream must have so that its reads say something, and how short its chunks
// may be apart in all, as a part of TTFT.
const (
	leastChunks = 8
	burst       = 0.05
)

// gathered judges whether the chunks of a stream were collected on their way.
func gathered(r *record.Record) Finding {
	list := texts(r)
	if len(list) < leastChunks {
		return skipped(fmt.Sprintf("%s say nothing: replies are too short", plain.HowMany(len(list), "chunk",
			"chunks")))
	}
	reads := 0
	for i, a := range list {
		if i == 0 || !a.Coalesced {
			reads++
		}
	}
	span := float64(list[len(list)-1].At-list[0].At) / 1e9
	ttft, known := metric.TTFT(r)
	seen := fmt.Sprintf("%d chunks came in %s, %s from the first to the last", len(list),
		plain.HowMany(reads, "read", "reads"), milliseconds(span))
	if 4*reads <= len(list) || known && span < burst*ttft {
		return warn(seen, "Something collects the stream, so that TTFT is late and ITL means nothing: turn buffering "+
			"off "+
			"in the gateway (nginx: proxy_buffering off, or X-Accel-Buffering: no from the server), and compare with "+
			"the "+
			"server's own port. A server of microseconds a token does the same.")
	}
	return ok(seen)
}

// gateway is what answers say of whom they passed.
func (e *endpoint) gateway() string {
	for _, a := range e.answers {
		for _, name := range []string{"Via", "X-Envoy-Upstream-Service-Time", "Server"} {
			if v := a.Header.Get(name); v != "" {
				return fmt.Sprintf("%s: %.60s", name, e.client.Secrets().Text(v))
			}
		}
	}
	return ""
}

// keepAlive looks whether a connection served more than one request.
func (e *endpoint) keepAlive(context.Context) Finding {
	reused := 0
	for _, r := range e.streams {
		if r.HTTP.Reused {
			reused++
		}
	}
	switch {
	case e.client.ConnectionReuse == openai.ReuseNever:
		return skipped("--connection-reuse-strategy never")
	case len(e.streams) < 2:
		return skipped("one stream alone says nothing")
	case reused == 0:
		return warn(fmt.Sprintf("none of %d requests found its connection open", len(e.streams)), "The server, or a "+
			"gateway, closes connections after each reply: connecting is in every TTFT, and ports may run out. Turn "+
			"keep-alive on.")
	}
	return ok(fmt.Sprintf("%d of %d requests went over a connection that was open", reused, len(e.streams)))
}
