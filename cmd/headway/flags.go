package main

// The options of `headway run` carry the names of `aiperf profile`; `headway
// bench` shares the groups that mean the same in both.

// endpointFlags say where requests go and how.
type endpointFlags struct {
	Model          []string `name:"model" short:"m" aliases:"model-names,model-name" help:"Model name or names (comma list)."`
	ModelStrategy  string   `name:"model-selection-strategy" enum:"round_robin,random" default:"round_robin" help:"Which of several models a request goes to: ${enum}."`
	CustomEndpoint string   `name:"custom-endpoint" aliases:"endpoint" placeholder:"PATH" help:"Path of the API, instead of the usual one of the endpoint type."`
	EndpointType   string   `name:"endpoint-type" default:"chat" help:"API to speak: chat or completions."`
	APIKey         string   `name:"api-key" help:"Sent as 'Authorization: Bearer KEY'; redacted in every file."`
	Headers        []string `name:"header" short:"H" sep:"none" placeholder:"NAME:VALUE" help:"Extra header; repeatable."`
	ExtraInputs    []string `name:"extra-inputs" sep:"none" placeholder:"K:V|JSON" help:"Merged into every request body: key:value or a JSON object; repeatable."`
	Timeout        seconds  `name:"request-timeout-seconds" default:"21600" placeholder:"TIME" help:"Limit of one request (s)."`
	WaitTimeout    seconds  `name:"wait-for-model-timeout" default:"0" placeholder:"TIME" help:"Wait so long (s) for the endpoint to be ready before the first request; 0 does not."`
	WaitMode       string   `name:"wait-for-model-mode" enum:"models,inference,both" default:"inference" help:"What counts as ready: ${enum}."`
	WaitInterval   seconds  `name:"wait-for-model-interval" default:"5" placeholder:"TIME" help:"Pause between two probes (s)."`
	LegacyMax      bool     `name:"use-legacy-max-tokens" help:"Send max_tokens instead of max_completion_tokens."`
	ServerTokens   bool     `name:"use-server-token-count" help:"Take token counts from the server's usage instead of counting here."`
	PerChunkUsage  bool     `name:"per-chunk-usage" help:"Divide ITL by the tokens after the first chunk, from usage sent with each chunk; needs --use-server-token-count."`
	Reuse          string   `name:"connection-reuse-strategy" enum:"pooled,never,sticky-user-sessions" default:"pooled" help:"Connections: ${enum}."`
	SessionHeader  string   `name:"session-header" default:"X-Correlation-ID" help:"Header that carries the session's id."`
	Transport      string   `name:"transport" aliases:"transport-type" enum:"auto,epoll,std,http" default:"auto" help:"What carries requests: epoll (plain HTTP on Linux, the cheapest), std (net/http), or auto, which takes epoll where it can; http is auto."`
	HTTP2          bool     `name:"http2" help:"Speak HTTP/2; its arrivals are stamped in user space."`
	TLSCA          string   `name:"tls-ca" type:"path" placeholder:"FILE" help:"PEM file of the certificates to trust instead of the system's."`
	TLSCert        string   `name:"tls-cert" type:"path" placeholder:"FILE" help:"The client's certificate (PEM), with --tls-key."`
	TLSKey         string   `name:"tls-key" type:"path" placeholder:"FILE" help:"The client's key (PEM)."`
	SourceAddress  []string `name:"source-address" placeholder:"IP" help:"Local address to connect from when the ports of the usual one are used up; repeatable."`
	ContentType    string   `name:"request-content-type" enum:"application/json" default:"application/json" help:"Only application/json is built."`
}

// tokenizerFlags say what counts tokens.
type tokenizerFlags struct {
	Tokenizer   string `name:"tokenizer" aliases:"tokenizer-path" help:"Hugging Face name, a tokenizer.json or its folder, or 'builtin' (o200k_base). Default: the model's own, else builtin with a warning."`
	Revision    string `name:"tokenizer-revision" default:"main" help:"Revision to load from the hub."`
	TrustRemote bool   `name:"tokenizer-trust-remote-code" help:"Accepted so that scripts run; headway never executes code of a model repository."`
}

