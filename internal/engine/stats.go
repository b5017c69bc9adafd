package engine

import "time"

// Stats is the engine's present state and what it has done so far.
type Stats struct {
	// Running sequences hold KV blocks; Waiting ones do not.
	Running, Waiting int
	// KVShare is the share of the KV blocks in use, 0 to 1.
	KVShare float64
	// CachedBlocks are not in use and can be found by a prompt.
	CachedBlocks int
	// Submitted, Finished, HandedOver and Cancelled count requests, Preempted
	// preemptions.
	Submitted, Finished, HandedOver, Cancelled, Preempted int64
	// PromptTokens counts the prompts of requests whose first token came;
	// GeneratedTokens counts the tokens produced; Steps the passes.
	PromptTokens, GeneratedTokens, Steps int64
	// QueriedTokens counts the contexts of first admissions, CachedTokens
	// what of them was in the prefix cache or in a tier below it, OnboardedTokens
	// what each tier had.
	QueriedTokens, CachedTokens int64
	OnboardedTokens             [MaxTiers]int64
	// Drafts counts the drafts that were verified, one a step for each sequence that
	// decodes; DraftTokens the tokens in them, AcceptedTokens those accepted, and
	// AcceptedAt those of each position. As in vLLM, what is accepted beyond the end of
	// a reply counts.
	Drafts, DraftTokens, AcceptedTokens int64
	AcceptedAt                          [MaxDraftTokens]int64
	// AdapterLoads counts the adapters that were loaded, AdapterLoadTime is how long
	// steps took for it; AdapterSlots is how many adapters are there now, and
	// AdaptersInUse how many of them by a running sequence.
	AdapterLoads                int64
	AdapterLoadTime             time.Duration
	AdapterSlots, AdaptersInUse int
	// TransferredTokens counts the tokens whose keys and values a DecodeOnly
	// worker waited for, and Transfers how often it waited. TransferTime is how long
	// all of them took together, and TransferWait what of that they waited for links
	// which others held. A transfer counts in full when it is asked for.
	TransferredTokens, Transfers int64
	TransferTime, TransferWait   time.Duration
}

// Stats returns the engine's state as of the last Step. Requests submitted
// since then count as waiting.
func (e *Engine) Stats() Stats {
	s := e.stats
	s.Running, s.Waiting = e.running.n, e.waiting.len()
	for _, in := range e.inputs.all() {
		if !in.cancel {
			s.Waiting++
		}
	}
	s.KVShare, s.CachedBlocks = e.share(), e.pool.inactive
	s.AdapterSlots, s.AdaptersInUse = e.adapters.count()
	return s
}
