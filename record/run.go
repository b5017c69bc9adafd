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

	// Concurrency and Rate (requests/s) are the asked load, 0 where not set.
	Concurrency int     `json:"concurrency,omitempty"`
	Rate        float64 `json:"request_rate,omitempty"`
	Arrivals    string  `json:"arrivals"`
	// NumGPUs is how many GPUs the endpoint uses as the user declared it, 0
	// when not said.
	NumGPUs int    `json:"num_gpus,omitempty"`
	Seed    uint64 `json:"seed"`
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
	// CountedBy is whose token counts the figures are made of, client or
	// server: what auto came to.
	CountedBy string `json:"tokens_counted_by,omitempty"`
	// Audit is whether the client was good enough; nil in virtual time, where
	// there is no client.
	Audit *Audit `json:"audit,omitempty"`
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
	Frontend float64         `json:"frontend_delay_s,omitempty"`
	Workers  []ClusterWorker `json:"workers"`
	// HitRate is the share of prompt tokens that were in the prefix cache of
	// the worker they were sent to. IdealHitRate is that of one cache which
	// never forgets, IdealAtSize that of one LRU cache as large as those of
	// all workers together, on the same requests in the order of arrival.
	HitRate      Number `json:"hit_rate"`
	IdealHitRate Number `json:"ideal_hit_rate"`
	IdealAtSize  Number `json:"ideal_hit_rate_at_size"`
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
