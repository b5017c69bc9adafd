package record

import (
	"encoding/json"
	"time"
)

// Run is what is true of a whole measurement: a Header known when it starts
// and a Trailer known when it ends.
type Run struct {
	Header
	Trailer
}

// Header is what was asked for and on what machine.
type Header struct {
	// Version is headway's own version, ID the run's name among others.
	Version string `json:"version"`
	ID      string `json:"id"`
	// Origin is the wall time of Time 0.
	Origin time.Time `json:"origin"`
	// Config is the resolved configuration and Command the command line that
	// repeats it, both with secrets taken out.
	Config  json.RawMessage `json:"config,omitempty"`
	Command string          `json:"command,omitempty"`

	Model     string `json:"model"`
	URL       string `json:"url"`
	Endpoint  string `json:"endpoint_type"`
	Streaming bool   `json:"streaming"`
	// Simulated says that no real engine answered.
	Simulated bool `json:"simulated"`

	// AsAiperf says that the figures keep inter-token latencies of which the
	// reads say nothing, as the program does under the name aiperf.
	AsAiperf bool `json:"as_aiperf,omitempty"`

	// Concurrency and Rate (requests/s) are the asked load, 0 where not set.
	Concurrency int     `json:"concurrency,omitempty"`
	Rate        float64 `json:"request_rate,omitempty"`
	Arrivals    string  `json:"arrivals"`
	// NumGPUs is how many GPUs the endpoint uses as the user declared it, 0
	// when not said.
	NumGPUs int `json:"num_gpus,omitempty"`
	// Prices are what the user pays; nil when not said.
	Prices *Prices `json:"prices,omitempty"`
	Seed   uint64  `json:"seed"`
	// Repeat counts the runs of one configuration from 0.
	Repeat int `json:"repeat,omitempty"`

	Tokenizer   Tokenizer `json:"tokenizer"`
	ServerCount bool      `json:"server_token_count,omitempty"`
	// TokenCount is whose token counts were asked for: client, server or auto.
	TokenCount string   `json:"token_count,omitempty"`
	Machine    Machine  `json:"machine"`
	Schedule   Schedule `json:"schedule"`
	// Ahead is about connections that were open before the clock started; nil
	// where none were.
	Ahead *Ahead `json:"connections_ahead,omitempty"`
}

// Ahead says how long connections took that were opened before the first
// request and are therefore in no request's times: the lookup of the name, the
// connect and the TLS handshake, in seconds. Those that an earlier run of the
// same process opened and that are still used are among them.
type Ahead struct {
	Count int     `json:"count"`
	Mean  float64 `json:"mean_s"`
	P50   float64 `json:"p50_s"`
	P99   float64 `json:"p99_s"`
	Max   float64 `json:"max_s"`
}

// Tokenizer says what counted the tokens.
type Tokenizer struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	// Fallback is set when the model's own tokenizer could not be had.
	Fallback bool `json:"fallback,omitempty"`
}

// Machine is where the client ran.
type Machine struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
	Go   string `json:"go"`
}

// Schedule describes the planned arrivals as they were drawn.
type Schedule struct {
	// Timed is false in a closed loop, where replies set the pace; the rest
	// is then zero.
	Timed bool `json:"timed"`
	Count int  `json:"count,omitempty"`
	// Span is the last planned time in seconds.
	Span float64 `json:"span_s,omitempty"`
	// Rate is the drawn rate in requests per second.
	Rate Number `json:"rate,omitempty"`
	// Dispersion is the variance of the counts per window over their mean:
	// about 0 for a constant schedule, 1 for Poisson, above 1 for bursts.
	Dispersion Number `json:"dispersion,omitempty"`
	// GapCV2 is the squared coefficient of variation of the gaps: 0 constant,
	// 1 Poisson, 1/shape gamma.
	GapCV2 Number `json:"gap_cv2,omitempty"`
}

// Trailer is what was found when the run ended.
type Trailer struct {
	// Begin and End bound the profiling phase: the first slot's release and
	// the last reply.
	Begin Time `json:"begin"`
	End   Time `json:"end"`
	// Cancelled says that the user ended the run early.
	Cancelled bool `json:"cancelled"`
	// Aborted says why the run ended itself early; empty when it did not.
	Aborted string `json:"aborted,omitempty"`
	// Warmup is the warm-up that handed its load over to the measurement; nil
	// where there was none, or where the server was drained after it.
	Warmup *Warmup `json:"warmup,omitempty"`
	// Cooldown is how many requests kept the load up until the last measured
	// reply had ended. They are Records with Warmup set, too.
	Cooldown int       `json:"cooldown_requests,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"`
	// Cluster is what a simulated cluster did; nil for a real endpoint.
	Cluster *Cluster `json:"cluster,omitempty"`
	// Servers is what the servers counted themselves; nil where nothing was read.
	Servers *ServerCounters `json:"servers,omitempty"`
	// Telemetry is what servers, GPUs and hosts did meanwhile; nil where nothing was
	// sampled.
	Telemetry *Telemetry `json:"telemetry,omitempty"`
	// CountedBy is whose token counts the figures are made of, client or
	// server: what auto came to.
	CountedBy string `json:"tokens_counted_by,omitempty"`
	// Audit is whether the client was good enough; nil in virtual time, where
	// there is no client.
	Audit *Audit `json:"audit,omitempty"`
}

