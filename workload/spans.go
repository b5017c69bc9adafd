package workload

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"time"
)

// readSpans reads OpenTelemetry spans of calls of models, as OTLP's JSON has them, one
// export a line (the file exporter of the collector): when each began, and its numbers of
// tokens by the semantic conventions for generative AI, or by their older names, which
// vLLM (--otlp-traces-endpoint) still uses. Messages in attributes are passed over, and so
// is a span anywhere below one that was taken, or one exported twice: it tells of the same
// call.
func readSpans(in *input) iter.Seq2[conversation, error] {
	return func(yield func(conversation, error) bool) {
		all := spans{parents: map[spanID]spanID{}}
		for l, err := range in.lines() {
			if err == nil {
				if err = all.take(l.number, l.text); err != nil {
					err = in.at(l.number, cutOff(err, l.last))
				}
			}
			if err != nil && !yield(conversation{}, err) {
				return
			}
		}
		inOrderOfTime(in, all.outermost(), "no span in it has gen_ai.usage.input_tokens and "+
			"gen_ai.usage.output_tokens")(yield)
	}
}

// spanID names a span; its own id is unique in a trace only.
type spanID struct{ trace, id string }

// span is one of a call.
type span struct {
	recorded
	id spanID
}

// spans are those of a file: the calls, and who is above whom of all. A call of a client
// and that of its server often have one of HTTP between them.
type spans struct {
	calls   []span
	parents map[spanID]spanID
}

// take adds those of a line.
func (all *spans) take(number int, text []byte) error {
	var export struct {
		ResourceSpans []struct {
			ScopeSpans []struct {
				Spans []otlpSpan `json:"spans"`
			} `json:"scopeSpans"`
		} `json:"resourceSpans"`
	}
	if err := json.Unmarshal(text, &export); err != nil {
		return err
	}
	for _, r := range export.ResourceSpans {
		for _, scope := range r.ScopeSpans {
			for _, s := range scope.Spans {
				all.add(number, s)
			}
		}
	}
	return nil
}

// add takes a span; exporters that try again may write one twice.
func (all *spans) add(number int, s otlpSpan) {
	id := spanID{s.Trace, s.ID}
	if _, again := all.parents[id]; again && s.ID != "" {
		return
	}
	all.parents[id] = spanID{s.Trace, s.Parent}
	if one, ok := s.call(); ok {
		one.id = id
		one.line = number
		one.recorded = one.checked()
		all.calls = append(all.calls, one)
	}
}

// otlpSpan is what is read of a span.
type otlpSpan struct {
	Trace      string `json:"traceId"`
	ID         string `json:"spanId"`
	Parent     string `json:"parentSpanId"`
	Start      number `json:"startTimeUnixNano"`
	Attributes []struct {
		Key   string `json:"key"`
		Value struct {
			Int    number  `json:"intValue"`
			Double float64 `json:"doubleValue"`
			Text   string  `json:"stringValue"`
		} `json:"value"`
	} `json:"attributes"`
}

// number is a whole one, which OTLP writes as text or as a number.
type number int64

// UnmarshalJSON reads both forms.
func (n *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseInt(string(bytes.Trim(b, `"`)), 10, 64)
	*n = number(v)
	return err
}

// operations are those that answer a prompt; embeddings and agents, whose usage is that
// of the calls below them, are not.
var operations = []string{"", "chat", "text_completion", "generate_content"}

// call says what a span of a call has.
func (s otlpSpan) call() (one span, ok bool) {
	one.at = time.Unix(0, int64(s.Start))
	operation, in, out := "", false, false
	for _, a := range s.Attributes {
		n := int(a.Value.Int) + int(a.Value.Double)
		switch a.Key {
		case "gen_ai.operation.name":
			operation = a.Value.Text
		case "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens":
			one.input, in = n, true
		case "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens":
			one.output, out = n, true
		}
	}
	return one, in && out && s.Start > 0 && slices.Contains(operations, operation)
}

// deepest is how far above a call another one is looked for: a file may have a circle.
const deepest = 1000

// outermost are the calls with no other call above them.
func (all *spans) outermost() (calls []recorded) {
	taken := map[spanID]bool{}
	for _, s := range all.calls {
		taken[s.id] = true
	}
	for _, s := range all.calls {
		if !all.below(s.id, taken) {
			calls = append(calls, s.recorded)
		}
	}
	return calls
}

// below says whether one of the taken spans is above another.
func (all *spans) below(id spanID, taken map[spanID]bool) bool {
	at := id
	for range deepest {
		above, there := all.parents[at]
		switch {
		case !there || above.id == "" || above == id:
			return false
		case taken[above]:
			return true
		}
		at = above
	}
	return false
}
