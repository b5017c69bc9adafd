package study

import (
	"fmt"
	"hash/maphash"
	"math/bits"
	"slices"

	"headway/record"
)

// Usage by which a server says how much of a prompt it did not compute.
const (
	promptTokens = "prompt_tokens"
	cachedTokens = "prompt_cache_read_tokens"
)

const (
	// textBlock is the unit in bytes in which prompts are compared: about the
	// 16 tokens that caches keep together.
	textBlock = 64
	// mostBlocks bounds what is kept of the prompts, to some 40 MB. What comes
	// after it is not looked at.
	mostBlocks = 1 << 20
	// ownTokens is what a chat template may put before every prompt beyond what
	// usage tells of it.
	ownTokens = 64
	// warmShare is the share of prompt tokens that may come from a cache without
	// the run's own prompts explaining it.
	warmShare = 0.10
)

// reuse is a record.Sink before another that still has the texts. It holds what
// the server took from its prefix cache against what the prompts of this run
// share: a server that has seen them before, in an earlier run with the same
// seed, computes next to nothing, and TTFT says so without anybody noticing.
//
// A prompt can be in the cache as far as another prompt of the run, with its
// reply, begins with the same text. Which of two came first does not matter to
// the sum.
type reuse struct {
	next record.Sink
	seed maphash.Seed
	seen map[uint64]struct{} // a hash for each block, of all text up to its end

	tokens, cached, shared, beyond float64 // of the prompts that were looked at
}

func newReuse(next record.Sink) *reuse {
	return &reuse{next: next, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
}

// Take looks at r and passes it on; the error is that of the next Sink.
func (u *reuse) Take(r *record.Record) error {
	if r.Text != nil && len(r.Text.Prompt) > 0 && len(u.seen) < mostBlocks {
		u.look(r)
	}
	return u.next.Take(r)
}

func (u *reuse) look(r *record.Record) {
	prompt := r.Text.Prompt
	known := u.enter(prompt + " " + string(r.Text.Content))
	tokens, cached := float64(r.Usage[promptTokens]), float64(r.Usage[cachedTokens])
	if r.Warmup || r.Outcome != record.OK || tokens <= 0 {
		return
	}
	shared := min(1, float64(known+textBlock)/float64(len(prompt))) * tokens
	if known == 0 {
		shared = 0
	}
	template := 0.0
	if r.PlannedISL > 0 {
		template = max(0, tokens-float64(r.PlannedISL))
	}
	u.tokens, u.cached, u.shared = u.tokens+tokens, u.cached+cached, u.shared+shared
	u.beyond += max(0, cached-shared-template-ownTokens)
}

// enter keeps the blocks of a text and returns how many bytes at its beginning
// were known.
func (u *reuse) enter(text string) (known int) {
	hash, fresh := uint64(0), false
	for i := 0; i+textBlock <= len(text); i += textBlock {
		hash = bits.RotateLeft64(hash, 7)*0x9e3779b97f4a7c15 ^ maphash.String(u.seed, text[i:i+textBlock])
		if _, ok := u.seen[hash]; ok && !fresh {
			known = i + textBlock
			continue
		}
		fresh = true
		u.seen[hash] = struct{}{}
	}
	return known
}

// warn adds a warning to a list where the server's cache was warm.
func (u *reuse) warn(list []record.Warning) []record.Warning {
	if u.tokens <= 0 || u.beyond <= warmShare*u.tokens {
		return list
	}
	return append(slices.Clip(list), record.Warning{Code: "cache_was_warm", Text: fmt.Sprintf(
		"The server took %.3g %% of the prompt tokens from its prefix cache, and the prompts of this run share at "+
			"most %.3g %%: "+
			"it has seen them before, as in an earlier run with the same --random-seed. TTFT is that of a warm cache; "+
			"choose another seed, or empty the server's cache.", 100*u.cached/u.tokens, 100*u.shared/u.tokens)})
}
