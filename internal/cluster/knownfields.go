package cluster

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"headway/internal/openai"
)

// KnownFields are the members that a server takes in a request: those of the body
// under "", of an object in it under its path, such as nvext.agent_hints. What is
// in an object that is not listed is not looked at.
type KnownFields map[string][]string

// Dynamo16 are the fields that the frontend of Dynamo 1.6 takes. Older ones took
// nvext.ignore_eos too.
func Dynamo16() KnownFields {
	return KnownFields{
		"": {
			"messages", "prompt", "model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n",
			"best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "presence_penalty",
			"response_format", "seed", "service_tier", "stop", "suffix", "temperature", "tool_choice", "tools",
			"parallel_tool_calls", "top_p", "user", "metadata", "store", "reasoning_effort", "ignore_eos", "min_tokens",
			"top_k", "min_p", "repetition_penalty", "include_stop_str_in_output", "guided_json", "guided_regex",
			"guided_choice", "guided_grammar", "skip_special_tokens", "chat_template_args", "chat_template_kwargs",
			"nvext",
		},
		"nvext": {
			"greed_sampling", "use_raw_prompt", "annotations", "backend_instance_id", "token_data",
			"max_thinking_tokens", "cache_salt", "extra_fields", "metadata_upload", "prefill_worker_id",
			"decode_worker_id", "dp_rank", "prefill_dp_rank", "agent_hints", "request_timestamp_ms",
			"routing_constraints", "router",
		},
		"nvext.agent_hints": {"priority", "strict_priority", "osl", "speculative_prefill", "latency_sensitivity"},
	}
}

// check refuses a body with other fields, in the words of Dynamo. Nil takes all.
func (k KnownFields) check(body []byte) *openai.ServerError {
	if k == nil {
		return nil
	}
	for _, path := range []string{"nvext.agent_hints", "nvext", ""} {
		unknown := k.unknown(body, path)
		switch {
		case len(unknown) == 0:
		case path == "":
			return refusedFields("Validation: Unsupported parameter(s): `" + strings.Join(unknown, "`, `") + "`")
		default:
			return refusedFields("invalid nvext: unknown field `" + unknown[0] + "`, expected one of `" +
				strings.Join(k[path], "`, `") + "`")
		}
	}
	return nil
}

// unknown are the members of an object of a body that are not known, sorted.
func (k KnownFields) unknown(body []byte, path string) []string {
	object := map[string]json.RawMessage{}
	at := func(raw []byte) bool { clear(object); return json.Unmarshal(raw, &object) == nil }
	if !at(body) {
		return nil // what is wrong with it is said elsewhere
	}
	for name := range strings.SplitSeq(path, ".") {
		if path != "" && !at(object[name]) {
			return nil
		}
	}
	var unknown []string
	for name := range object {
		if known, listed := k[path]; listed && !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

func refusedFields(message string) *openai.ServerError {
	return &openai.ServerError{Status: http.StatusBadRequest, Type: "Bad Request", Message: message}
}
