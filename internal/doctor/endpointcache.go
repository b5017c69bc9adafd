package doctor

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	"headway/metric"
	"headway/record"
)

// prefixCache sends a long prompt twice.
func (e *endpoint) prefixCache(ctx context.Context) Finding {
	if !e.honoured[e.sends()] {
		return skipped("replies do not stop at one token, which would hide the prompt's time")
	}
	prompt := longPrompt()
	var twice [2]cacheFacts
	for i := range twice {
		r := e.ask(ctx, prompt, 1, nil)
		if f := r.Failure; f != nil && f.Class != record.ClassEmpty {
			if f.Code/100 == 4 {
				return skipped("the server does not take a long prompt: " + f.Described())
			}
			return e.refused(f)
		}
		twice[i] = factsOf(r)
	}
	return cached(twice[0], twice[1])
}

// longPrompt is a prompt that no server has seen: its first words are drawn.
func longPrompt() string {
	var b strings.Builder
	b.WriteString("Request " + rand.Text() + ". Remember these numbers:")
	for i := range longNumbers {
		b.WriteString(" " + strconv.Itoa(i))
	}
	return b.String()
}

// cacheFacts are what a reply tells of the cache.
type cacheFacts struct {
	prompt, cached int
	told           bool // that is the server's own word
	ttft           float64
	timed          bool
}

// factsOf reads them of a reply.
func factsOf(r *record.Record) (f cacheFacts) {
	f.prompt = r.Usage["prompt_tokens"]
	f.cached, f.told = r.Usage["prompt_cache_read_tokens"]
	f.ttft, f.timed = metric.TTFT(r)
	return f
}

// How much sooner the second reply must begin where nothing else tells of a cache:
// by a part, and in seconds.
const (
	soonerShare = 0.5
	soonerTime  = 0.010
)

const cacheOff = "Where requests share prefixes (conversations, system prompts), every one is computed again: turn " +
	"it on " +
	"(vLLM --enable-prefix-caching; SGLang: no --disable-radix-cache; TensorRT-LLM enable_block_reuse). Behind a " +
	"router the second request may have met another worker: look for KV-aware routing."

// cached judges the replies to one prompt sent twice.
func cached(first, second cacheFacts) Finding {
	times := ""
	if first.timed && second.timed {
		times = fmt.Sprintf("TTFT %s, then %s", milliseconds(first.ttft), milliseconds(second.ttft))
	}
	tokens := fmt.Sprintf("%d of %d prompt tokens of the second request were cached", second.cached, second.prompt)
	seen := strings.TrimSuffix(tokens+"; "+times, "; ")
	switch {
	case second.told && second.cached > 0:
		return ok(seen)
	case first.timed && second.timed && second.ttft < soonerShare*first.ttft && first.ttft-second.ttft > soonerTime:
		return ok(times + ": the cache was used, though usage does not tell")
	case second.told:
		return warn(seen, cacheOff)
	case times == "":
		return skipped("the replies have neither cached_tokens nor text")
	}
	return warn("usage tells nothing of cached tokens; "+times+", no sign of a cache", "vLLM tells with "+
		"--enable-prompt-tokens-details, SGLang with --enable-cache-report. "+cacheOff)
}
