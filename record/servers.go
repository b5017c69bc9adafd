package record

// ServerCounters is what servers counted themselves while the measured phase went,
// from their /metrics: the warm-up that hands over to it included, and requests of
// others too. Nil in a Trailer where nothing was read.
type ServerCounters struct {
	Sources []ServerSource `json:"sources"`
}

// ServerSource is an engine or a front end of one address.
type ServerSource struct {
	// URL is where it was read, Engine what was found there: vllm, sglang, trtllm,
	// dynamo_frontend, dynamo_router.
	URL    string `json:"url"`
	Engine string `json:"engine"`
	// Moved is by how much its counters moved, by their common name:
	// prefix_hits, prefix_queries, prompt_tokens, … What is not there is not known.
	Moved map[string]float64 `json:"moved"`
}