// Prices are in dollars, 0 where not said.
type Prices struct {
	// GPUHour is what a GPU costs for an hour, KWh a kilowatt-hour of energy.
	GPUHour float64 `json:"gpu_hour,omitempty"`
	KWh     float64 `json:"kwh,omitempty"`
}

// Warmup is a warm-up whose load went on into the measurement. Its requests are
// the Records with Warmup set.
type Warmup struct {
	// Requests were sent in it, for Seconds.
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	// EndedBy says why the measurement began when it did; empty where the run
	// ended before.
	EndedBy string `json:"ended_by,omitempty"`
	// Drift is by which share the mean time to first token still changed from
	// one round of requests to the next, beyond chance, where EndedBy is the
	// limit.
	Drift float64 `json:"drift,omitempty"`
}

// What ends a warm-up.
const (
	WarmupSettled  = "settled"  // the start of the closed loop had passed
	WarmupLimit    = "limit"    // as many requests were sent as are allowed before
	WarmupRequests = "requests" // the number of requests that was asked for
	WarmupDuration = "duration" // the time that was asked for
)

// Warning is something that a reader of the figures must know.
type Warning struct {
	// Code is short and stable ("tokenizer_fallback"), Text a whole sentence.
	Code string `json:"code"`
	Text string `json:"text"`
}

// Cluster is what a simulated cluster did with the requests of a run, by its
// own account. Rates are shares from 0 to 1, times seconds; what could not be
// known is NaN.
type Cluster struct {
	RouterMode string `json:"router_mode"`
	// Frontend is how long a request was on its way to the router, on average,
	// exponentially distributed; 0 is no time.
	Frontend float64 `json:"frontend_delay_s,omitempty"`
	// Outside is what each request took on its way into a worker beside what the
	// worker computed, by the profile that the step times are of; 0 is no time.
	Outside float64         `json:"outside_engine_s,omitempty"`
	Workers []ClusterWorker `json:"workers"`
	// HitRate is the share of prompt tokens that were in the prefix cache of
	// the worker they were sent to, or in a tier below it. IdealHitRate is that of one cache which
	// never forgets, IdealAtSize that of one LRU cache as large as those of
	// all workers together, on the same requests in the order of arrival.
	HitRate      Number `json:"hit_rate"`
	IdealHitRate Number `json:"ideal_hit_rate"`
	IdealAtSize  Number `json:"ideal_hit_rate_at_size"`
	// Tiers are the stores for KV blocks below the GPUs, from the one looked into
	// first.
	Tiers []ClusterTier `json:"tiers,omitempty"`
	// Speculation is what became of drafts, Transfers of keys and values between prefill
	// and decode workers, and Adapters of LoRA adapters; nil where there are none.
	Speculation *ClusterSpeculation `json:"speculation,omitempty"`
	Transfers   *ClusterTransfers   `json:"transfers,omitempty"`
	Adapters    *ClusterAdapters    `json:"adapters,omitempty"`
	// Imbalance is the busiest worker's time in steps over the mean.
	Imbalance Number `json:"imbalance"`
	// Regret is the modelled TTFT at the chosen worker less the least over
	// all workers, on their true state at the decision.
	RegretMean Number `json:"regret_mean_s"`
	RegretP50  Number `json:"regret_p50_s"`
	RegretP99  Number `json:"regret_p99_s"`
	// Offered and Completed are requests per second; a cluster that completes
	// less than 95 % of what is offered is Saturated. A closed loop offers
	// nothing of its own.
	Offered   Number `json:"offered_rps"`
	Completed Number `json:"completed_rps"`
	Saturated bool   `json:"saturated"`
	// EventsApplied counts the KV events that the router took.
	EventsApplied int64 `json:"kv_events_applied"`
	Preemptions   int64 `json:"preemptions"`
	// Foretold is where a server's figures are expected, whose times were
	// calibrated; nil where they were not.
	Foretold *Foretold `json:"foretold,omitempty"`
}

