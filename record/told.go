package record

// Told is what a server says of a request that it served, in its own words and
// by its own clocks: which workers took it, and how long each of its stations
// took. Nothing of it was measured on this side.
type Told struct {
	// PrefillWorker and DecodeWorker name the workers that computed the prompt and
	// the reply; empty where they were not named. Ids of 64 bits are kept as text:
	// a float has no room for them.
	PrefillWorker string `json:"prefill_worker,omitempty"`
	DecodeWorker  string `json:"decode_worker,omitempty"`
	// PrefillRank and DecodeRank are their data-parallel ranks, from 0; nil where
	// they were not said.
	PrefillRank *int `json:"prefill_dp_rank,omitempty"`
	DecodeRank  *int `json:"decode_dp_rank,omitempty"`
	// Received is when the server had the request, by its wall clock, in
	// milliseconds since 1970; 0 where that was not said.
	Received int64 `json:"received_unix_ms,omitempty"`
	// The durations are in seconds from there; nil where they were not said.
	// Wait lasts until a worker began with the prompt, Prefill from then to the
	// first token, TTFT is both, and Total lasts until the last token.
	Wait    *float64 `json:"prefill_wait_s,omitempty"`
	Prefill *float64 `json:"prefill_s,omitempty"`
	TTFT    *float64 `json:"ttft_s,omitempty"`
	Total   *float64 `json:"total_s,omitempty"`
	// HitRate is the share of the prompt, 0 to 1, that the router took for cached
	// on the worker of its choice; nil where it was not said.
	HitRate *float64 `json:"kv_hit_rate,omitempty"`
	// Queued is how many requests the router held back when this one came.
	Queued *int `json:"router_queue_depth,omitempty"`
}
