package options

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/openai"
	"headway/metric"
	"headway/workload"
)

// Client turns the options into the client's configuration.
func (f *Endpoint) Client(a Caller, urls []string, streaming bool) (openai.Config, error) {
	var bad fault.List
	extra, err := mergeExtra(f.ExtraInputs)
	if err != nil {
		bad = append(bad, err)
	}
	if err := workload.CheckHints(extra); err != nil {
		bad.Add("%s: %w", fault.Field("extra-inputs"), err)
	}
	headers, err := parseHeaders(f.Headers)
	if err != nil {
		bad = append(bad, err)
	}
	if f.EndpointType != openai.TypeChat && f.EndpointType != openai.TypeCompletions {
		if knownEndpointTypes[f.EndpointType] {
			return openai.Config{}, fault.NotBuilt{What: "--endpoint-type " + f.EndpointType,
				Instead: "chat and completions are built"}
		}
	}
	c := openai.Config{
		URLs: urls, Endpoint: f.CustomEndpoint, Type: f.EndpointType,
		Models: f.Model, ModelStrategy: f.ModelStrategy, Streaming: streaming,
		Headers: headers, APIKey: f.APIKey, Extra: extra, LegacyMaxTokens: f.LegacyMax,
		UseServerTokenCount: f.TokenSource(metric.TokensAuto) == metric.TokensServer,
		PerChunkUsage:       f.PerChunkUsage, SessionHeader: f.SessionHeader,
		Timeout: time.Duration(f.Timeout), ConnectionReuse: f.Reuse, UserAgent: "headway/" + a.Version,
		InsecureSkipVerify: isFalse(a.Getenv("AIPERF_HTTP_SSL_VERIFY")),
		TrustEnv:           f.Proxy == "" && isTrue(a.Getenv("AIPERF_HTTP_TRUST_ENV")),
	}
	c.HTTP2 = f.HTTP2
	c.TLSCA = f.TLSCA
	c.TLSCert = f.TLSCert
	c.TLSKey = f.TLSKey
	c.SourceAddresses = f.SourceAddress
	c.Proxy = f.Proxy
	c.MaxReplyEvents, c.MaxReplyBytes = f.MaxReplyEvents, AmountOf(f.MaxReplyBytes)
	c.ReplyMemory = AmountOf(f.MemoryBudget) / 2
	bad.NotNegative("max-reply-events", float64(f.MaxReplyEvents))
	if c.Transport = f.Transport; c.Transport == "http" {
		c.Transport = openai.TransportAuto
	}
	if a.AsAiperf {
		c.UserAgent = "aiperf/headway-" + a.Version
	}
	if f.ServerTokens && f.TokenCount != "" && f.TokenCount != metric.TokensServer.String() {
		bad.Add("%s with %s %s: give one of them", fault.Field("use-server-token-count"), fault.Field("token-count"),
			f.TokenCount)
	}
	if f.Timeout <= 0 {
		bad.Add("%s %v: must be above zero", fault.Field("request-timeout-seconds"), time.Duration(f.Timeout))
		c.Timeout = time.Hour
	}
	bad.Idle(a.Given, f.WaitTimeout == 0, "wait-for-model-mode wait-for-model-interval",
		fault.Field("wait-for-model-timeout"))
	c.Defaults()
	if err := c.Validate(); err != nil {
		bad = append(bad, err)
	}
	return c, bad.Usage()
}

// AmountOf is the amount that an option has, 0 where it was not given.
func AmountOf(b *bound.Bytes) bound.Bytes {
	if b == nil {
		return 0
	}
	return *b
}

// Room is how many bytes of finished requests may wait to be counted.
func (f *Endpoint) Room() int { return int(bound.Waiting(AmountOf(f.MemoryBudget))) }

// TokenSource is whose token counts are asked for; usual is the command's own
// where nothing is said.
func (f *Endpoint) TokenSource(usual metric.TokenSource) metric.TokenSource {
	switch {
	case f.ServerTokens:
		return metric.TokensServer
	case f.TokenCount == "":
		return usual
	}
	s, err := metric.ParseTokenSource(f.TokenCount)
	if err != nil {
		return usual // the option's values are checked when it is read
	}
	return s
}

// knownEndpointTypes are aiperf's others.
var knownEndpointTypes = map[string]bool{"responses": true, "messages": true, "huggingface_generate": true,
	"embeddings":     true,
	"nim_embeddings": true, "chat_embeddings": true, "nim_rankings": true, "hf_tei_rankings": true,
	"cohere_rankings": true,
	"rankings":        true, "image_generation": true, "image_edit": true, "video_generation": true,
	"image_retrieval":     true,
	"audio_transcription": true, "solido_rag": true, "raw": true, "template": true}

func isFalse(s string) bool {
	return strings.EqualFold(s, "false") || s == "0" || strings.EqualFold(s, "no")
}
func isTrue(s string) bool {
	return strings.EqualFold(s, "true") || s == "1" || strings.EqualFold(s, "yes")
}

// mergeExtra reads --extra-inputs: JSON objects and key:value pairs, later
// ones over earlier ones. A value that is JSON is taken as that, anything
// else as text.
func mergeExtra(inputs []string) (json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	for i, in := range inputs {
		in = strings.TrimSpace(in)
		if strings.HasPrefix(in, "{") {
			if err := json.Unmarshal([]byte(in), &all); err != nil {
				return nil, fault.New("%s: number %d of %d (not shown, it may hold a secret) is not a JSON object: %w",
					fault.Field("extra-inputs"), i+1, len(inputs), err)
			}
			continue
		}
		key, value, ok := strings.Cut(in, ":")
		if !ok || key == "" {
			return nil, fault.New("%s: number %d of %d (not shown, it may hold a secret) has no key: give "+
				"key:value or a JSON object", fault.Field("extra-inputs"), i+1, len(inputs))
		}
		all[key] = scalarJSON(value)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return json.Marshal(all)
}

func scalarJSON(value string) json.RawMessage {
	switch lower := strings.ToLower(value); lower {
	case "true", "false", "null":
		return json.RawMessage(lower)
	case "none":
		return json.RawMessage("null")
	}
	if json.Valid([]byte(value)) {
		return json.RawMessage(value)
	}
	text, _ := json.Marshal(value) // a string always has a JSON form
	return text
}

func parseHeaders(list []string) (http.Header, error) {
	h := http.Header{}
	for _, s := range list {
		name, value, ok := strings.Cut(s, ":")
		if !ok || strings.TrimSpace(name) == "" {
			// The text is not shown: what is malformed may be a secret.
			return nil, fault.New("%s: one of %d has no colon; give 'Name: value'", fault.Field("header"), len(list))
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return h, nil
}