// promptFlags say what synthetic requests look like.
type promptFlags struct {
	NumPrefix     int      `name:"num-prefix-prompts" aliases:"prompt-prefix-pool-size,prefix-prompt-pool-size" default:"0" help:"How many shared prefixes to draw from."`
	PrefixLength  int      `name:"prefix-prompt-length" aliases:"prompt-prefix-length" default:"0" help:"Tokens of a shared prefix, added to the input length."`
	SystemLength  int      `name:"shared-system-prompt-length" default:"0" help:"Tokens of one system prompt that all requests share, added to the input length."`
	SeqDist       string   `name:"sequence-distribution" aliases:"seq-dist" placeholder:"ISL[|SD],OSL[|SD]:PCT;…" help:"Mixture of length pairs, percentages summing to 100; instead of --isl and --osl."`
	Entries       one[int] `name:"num-dataset-entries" aliases:"num-prompts" placeholder:"N" help:"Make so many prompts and reuse them. Default: every request its own, so that no prefix cache is warmed unseen."`
	TurnMean      one[int] `name:"conversation-turn-mean" aliases:"session-turns-mean" placeholder:"N" help:"Mean number of turns of a conversation (default 1)."`
	TurnSD        float64  `name:"conversation-turn-stddev" aliases:"session-turns-stddev" default:"0" help:"Its standard deviation."`
	TurnDelay     float64  `name:"conversation-turn-delay-mean" aliases:"session-turn-delay-mean" default:"0" help:"Mean pause between turns (ms)."`
	TurnDelaySD   float64  `name:"conversation-turn-delay-stddev" aliases:"session-turn-delay-stddev" default:"0" help:"Its standard deviation (ms)."`
	DelayRatio    float64  `name:"conversation-turn-delay-ratio" aliases:"session-delay-ratio" default:"1" help:"Factor on every pause between turns."`
	Sampling      string   `name:"dataset-sampling-strategy" enum:",random,sequential,shuffle" default:"" help:"Order in which reused prompts are taken: random, sequential or shuffle. Default: shuffle for synthetic prompts, sequential for a file."`
	Corpus        string   `name:"prompt-corpus" enum:"random" default:"random" help:"Source of synthetic text: random words of the tokenizer's vocabulary."`
	Seed          *uint64  `name:"random-seed" placeholder:"N" help:"Seed of everything that is drawn. Default: from the system, and printed."`
	InputFile     string   `name:"input-file" type:"path" placeholder:"FILE" help:"Requests from a file: single_turn or multi_turn JSONL, ShareGPT JSON, Azure CSV, Mooncake JSONL, BurstGPT CSV, or inputs.json."`
	DatasetType   string   `name:"custom-dataset-type" placeholder:"TYPE" help:"Format of --input-file: single_turn, multi_turn, sharegpt, azure, mooncake_trace, inputs_json. Default: found out."`
	Conversations one[int] `name:"conversation-num" aliases:"num-conversations,num-sessions" placeholder:"N" help:"How many sessions to run."`
	FixedSchedule *bool    `name:"fixed-schedule" help:"Send the file's requests at its timestamps. Default where the file has them; --no-fixed-schedule turns it off." negatable:""`
	AutoOffset    *bool    `name:"fixed-schedule-auto-offset" negatable:"" help:"Count time from the first timestamp (default unless a start offset is given); --no-fixed-schedule-auto-offset keeps the file's zero."`
	StartOffset   *float64 `name:"fixed-schedule-start-offset" placeholder:"MS" help:"Leave out what is before this timestamp, and count from it (ms)."`
	EndOffset     *float64 `name:"fixed-schedule-end-offset" placeholder:"MS" help:"Leave out what is after this timestamp (ms)."`
	Speedup       float64  `name:"synthesis-speedup-ratio" default:"1" help:"Play the schedule so many times faster."`
	OutputScale   float64  `name:"synthesis-output-len-multiplier" default:"1" help:"Factor on the output lengths of the file."`
	MaxISL        int      `name:"synthesis-max-isl" aliases:"max-isl" default:"0" help:"Leave out requests of the file with longer prompts (tokens); 0 is no bound."`
	MinISL        int      `name:"min-isl" default:"0" help:"Leave out requests of the file with shorter prompts (tokens)."`
	MaxOSL        int      `name:"synthesis-max-osl" aliases:"max-osl" default:"0" help:"Cut the output lengths of the file (tokens); 0 is no bound."`
	MinOSL        int      `name:"min-osl" default:"0" help:"Raise the output lengths of the file (tokens)."`
	BlockTokens   int      `name:"isl-block-size" aliases:"prompt-input-tokens-block-size,synthetic-input-tokens-block-size" default:"512" help:"Tokens that an id of hash_ids stands for."`
	PartialIDs    bool     `name:"partial-hash-ids" help:"Take rows whose hash_ids name only the beginning of the prompt."`
	LogType       string   `name:"log-type" help:"Rows of a BurstGPT file to take: its Log Type column."`
	Spread        string   `name:"spread-timestamps" enum:"none,even,uniform" default:"none" help:"Spread requests of a file that share a timestamp up to the next one: ${enum}."`
	AllTurns      bool     `name:"all-turns" help:"Send every turn of a ShareGPT conversation, not only the first."`
	Lenient       bool     `name:"lenient" help:"Skip unreadable lines of --input-file and count them, instead of stopping."`
	BatchSize     int      `name:"prompt-batch-size" short:"b" aliases:"batch-size-text,batch-size" default:"1" help:"Only 1 is built."`
	Cancel        float64  `name:"request-cancellation-rate" default:"0" placeholder:"PCT" help:"Share of requests to give up on purpose (percent)."`
	CancelDelay   seconds  `name:"request-cancellation-delay" default:"0" placeholder:"TIME" help:"How long after the request was sent (s)."`
}

