package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"headway/internal/openai"
	"headway/metric"
)

// config turns the options into the client's configuration.
func (f *endpointFlags) config(a app, urls []string, streaming bool) (openai.Config, error) {
	var bad faultList
	extra, err := mergeExtra(f.ExtraInputs)
	if err != nil {
		bad = append(bad, err)
	}
	headers, err := parseHeaders(f.Headers)
	if err != nil {
		bad = append(bad, err)
	}
	if f.EndpointType != openai.TypeChat && f.EndpointType != openai.TypeCompletions {
		if knownEndpointTypes[f.EndpointType] {
			return openai.Config{}, notBuilt{"--endpoint-type " + f.EndpointType, "chat and completions are built"}
		}
	}
	c := openai.Config{
		URLs: urls, Endpoint: f.CustomEndpoint, Type: f.EndpointType,
		Models: f.Model, ModelStrategy: f.ModelStrategy, Streaming: streaming,
		Headers: headers, APIKey: f.APIKey, Extra: extra, LegacyMaxTokens: f.LegacyMax,
		UseServerTokenCount: f.tokenSource(metric.TokensAuto) == metric.TokensServer,
		PerChunkUsage:       f.PerChunkUsage, SessionHeader: f.SessionHeader,
		Timeout: time.Duration(f.Timeout), ConnectionReuse: f.Reuse, UserAgent: "headway/" + version,
		InsecureSkipVerify: isFalse(a.getenv("AIPERF_HTTP_SSL_VERIFY")), TrustEnv: isTrue(a.getenv("AIPERF_HTTP_TRUST_ENV")),
	}
	c.HTTP2, c.TLSCA, c.TLSCert, c.TLSKey, c.SourceAddresses = f.HTTP2, f.TLSCA, f.TLSCert, f.TLSKey, f.SourceAddress
	if c.Transport = f.Transport; c.Transport == "http" {
		c.Transport = openai.TransportAuto
	}
	if a.asAiperf {
		c.UserAgent = "aiperf/headway-" + version
	}
	if f.ServerTokens && f.TokenCount != "" && f.TokenCount != metric.TokensServer.String() {
		bad.add("--use-server-token-count with --token-count %s: give one of them", f.TokenCount)
	}
	if f.Timeout <= 0 {
		bad.add("--request-timeout-seconds %v: must be above zero", time.Duration(f.Timeout))
		c.Timeout = time.Hour
	}
	bad.dependents(a.given, []dependents{{f.WaitTimeout == 0, "wait-for-model-mode wait-for-model-interval", "--wait-for-model-timeout"}})
	c.Defaults()
	if err := c.Validate(); err != nil {
		bad = append(bad, err)
	}
	return c, bad.err()
}

// tokenSource is whose token counts are asked for; usual is the command's own
// where nothing is said.
func (f *endpointFlags) tokenSource(usual metric.TokenSource) metric.TokenSource {
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
var knownEndpointTypes = map[string]bool{"responses": true, "messages": true, "huggingface_generate": true, "embeddings": true,
	"nim_embeddings": true, "chat_embeddings": true, "nim_rankings": true, "hf_tei_rankings": true, "cohere_rankings": true,
	"rankings": true, "image_generation": true, "image_edit": true, "video_generation": true, "image_retrieval": true,
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
	for _, in := range inputs {
		in = strings.TrimSpace(in)
		if strings.HasPrefix(in, "{") {
			if err := json.Unmarshal([]byte(in), &all); err != nil {
				return nil, fmt.Errorf("--extra-inputs %s: not a JSON object: %w", in, err)
			}
			continue
		}
		key, value, ok := strings.Cut(in, ":")
		if !ok || key == "" {
			return nil, fmt.Errorf("--extra-inputs %q: give key:value or a JSON object", in)
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
			return nil, fmt.Errorf("--header: one of %d has no colon; give 'Name: value'", len(list))
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return h, nil
}
