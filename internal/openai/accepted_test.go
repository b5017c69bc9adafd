package openai

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// Servers in all the words that are read, and those that list what they would
// have taken.
func TestUnknownFields(t *testing.T) {
	const pydantic = `"msg":"Extra inputs are not permitted"`
	for _, tt := range []struct{ body, want string }{
		{"{\"message\":\"invalid nvext: unknown field `ignore_eos`, expected one of `nvext`, `osl`\"}", "ignore_eos"},
		{"Failed to deserialize: nvext.agent_hints: unknown field `osl`, expected `priority`", "osl"},
		{"{\"message\":\"Failed to deserialize the JSON body into the target type: unknown field `ignore_eos`, " +
			"expected one of `extra_fields`, `agent_hints` at line 1 column 102\",\"type\":\"Bad Request\"," +
			"\"code\":400}", "ignore_eos"},
		{"{\"message\":\"Failed to deserialize the JSON body into the target type: invalid type: floating point " +
			"`1.5`, expected i32 at line 1 column 119\",\"type\":\"Bad Request\",\"code\":400}", ""},
		{"{\"message\":\"Validation: Unsupported parameter(s): `ignore_eos`, `min_tokens`\",\"code\":400}",
			"ignore_eos min_tokens"},
		{`{"error":{"message":"Unrecognized request argument supplied: ignore_eos","code":null}}`, "ignore_eos"},
		{`{"error":{"message":"Unrecognized request arguments supplied: ignore_eos, min_tokens"}}`,
			"ignore_eos min_tokens"},
		{`{"error":{"message":"Unknown parameter: 'min_tokens'.","code":"unknown_parameter"}}`, "min_tokens"},
		{`{"error":{"message":"Unknown parameter: 'nvext.agent_hints'."}}`, "agent_hints"},
		{`{"error":{"message":"Invalid JSON payload. Unknown name \"ignore_eos\": Cannot find field."}}`, "ignore_eos"},
		{`{"error":{"message":"property 'ignore_eos' is unsupported"}}`, "ignore_eos"},
		{`{"error":"Additional properties are not allowed ('min_tokens' was unexpected)"}`, "min_tokens"},
		{`{"error":"json: unknown field \"ignore_eos\""}`, "ignore_eos"},
		{`{"detail":[{"type":"extra_forbidden","loc":["body","ignore_eos"],` + pydantic + `,"input":true},` +
			`{"type":"missing","loc":["body","min_tokens"],"msg":"Field required"}]}`, "ignore_eos"},
		{`{"message":"[{'type': 'extra_forbidden', 'loc': ('body', 'min_tokens'), 'msg': 'Extra'}]"}`, "min_tokens"},
		{`{"detail":[{"loc":["body","ignore_eos"],"msg":"extra fields not permitted","type":"value_error.extra"}]}`,
			"ignore_eos"},
		{`{"message":"2 validation errors for Request\nignore_eos\n  Extra inputs are not permitted [type=extra]\n` +
			`nvext.agent_hints\n  Extra inputs are not permitted"}`, "ignore_eos agent_hints"},
		{`{"message":"ignore_eos: Extra inputs are not permitted"}`, "ignore_eos"},
		{`{"message":"min_tokens is 5 and above the limit of 1 tokens"}`, ""},
		{`{"message":"The model 'ignore_eos' does not exist"}`, ""},
		{`{"message":"bad","input":{"ignore_eos":true,"min_tokens":1}}`, ""},
		{"{\"message\":\"missing field `messages`, got `ignore_eos`\"}", ""},
	} {
		body, want := tt.body, tt.want
		got := slices.Compact(slices.Sorted(slices.Values(unknownFields(body))))
		if !slices.Equal(got, slices.Sorted(slices.Values(strings.Fields(want)))) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// strict is a server that takes some fields and refuses others, the first of them
// or all, with a status.
func strict(t *testing.T, status int, each bool, unknown ...string) (c Config, asked *atomic.Int32) {
	asked = new(atomic.Int32)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		b, _ := io.ReadAll(r.Body)
		var body map[string]any
		if json.Unmarshal(b, &body) != nil || !strings.Contains(string(b), `"max_completion_tokens":1`) {
			t.Errorf("asked with %s", b)
		}
		if x, ok := body["nvext"].(map[string]any); ok {
			maps.Copy(body, x)
		}
		var found []string
		for _, name := range unknown {
			if _, ok := body[name]; ok && (each || found == nil) {
				found = append(found, name)
			}
		}
		if found != nil {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"message":"Unsupported parameter(s): `+strings.Join(found, ", ")+`"}`)
			return
		}
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"x"}}]}`)
	})
	return Config{URLs: []string{s.URL}, Models: []string{"m"}}, asked
}

var hinted = append(ExactLength(), Field{Path: []string{"nvext", "agent_hints", "priority"}, Value: 1.5,
	Without: "no priorities"})

