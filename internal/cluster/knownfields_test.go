package cluster

import (
	"strings"
	"testing"
)

// What Dynamo 1.6 does not know is refused in its words; nil takes everything.
func TestKnownFields(t *testing.T) {
	known := Dynamo16()
	for body, want := range map[string]string{
		`{"model":"m","ignore_eos":true,"min_tokens":3,"nvext":{"agent_hints":{"priority":1,"osl":2}}}`: "",
		`{"model":"m","zz":1,"aa":2}`: "Validation: Unsupported parameter(s): `aa`, `zz`",
		`{"nvext":{"ignore_eos":true}}`: "invalid nvext: unknown field `ignore_eos`, expected one of `" +
			strings.Join(known["nvext"], "`, `") + "`",
		`{"nvext":{"agent_hints":{"x":1}}}`: "invalid nvext: unknown field `x`, expected one of `priority`, " +
			"`strict_priority`, `osl`, `speculative_prefill`, `latency_sensitivity`",
		`{"nvext":null}`: "", `{"nvext":5}`: "", `not JSON`: "",
	} {
		got := ""
		if e := known.check([]byte(body)); e != nil {
			got = e.Message
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	if e := KnownFields(nil).check([]byte(`{"zz":1}`)); e != nil {
		t.Error(e.Message)
	}
}
