package router

import (
	"fmt"
	"math"
	"time"

	"headway/internal/fault"
	"headway/workload"
)

// MaxWorkers bounds the workers of one router.
const MaxWorkers = 1 << 14

// Config describes a router. Zero is a meaningful value of most fields (no
// credit, no queue), so nothing is filled in: start from [Defaults].
type Config struct {
	Mode Mode
	// Workers is how many workers there are, numbered from 0.
	Workers int
	// BlockSize is the length of a KV block in tokens, that of the workers.
	BlockSize int
	// Seed names the randomness: ties, Random, PowerOfTwo, Temperature. The
	// draws for a request follow from the seed and the request's ID alone, so
	// they do not depend on which requests were decided before.
	Seed workload.Key

	// OverlapScoreCredit is the credit for a block that the worker has on its
	// device, 0 or more; 0 routes without regard to the caches, and above 1 a
	// cached block makes up for some that are not, down to a prefill of 0.
	OverlapScoreCredit float64
	// CreditDecay (k) reduces the device credit of a worker that has more
	// prefill to do than the least loaded one: by 1/(1 + k·excess/request),
	// both in blocks. 0 is off.
	CreditDecay float64
	// HostCredit and DiskCredit are the credits for blocks in the memory and
	// on the disk of the worker's host, 0 to 1.
	HostCredit, DiskCredit float64
	// PrefillLoadScale weighs prefill against decode. The overlap_score_weight
	// of older releases is this.
	PrefillLoadScale float64
	// RequestWeight (w_req) is the cost of each request that the worker runs.
	RequestWeight float64
	// Temperature spreads the choice by a softmax over the costs, scaled to
	// their range; 0 takes the lowest cost, and one of those that are equal.
	Temperature float64

	// UseKVEvents says that the workers tell what they cache ([Router.Apply]).
	// Without, the router predicts it: what it sent to a worker is there for
	// TTL after it was last sent, and the least recently sent is forgotten
	// when there are more than MaxTreeBlocks, until PruneTarget (a share of
	// MaxTreeBlocks) are left. A block counts once for each worker.
	UseKVEvents   bool
	TTL           time.Duration
	MaxTreeBlocks int
	PruneTarget   float64

	// TrackActiveBlocks counts the blocks of running requests; without, the
	// decode term of the cost is 0, as fits workers that only prefill.
	TrackActiveBlocks bool
	// AssumeKVReuse counts a block that several running requests of a worker
	// share once; without, once for each.
	AssumeKVReuse bool
	// TrackOutputBlocks counts generated blocks too ([Router.OutputBlock]).
	// With Request.ExpectedOutput, blocks that only one request holds count
	// less the nearer it is to its end, since they will soon be free.
	TrackOutputBlocks bool
	// TrackPrefillTokens counts prompt tokens that are still to be computed.
	TrackPrefillTokens bool

	// QueueThreshold holds requests back while every worker has more prompt
	// tokens to compute than QueueThreshold·MaxNumBatchedTokens; 0 is off.
	// Dynamo's 0, the most sensitive queue, is [AnyPrefill].
	QueueThreshold float64
	// MaxNumBatchedTokens is that of the workers, in tokens.
	MaxNumBatchedTokens int
	QueuePolicy         QueuePolicy
	// Profile has several queues, in place of QueueThreshold and QueuePolicy;
	// nil is one.
	Profile *Profile
}

// queues says that requests can wait.
func (c *Config) queues() bool {
	return c.Mode == KV && (c.QueueThreshold > 0 || c.Profile != nil && c.Profile.queues())
}

// AnyPrefill is the queue threshold that holds requests back while every worker
// has anything to prefill.
const AnyPrefill = math.SmallestNonzeroFloat64

// Defaults are those of the router of Dynamo 1.6 (lib/kv-router config at 0243c51
// but for the queue, which was on there with a threshold of 16 and is off now;
// approximate mode as documented), for one worker with blocks of 64 tokens.
func Defaults() Config {
	return Config{
		Workers: 1, BlockSize: 64,
		OverlapScoreCredit: 1, HostCredit: 0.75, DiskCredit: 0.25, PrefillLoadScale: 1,
		UseKVEvents: true, TTL: 120 * time.Second, MaxTreeBlocks: 1 << 20, PruneTarget: 0.8,
		TrackActiveBlocks: true, AssumeKVReuse: true, TrackPrefillTokens: true,
		MaxNumBatchedTokens: 8192,
	}
}

// Validate reports every fault, by the names of the options.
func (c Config) Validate() error {
	var bad fault.List
	share := func(v float64, option fault.Field) { bad.Check(v >= 0 && v <= 1, option, v, "from 0 to 1") }
	weight := func(v float64, option fault.Field) {
		bad.Check(v >= 0 && !math.IsInf(v, 1), option, v, "0 or more, and finite")
	}
	bad.Check(int(c.Mode) < len(modeNames), "router-mode", c.Mode, "a known mode")
	bad.Check(c.Workers >= 1 && c.Workers <= MaxWorkers, "workers", c.Workers, fmt.Sprintf("from 1 to %d", MaxWorkers))
	bad.Check(c.BlockSize >= 1 && c.BlockSize <= workload.MaxTokens, "block-size", c.BlockSize,
		fmt.Sprintf("from 1 to %d tokens", workload.MaxTokens))
	weight(c.OverlapScoreCredit, "router-kv-overlap-score-credit")
	weight(c.CreditDecay, "router-kv-overlap-score-credit-decay")
	share(c.HostCredit, "router-host-cache-hit-weight")
	share(c.DiskCredit, "router-disk-cache-hit-weight")
	weight(c.PrefillLoadScale, "router-prefill-load-scale")
	weight(c.RequestWeight, "router-decode-active-request-weight")
	weight(c.Temperature, "router-temperature")
	bad.Check(c.TTL > 0 || c.UseKVEvents, "router-ttl-secs", c.TTL, "above 0 without KV events")
	bad.Check(c.MaxTreeBlocks >= 1 && c.MaxTreeBlocks <= 1<<30 || c.UseKVEvents, "router-max-tree-size",
		c.MaxTreeBlocks, "from 1 to 2^30 blocks without KV events")
	bad.Check(c.PruneTarget > 0 && c.PruneTarget <= 1 || c.UseKVEvents, "router-prune-target-ratio", c.PruneTarget,
		"above 0 and up to 1 without KV events")
	bad.Check(c.TrackActiveBlocks || !c.TrackOutputBlocks, "router-track-output-blocks", c.TrackOutputBlocks,
		"off when router-track-active-blocks is")
	weight(c.QueueThreshold, "router-queue-threshold")
	bad.Check(c.MaxNumBatchedTokens >= 1 || c.QueueThreshold == 0 && c.Profile == nil,
		"max-num-batched-tokens", c.MaxNumBatchedTokens, "at least 1 with a queue threshold")
	bad.Check(c.TrackPrefillTokens || !c.queues(), "router-queue-threshold", c.QueueThreshold,
		"left out when router-track-prefill-tokens is off: nothing would ever be held back")
	bad.Check(int(c.QueuePolicy) < len(policyNames), "router-queue-policy", c.QueuePolicy, "a known policy")
	if c.Profile != nil {
		c.Profile.Validate(&bad)
	}
	if err := bad.Err(); err != nil {
		return fmt.Errorf("configuring the router: %w", err)
	}
	return nil
}