// Foretold is how far the figures of a calibrated simulation may be from those of
// the server.
type Foretold struct {
	// Beyond says where the load lies outside of what the calibration has seen:
	// intervals are wider then, and extrapolate.
	Beyond []string `json:"beyond,omitempty"`
	// Doubts are why figures are less sure than their intervals say.
	Doubts  []string         `json:"doubts,omitempty"`
	Figures []ForetoldFigure `json:"figures"`
}

// ForetoldFigure is one figure and where it is expected, in the metric's unit.
type ForetoldFigure struct {
	Metric string  `json:"metric"`
	Stat   string  `json:"stat"`
	Unit   string  `json:"unit"`
	Value  float64 `json:"value"`
	// Low and High are the interval; none where Why says so.
	Low  float64 `json:"low,omitzero"`
	High float64 `json:"high,omitzero"`
	// Level is the share of cases in which the interval holds, 0 to 1; 0 is a range
	// that carries no level.
	Level float64 `json:"level,omitzero"`
	// Why says why there is no interval.
	Why string `json:"why,omitempty"`
	// Drawn are the figure with each set of parameters that the server may as well
	// have; 0 where it is not known. The n-th of two simulations is of the same
	// parameters, so their ratio moves less than either.
	Drawn []float64 `json:"drawn,omitempty"`
	// Apart is how far the model's own error may move the ratio of two such figures:
	// the half-width of its logarithm. Widen is the factor that is in it, for a load
	// outside of what was measured; 1 inside.
	Apart float64 `json:"apart,omitzero"`
	Widen float64 `json:"widen,omitzero"`
}

// ClusterTier is one tier of the KV cache of a simulated cluster, over all its stores.
type ClusterTier struct {
	Name string `json:"name"`
	// Stores is how many there are, each of so many Blocks.
	Stores int `json:"stores"`
	Blocks int `json:"blocks"`
	// HitTokens are prompt tokens that were found here and not above, HitRate is their
	// share of all prompt tokens.
	HitTokens int64  `json:"hit_tokens"`
	HitRate   Number `json:"hit_rate"`
	// Stored and Evicted count blocks that were written and forgotten, Read those that
	// were brought to a GPU.
	Stored  int64 `json:"stored_blocks"`
	Evicted int64 `json:"evicted_blocks"`
	Read    int64 `json:"read_blocks"`
	// WriteBusy and ReadBusy are seconds in which links carried them.
	WriteBusy float64 `json:"write_busy_s"`
	ReadBusy  float64 `json:"read_busy_s"`
}

// ClusterSpeculation is speculative decoding on all workers.
type ClusterSpeculation struct {
	// Drafts are one a step for each sequence that decodes, DraftTokens the tokens in
	// them, and AcceptedTokens those that were accepted.
	Drafts         int64 `json:"drafts"`
	DraftTokens    int64 `json:"draft_tokens"`
	AcceptedTokens int64 `json:"accepted_tokens"`
	// Accepted is the share of draft tokens, AcceptedAt that of all drafts by position,
	// and TokensPerStep how many tokens a step brought to a sequence, its own included.
	Accepted      Number    `json:"acceptance_rate"`
	AcceptedAt    []float64 `json:"acceptance_per_position,omitempty"`
	TokensPerStep Number    `json:"tokens_per_step"`
}

// ClusterTransfers is what travelled between prefill and decode workers.
type ClusterTransfers struct {
	// Transfers are those that moved something, Tokens all whose keys and values did.
	Transfers int64 `json:"transfers"`
	Tokens    int64 `json:"tokens"`
	// Mean is how long one took, in seconds, and MeanWait what of that it waited for
	// links which others held.
	Mean     Number `json:"mean_s"`
	MeanWait Number `json:"mean_wait_s"`
	// Links is how many there are that have to be shared, Busiest how many seconds the
	// busiest of them carried something.
	Links   int     `json:"links,omitempty"`
	Busiest float64 `json:"busiest_link_s,omitempty"`
}

// ClusterAdapters is how often workers loaded LoRA adapters.
type ClusterAdapters struct {
	// Slots is how many each worker has.
	Slots int   `json:"slots"`
	Loads int64 `json:"loads"`
	// LoadTime is how many seconds steps took for it, all workers together.
	LoadTime float64 `json:"load_s"`
}

// ClusterWorker is one worker of a simulated cluster.
type ClusterWorker struct {
	ID           int     `json:"id"`
	Requests     int     `json:"requests"`
	PromptTokens int64   `json:"prompt_tokens"`
	CachedTokens int64   `json:"cached_tokens"`
	OutputTokens int64   `json:"output_tokens"`
	Busy         float64 `json:"busy_s"`
}
