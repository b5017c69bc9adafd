package options

// The options of `headway run` carry the names of `aiperf profile`; `headway
// bench` shares the groups that mean the same in both.

import "headway/internal/bound"

// Endpoint says where requests go and how.
type Endpoint struct {
	Model          []string     `name:"model" short:"m" aliases:"model-names,model-name" help:"Model name or names (comma list)."`
	ModelStrategy  string       `name:"model-selection-strategy" enum:"round_robin,random" default:"round_robin" help:"Which of several models a request goes to: ${enum}."`
	CustomEndpoint string       `name:"custom-endpoint" aliases:"endpoint" placeholder:"PATH" help:"Path of the API, instead of the usual one of the endpoint type."`
	EndpointType   string       `name:"endpoint-type" default:"chat" help:"API to speak: chat or completions."`
	APIKey         string       `name:"api-key" apart:"" help:"Sent as 'Authorization: Bearer KEY'; redacted in every file."`
	Headers        []string     `name:"header" apart:"" short:"H" sep:"none" placeholder:"NAME:VALUE" help:"Extra header; repeatable."`
	ExtraInputs    []string     `name:"extra-inputs" sep:"none" placeholder:"K:V|JSON" help:"Merged into every request body: key:value or a JSON object; repeatable."`
	MaxReplyEvents int          `name:"max-reply-events" apart:"" default:"0" placeholder:"N" help:"Fail a reply with more stream events than this. Default: 8192 and 8 for each output token asked for, at most a million (docs/limits.md)."`
	MaxReplyBytes  *bound.Bytes `name:"max-reply-bytes" apart:"" placeholder:"SIZE" help:"Fail a reply larger than this (bytes, or 64MiB). Default: 4 MiB and 8 KiB for each output token asked for, at most 256 MiB (docs/limits.md)."`
	MemoryBudget   *bound.Bytes `name:"memory-budget" apart:"" placeholder:"SIZE" help:"Memory for replies in flight and finished requests that wait to be counted, half for each (bytes, or 2GiB). Default: half of what the machine or the container has."`
	Timeout        Seconds      `name:"request-timeout-seconds" default:"21600" placeholder:"TIME" help:"Limit of one request (s)."`
	WaitTimeout    Seconds      `name:"wait-for-model-timeout" apart:"" default:"0" placeholder:"TIME" help:"Seconds to wait for the endpoint to become ready; 0 disables waiting."`
	WaitMode       string       `name:"wait-for-model-mode" apart:"" enum:"models,inference,both" default:"inference" help:"What counts as ready: ${enum}."`
	WaitInterval   Seconds      `name:"wait-for-model-interval" apart:"" default:"5" placeholder:"TIME" help:"Pause between two probes (s)."`
	LegacyMax      bool         `name:"use-legacy-max-tokens" help:"Send max_tokens instead of max_completion_tokens."`
	TokenCount     string       `name:"token-count" enum:",auto,client,server" default:"" help:"Whose token counts the figures are made of: client (counted here), server (its usage), or auto, the server's where every reply has usage, else the client's. Default: auto; client in run."`
	ServerTokens   bool         `name:"use-server-token-count" apart:"" help:"Take token counts from the server's usage instead of counting here; the same as --token-count server."`
	PerChunkUsage  bool         `name:"per-chunk-usage" help:"Divide ITL by the tokens after the first chunk, from usage sent with each chunk; needs --token-count server or --use-server-token-count."`
	Reuse          string       `name:"connection-reuse-strategy" enum:"pooled,never,sticky-user-sessions" default:"pooled" help:"Connections: ${enum}."`
	SessionHeader  string       `name:"session-header" default:"X-Correlation-ID" help:"Header that carries the session's id."`
	Transport      string       `name:"transport" aliases:"transport-type" enum:"auto,epoll,std,http" default:"auto" help:"What carries requests: epoll (plain HTTP on Linux, the cheapest), std (net/http), or auto, which takes epoll where it can; http is auto."`
	Proxy          string       `name:"proxy" placeholder:"env|none|URL" help:"Proxy for requests: none, env (what HTTP_PROXY, HTTPS_PROXY and NO_PROXY say), or an address (http://, https:// or socks5://HOST:PORT). Latencies through a proxy include it. Default: none; a note names a variable that would apply."`
	HTTP2          bool         `name:"http2" help:"Speak HTTP/2; its arrivals are stamped in user space."`
	TLSCA          string       `name:"tls-ca" type:"path" placeholder:"FILE" help:"PEM file of the certificates to trust instead of the system's."`
	TLSCert        string       `name:"tls-cert" type:"path" placeholder:"FILE" help:"The client's certificate (PEM), with --tls-key."`
	TLSKey         string       `name:"tls-key" type:"path" placeholder:"FILE" help:"The client's key (PEM)."`
	SourceAddress  []string     `name:"source-address" placeholder:"IP" help:"Local address to connect from when the ports of the usual one are used up; repeatable."`
	ContentType    string       `name:"request-content-type" apart:"" enum:"application/json" default:"application/json" help:"Only application/json is built."`
}

// Tokens says what counts tokens.
type Tokens struct {
	Tokenizer   string       `name:"tokenizer" type:"home" aliases:"tokenizer-path" help:"Hugging Face name, a tokenizer.json or its folder, or 'builtin' (o200k_base). Default: the model's own, else builtin with a warning."`
	Revision    string       `name:"tokenizer-revision" default:"main" help:"Revision to load from the hub."`
	MaxDownload *bound.Bytes `name:"max-download-bytes" apart:"" placeholder:"SIZE" help:"Largest file to fetch from the hub (bytes, or 512MiB). Default: 256 MiB."`
	TrustRemote bool         `name:"tokenizer-trust-remote-code" apart:"" help:"Accepted so that scripts run; headway never executes code of a model repository."`
}
