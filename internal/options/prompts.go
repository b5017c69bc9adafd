package options

// Prompts says what synthetic requests look like.
type Prompts struct {
	NumPrefix     int      `name:"num-prefix-prompts" aliases:"prompt-prefix-pool-size,prefix-prompt-pool-size" default:"0" help:"How many shared prefixes to draw from."`
	PrefixLength  int      `name:"prefix-prompt-length" aliases:"prompt-prefix-length" default:"0" help:"Tokens of a shared prefix, added to the input length."`
	SystemLength  int      `name:"shared-system-prompt-length" default:"0" help:"Tokens of one system prompt that all requests share, added to the input length."`
	System        string   `name:"system-prompt" placeholder:"TEXT" help:"System message of every request, added to the input length."`
	SystemFile    string   `name:"system-prompt-file" type:"path" placeholder:"FILE" help:"File with the system message of every request (UTF-8)."`
	SeqDist       string   `name:"sequence-distribution" aliases:"seq-dist" placeholder:"ISL[|SD],OSL[|SD]:PCT;…" help:"Mixture of length pairs, percentages summing to 100; instead of --isl and --osl."`
	Entries       One[int] `name:"num-dataset-entries" aliases:"num-prompts" placeholder:"N" help:"Number of different prompts, which are reused. Default: a new prompt for every request, so that no prefix cache is warmed."`
	TurnMean      One[int] `name:"conversation-turn-mean" aliases:"session-turns-mean" placeholder:"N" help:"Mean number of turns of a conversation (default 1)."`
	TurnSD        float64  `name:"conversation-turn-stddev" aliases:"session-turns-stddev" default:"0" help:"Standard deviation of the number of turns."`
	TurnDelay     float64  `name:"conversation-turn-delay-mean" aliases:"session-turn-delay-mean" default:"0" help:"Mean pause between turns (ms)."`
	TurnDelaySD   float64  `name:"conversation-turn-delay-stddev" aliases:"session-turn-delay-stddev" default:"0" help:"Standard deviation of the pause between turns (ms)."`
	DelayRatio    float64  `name:"conversation-turn-delay-ratio" aliases:"session-delay-ratio" default:"1" help:"Factor on every pause between turns."`
	Sampling      string   `name:"dataset-sampling-strategy" enum:",random,sequential,shuffle" default:"" help:"Order in which reused prompts are taken: random, sequential or shuffle. Default: shuffle for synthetic prompts, sequential for a file."`
	Corpus        string   `name:"prompt-corpus" enum:"random" default:"random" help:"Source of synthetic text: random words of the tokenizer's vocabulary."`
	Seed          *uint64  `name:"random-seed" placeholder:"N" help:"Seed of everything that is drawn. Default: from the system, and printed."`
	InputFile     string   `name:"input-file" type:"path" placeholder:"FILE" help:"Requests from a file: single_turn or multi_turn JSONL, ShareGPT JSON, Azure CSV, Mooncake JSONL, BurstGPT CSV, inputs.json, Bailian JSONL, OpenTelemetry spans (OTLP JSON), or a log of SGLang."`
	DatasetType   string   `name:"custom-dataset-type" placeholder:"TYPE" help:"Format of --input-file: single_turn, multi_turn, sharegpt, azure, mooncake_trace, inputs_json. Default: detected from the file."`
	Conversations One[int] `name:"conversation-num" aliases:"num-conversations,num-sessions" placeholder:"N" help:"How many sessions to run."`
	FixedSchedule *bool    `name:"fixed-schedule" help:"Send the file's requests at its timestamps. Default where the file has them; --no-fixed-schedule turns it off." negatable:""`
	AutoOffset    *bool    `name:"fixed-schedule-auto-offset" negatable:"" help:"Count time from the first timestamp (default unless a start offset is given); --no-fixed-schedule-auto-offset keeps the file's zero."`
	StartOffset   *float64 `name:"fixed-schedule-start-offset" placeholder:"MS" help:"Leave out what is before this timestamp, and count from it (ms)."`
	EndOffset     *float64 `name:"fixed-schedule-end-offset" placeholder:"MS" help:"Leave out what is after this timestamp (ms)."`
	NoDelays      bool     `name:"ignore-trace-delays" help:"Send the later turns of the file's sessions without their pauses; not with a fixed schedule."`
	DelayCap      *Seconds `name:"inter-turn-delay-cap-seconds" placeholder:"TIME" help:"Longest pause between two turns of a session of the file (s); longer ones are cut."`
	Speedup       float64  `name:"synthesis-speedup-ratio" default:"1" help:"Factor by which the schedule is played faster."`
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
	CancelDelay   Seconds  `name:"request-cancellation-delay" default:"0" placeholder:"TIME" help:"How long after the request was sent (s)."`
}
