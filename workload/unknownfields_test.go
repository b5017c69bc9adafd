package workload

import (
	"maps"
	"strings"
	"testing"
)

// What a row has and headway does not read is named, at the top of a row and of a turn.
func TestUnknownFields(t *testing.T) {
	for _, test := range []struct {
		format Format
		text   string
		want   map[string]int
	}{
		{SingleTurn, `{"text":"a","Timestamp":1,"extra":{"x":[{"y":1}]},"nvext":{"z":1}}`, nil},
		{SingleTurn, `{"priority":1,"text":"a, {\"b\":1"}` + "\n" + `{"text":"c","priority":[1,{"d":2}],"\u0065":1}`,
			map[string]int{"priority": 2, "e": 1}},
		{MultiTurn, `{"turns":[{"text":"a","tag":1},{"text":"b","tag":"x"}],"weight":2}`,
			map[string]int{"tag": 2, "weight": 1}},
		{Mooncake, `{"input_length":5,"context_len":1,"kind":"x"}` + "\n" + `{"input_length":5,"hash_ids":[1]}`,
			map[string]int{"kind": 1}},
	} {
		if d := read(t, test.text, ReadOptions{Format: test.format}); !maps.Equal(d.Unknown, test.want) {
			t.Errorf("%s: unknown %v, want %v", test.text, d.Unknown, test.want)
		}
	}
	d := Dataset{Name: "f", Unknown: map[string]int{"b": 2, "a\x1b": 1}}
	if got := d.UnknownFields(); !strings.Contains(got, `"a\x1b" (1 row), "b" (2 rows); `) {
		t.Errorf("text: %s", got)
	}
}

// A file of made-up names does not fill the memory.
func TestUnknownFieldsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"text":"a"`)
	for i := range 3 * MostUnknown {
		b.WriteString(`,"` + strings.Repeat("x", i+1) + `":1`)
	}
	d := read(t, b.String()+"}", ReadOptions{Format: SingleTurn})
	if len(d.Unknown) != MostUnknown || !strings.Contains(d.UnknownFields(), " and 90 more") {
		t.Errorf("%d names; %s", len(d.Unknown), d.UnknownFields())
	}
}

// nvext beside extra is a member of the body.
func TestNVExt(t *testing.T) {
	const hint = `{"agent_hints":{"priority":2}}`
	for _, test := range []struct {
		format     Format
		text, want string
	}{
		{SingleTurn, `{"text":"a","nvext":` + hint + `}`, `{"nvext":` + hint + `}`},
		{SingleTurn, `{"text":"a","extra":{"top_k":1},"nvext":` + hint + `}`, `{"nvext":` + hint + `,"top_k":1}`},
		{SingleTurn, `{"text":"a","nvext":null}`, ``},
		{MultiTurn, `{"turns":[{"text":"a","nvext":` + hint + `}]}`, `{"nvext":` + hint + `}`},
		{Mooncake, `{"input_length":5,"nvext":` + hint + `}`, `{"nvext":` + hint + `}`},
	} {
		d := read(t, test.text, ReadOptions{Format: test.format})
		if got := string(d.Requests[0].Extra); got != test.want || d.Unknown != nil {
			t.Errorf("%s: extra %s, unknown %v; want %s", test.text, got, d.Unknown, test.want)
		}
	}
}