// outputFlags say what is measured beside the metrics and how it is shown.
type outputFlags struct {
	Goodput    []string `name:"goodput" sep:"none" placeholder:"\"TAG:VALUE …\"" help:"Limits that a good request meets, in the shown units: \"time_to_first_token:500 inter_token_latency:30\"."`
	Objectives []string `name:"objective" sep:"none" placeholder:"\"TAG STAT < VALUE\"" help:"A target such as 'time_to_first_token p99 < 500ms'; repeatable. Exit code 3 when one is missed, 5 when one is not decided."`
	FailAbove  *float64 `name:"fail-above" placeholder:"PCT" help:"Exit code 3 when more than this percentage of requests fails; requests that headway ends itself do not count. Default: no limit, only a warning above 1 %."`
	NumGPUs    int      `name:"num-gpus" default:"0" help:"GPUs behind the endpoint, for figures per GPU."`
	UI         string   `name:"ui-type" aliases:"ui" enum:",dashboard,simple,none" default:"" help:"Display while running: dashboard on a terminal, else simple; none is silent."`
	Quiet      bool     `name:"quiet" short:"q" help:"Only errors, and no progress."`
	JSON       bool     `name:"json" help:"Print the result as JSON on standard output instead of tables."`
	Runs       int      `name:"num-profile-runs" default:"1" help:"Repeat every measurement so often, for intervals over runs (1-10)."`
	Cooldown   seconds  `name:"profile-run-cooldown-seconds" default:"0" placeholder:"TIME" help:"Pause between two runs (s)."`
	Confidence float64  `name:"confidence-level" default:"0.95" help:"Of the intervals over runs."`
	Level      string   `name:"export-level" aliases:"profile-export-level" enum:"summary,records,raw" default:"records" help:"Files to write: summary, or records (one line a request) too. raw is not built."`
	Compress   string   `name:"export-compression" enum:",none,zst" default:"none" help:"Compress profile_export.jsonl: none, or zst, which writes profile_export.jsonl.zst."`
	Parquet    bool     `name:"export-parquet" help:"Write records.parquet too: a row a request with its metrics and the time of every chunk."`
	ChunkRule  string   `name:"chunk-rule" enum:",asis,spread" default:"asis" help:"Times of chunks that were read together: asis leaves them, spread puts them evenly between the chunk before and the read."`
	HTTPTrace  bool     `name:"export-http-trace" help:"Write the connection's times into profile_export.jsonl."`
	ShowTrace  bool     `name:"show-trace-timing" help:"Show the HTTP trace table."`
	Verbose    bool     `name:"verbose" short:"v" help:"Say more while running."`
}