// A field is left out where a server names it as unknown, and only there; what a
// server names that we did not send is not ours.
func TestAccepted(t *testing.T) {
	leaks(t)
	for _, tt := range []struct {
		name    string
		status  int
		each    bool
		unknown string
		extra   string
		refused string
		asked   int
	}{
		{"all taken", 400, false, "", "", "", 1},
		{"one", 400, false, "ignore_eos", "", "ignore_eos", 2},
		{"one after the other", 400, false, "ignore_eos min_tokens", "", "ignore_eos min_tokens", 3},
		{"both named", 422, true, "ignore_eos min_tokens", "", "ignore_eos min_tokens", 2},
		{"all", 400, true, "ignore_eos min_tokens nvext", "", "ignore_eos min_tokens nvext.agent_hints.priority", 2},
		{"within an object", 400, true, "agent_hints", "", "nvext.agent_hints.priority", 2},
		{"another failure", 500, false, "ignore_eos", "", "", 1},
		{"not ours", 400, false, "top_k", `{"top_k":1}`, "", 2},
		{"ours elsewhere", 400, false, "x", `{"x":{"ignore_eos":1}}`, "", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, asked := strict(t, tt.status, tt.each, strings.Fields(tt.unknown)...)
			c.Extra, c.Streaming = json.RawMessage(tt.extra), true
			a := Accepted(t.Context(), c, hinted)
			for _, f := range hinted {
				refused := slices.Contains(strings.Fields(tt.refused), f.Name())
				w := a.Warning()
				if a.Sent(f.Name()) == refused || refused && !strings.Contains(w.Text, f.Name()) ||
					refused && !strings.Contains(w.Text, f.Without) {
					t.Errorf("%s: sent %v, %+v", f.Name(), a.Sent(f.Name()), w)
				}
			}
			if int(asked.Load()) != tt.asked || (a.Warning() == nil) != (tt.refused == "") {
				t.Errorf("asked %d times, want %d; %+v", asked.Load(), tt.asked, a.Warning())
			}
		})
	}
}

// What the user sets is neither asked for nor sent a second time.
func TestAcceptedKeepsTheUsers(t *testing.T) {
	leaks(t)
	c, asked := strict(t, 400, true)
	c.Extra = json.RawMessage(`{"ignore_eos":false,"min_tokens":9}`)
	a := Accepted(t.Context(), c, ExactLength())
	if a.Sent("ignore_eos") || a.Sent("min_tokens") || a.Warning() != nil || asked.Load() != 0 {
		t.Errorf("%+v, asked %d times", a, asked.Load())
	}
}

// A field that is named again without being sent stands elsewhere in the body.
func TestAcceptedElsewhere(t *testing.T) {
	leaks(t)
	c, _ := strict(t, 400, true, "ignore_eos")
	c.Extra = json.RawMessage(`{"nvext":{"ignore_eos":true}}`)
	if a := Accepted(t.Context(), c, ExactLength()); !a.Sent("ignore_eos") || a.Warning() != nil {
		t.Errorf("%+v", a)
	}
}

// A server that does not say what it refuses is asked with each field alone.
func TestAcceptedUnspoken(t *testing.T) {
	leaks(t)
	var refuse atomic.Value
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if b, _ := io.ReadAll(r.Body); strings.Contains(string(b), refuse.Load().(string)) {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"error":"bad request"}`)
			return
		}
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"x"}}]}`)
	})
	c := Config{URLs: []string{s.URL}, Models: []string{"m"}}
	refuse.Store("min_tokens")
	a := Accepted(t.Context(), c, hinted)
	if w := a.Warning(); !a.Sent("ignore_eos") || a.Sent("min_tokens") || !a.Sent("nvext.agent_hints.priority") ||
		!strings.Contains(w.Text, "refuses min_tokens (HTTP 400: bad request)") {
		t.Errorf("%+v", a)
	}
	refuse.Store("messages")
	if a := Accepted(t.Context(), c, hinted); a.Warning() != nil || !a.Sent("min_tokens") {
		t.Errorf("what refuses every request has refused fields: %+v", a)
	}
}

// Every replica is asked; an interrupt ends the asking.
func TestAcceptedOfReplicas(t *testing.T) {
	leaks(t)
	c, first := strict(t, 400, true)
	other, _ := strict(t, 400, true, "min_tokens")
	c.URLs = append(c.URLs, other.URLs...)
	a := Accepted(t.Context(), c, ExactLength())
	if w := a.Warning(); a.Sent("min_tokens") || !a.Sent("ignore_eos") || !strings.HasPrefix(w.Text, other.URLs[0]) {
		t.Errorf("%+v", a)
	}
	gone := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.URLs = []string{gone.URL}
	if a := Accepted(ctx, c, ExactLength()); a.Warning() != nil || first.Load() != 1 {
		t.Errorf("%+v", a)
	}
}

func TestAgreedAdd(t *testing.T) {
	a := Assumed(hinted)
	got, err := a.Add(json.RawMessage(`{"b":1,"nvext":{"c":2}}`), 3, "nvext", "agent_hints", "priority")
	if want := `{"b":1,"nvext":{"c":2,"agent_hints":{"priority":3}}}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	if got, err := a.Add(nil, true, "other"); err != nil || got != nil {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := a.Add(json.RawMessage(`[]`), true, "ignore_eos"); err == nil {
		t.Error("took an array")
	}
}
