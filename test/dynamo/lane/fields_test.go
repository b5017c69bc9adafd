//go:build linux

package lane

import (
	"strings"
	"testing"
)

// What headway assumes of Dynamo's fields. Each row that a new release breaks is
// a change to look for in internal/openai.
func (g *rig) testFields(t *testing.T) {
	for _, f := range []struct{ fields, refused string }{
		{fields: `"ignore_eos":true,"min_tokens":1`},
		{fields: `"nvext":{"agent_hints":{"priority":1}}`},
		{fields: `"nvext":{"extra_fields":["worker_id","timing"]}`},
		{`"nvext":{"ignore_eos":true}`, "unknown field `ignore_eos`"},
		{`"nvext":{"agent_hints":{"priority":1.5}}`, "expected i32"},
		{`"never_heard_of":1`, "Unsupported parameter(s): `never_heard_of`"},
	} {
		a := g.ask(t, g.kv, f.fields)
		if (a.refused != "") != (f.refused != "") || !strings.Contains(a.refused, f.refused) {
			t.Errorf("%s: refused with %q, want %q", f.fields, a.refused, f.refused)
		}
	}
	g.testOwnField(t)
}

// A field that the user asked for is sent, and the server's words are passed on.
func (g *rig) testOwnField(t *testing.T) {
	code, out := g.run(t, strings.Fields(g.fill(t, `run --url KV --streaming --isl 50 --osl 4 --request-count 2 `+
		`--extra-inputs {"nvext":{"ignore_eos":true}} --artifact-dir DIR`+common, t.TempDir()))...)
	if code != 1 || !strings.Contains(out, "unknown field `ignore_eos`") {
		t.Errorf("nvext.ignore_eos as an option: exit code %d, want 1 and the frontend's words:\n%s", code, out)
	}
}
