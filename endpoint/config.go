package endpoint

import (
	"encoding/json"
	"net/http"
	"time"

	"headway/internal/fault"
	"headway/internal/openai"
)

// The APIs that can be spoken.
const (
	Chat        = openai.TypeChat        // POST /v1/chat/completions
	Completions = openai.TypeCompletions // POST /v1/completions
)

// BuiltinTokenizer is the name of the tokenizer that needs no file (o200k_base).
const BuiltinTokenizer = "builtin"

// Config says which server is loaded, and how. Only Model has no default.
type Config struct {
	// URLs are base addresses of the server, such as http://localhost:8000, or several
	// of servers that share the load: each session goes to the next. A missing scheme
	// means http://, unix:///path is HTTP over a Unix socket. Default:
	// http://localhost:8000.
	URLs []string
	// Model is what to ask for, as the server's /v1/models lists it.
	Model string
	// API is [Chat] or [Completions]. Default: Chat.
	API string
	// Path replaces the path that follows from API; it may have a query.
	Path string
	// Whole asks for whole replies in place of streams. There is no time to first token
	// then, nor any of single tokens.
	Whole bool

	// APIKey is sent as a bearer token. Like all secrets it appears in no result.
	APIKey string
	// Headers are added to every request.
	Headers http.Header
	// Extra is merged into every request body, such as {"ignore_eos": true}.
	Extra map[string]any

	// Tokenizer makes prompts of exact lengths and counts tokens: the name of a model on
	// Hugging Face, a folder, a tokenizer.json, or [BuiltinTokenizer]. A name is looked
	// for in the local cache first (HF_HOME and its relatives are read) and then
	// downloaded. Default: that of Model, and where it is not available the built-in
	// one; [Endpoint.Warnings] then says so.
	Tokenizer string
	// ServerTokens takes the counts of the server's usage in place of the tokenizer's.
	ServerTokens bool

	// Timeout bounds one request from its start to the end of its reply. Default: six
	// hours.
	Timeout time.Duration
	// FreshConnections opens a connection for each request, whose time is then in its
	// latencies. By default free connections are used again.
	FreshConnections bool
	// HTTP2 speaks HTTP/2 and nothing else. Arrivals then have the time of the clock in
	// place of the kernel's.
	HTTP2 bool
	// Proxy is the address of a proxy for all requests, or "env" for those of the
	// environment. Default: none, whatever the environment says.
	Proxy string
	// TLSCA is a PEM file of the certificates to trust in place of the system's;
	// AnyCertificate trusts all.
	TLSCA          string
	AnyCertificate bool
}

// client is the configuration of the exchange.
func (c Config) client() (openai.Config, error) {
	o := openai.Config{URLs: c.URLs, Type: c.API, Endpoint: c.Path, Streaming: !c.Whole}
	if c.Model != "" {
		o.Models = []string{c.Model}
	}
	o.APIKey, o.Headers = c.APIKey, c.Headers
	o.UseServerTokenCount, o.Timeout = c.ServerTokens, c.Timeout
	if c.FreshConnections {
		o.ConnectionReuse = openai.ReuseNever
	}
	o.HTTP2, o.Proxy = c.HTTP2, c.Proxy
	o.TLSCA, o.InsecureSkipVerify = c.TLSCA, c.AnyCertificate
	o.Defaults()
	if len(c.Extra) == 0 {
		return o, nil
	}
	text, err := json.Marshal(c.Extra)
	if err != nil {
		return o, fault.New("%s: it has no form in JSON: %w", fault.Field("extra-inputs"), err)
	}
	o.Extra = text
	return o, nil
}

// Validate lists every fault, each with its field, its value and what is allowed. It
// asks neither the server nor for files.
func (c Config) Validate() error {
	o, err := c.client()
	if err == nil {
		err = o.Validate()
	}
	return fault.Named(err, fieldName)
}

// fields are the names of Config's fields by those of the options that faults and
// advice speak of.
var fields = map[string]string{
	"url": "URLs", "model": "Model", "endpoint-type": "API", "endpoint": "Path", "streaming": "Whole",
	"api-key": "APIKey", "header": "Headers", "extra-inputs": "Extra", "tokenizer": "Tokenizer",
	"use-server-token-count": "ServerTokens", "request-timeout-seconds": "Timeout",
	"connection-reuse-strategy": "FreshConnections", "proxy": "Proxy",
}

func fieldName(f fault.Field) string {
	if name := fields[string(f)]; name != "" {
		return "Config." + name
	}
	return string(f)
}
