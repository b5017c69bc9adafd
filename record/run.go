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
	Machine     Machine   `json:"machine"`
	Schedule    Schedule  `json:"schedule"`
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
	Rate float64 `json:"rate,omitempty"`
	// Dispersion is the variance of the counts per window over their mean:
	// about 0 for a constant schedule, 1 for Poisson, above 1 for bursts.
	Dispersion float64 `json:"dispersion,omitempty"`
	// GapCV2 is the squared coefficient of variation of the gaps: 0 constant,
	// 1 Poisson, 1/shape gamma.
	GapCV2 float64 `json:"gap_cv2,omitempty"`
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
	Aborted  string    `json:"aborted,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"`
	// Cluster is what a simulated cluster did; nil for a real endpoint.
	Cluster *Cluster `json:"cluster,omitempty"`
	// Audit is whether the client was good enough; nil in virtual time, where
	// there is no client.
	Audit *Audit `json:"audit,omitempty"`
}

// Warning is something that a reader of the figures must know.
type Warning struct {
	// Code is short and stable ("tokenizer_fallback"), Text a whole sentence.
	Code string `json:"code"`
	Text string `json:"text"`
}

// Cluster is what a simulated cluster did with the requests of a run, by its
// own account. Rates are shares from 0 to 1, times seconds.
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
	HitRate      float64 `json:"hit_rate"`
	IdealHitRate float64 `json:"ideal_hit_rate"`
	IdealAtSize  float64 `json:"ideal_hit_rate_at_size"`
	// Imbalance is the busiest worker's time in steps over the mean.
	Imbalance float64 `json:"imbalance"`
	// Regret is the modelled TTFT at the chosen worker less the least over
	// all workers, on their true state at the decision.
	RegretMean float64 `json:"regret_mean_s"`
	RegretP50  float64 `json:"regret_p50_s"`
	RegretP99  float64 `json:"regret_p99_s"`
	// Offered and Completed are requests per second; a cluster that completes
	// less than 95 % of what is offered is Saturated.
	Offered   float64 `json:"offered_rps"`
	Completed float64 `json:"completed_rps"`
	Saturated bool    `json:"saturated"`
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
