package dgd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headway/internal/model"
)

// One edit each, on layouts that are rare.
func TestRareLayouts(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		edit func(*editor)
		want string
	}{
		"old line breaks": {"a: \"x\u2028 y\"\nb: \"z\u0085w\"\nc: 1\n", put(number(2), "c"),
			"a: \"x\u2028 y\"\nb: \"z\u0085w\"\nc: 2\n"},
		"lone CR":         {"a: 1\rb: 2\rc: 3\r", put(number(4), "c"), "a: 1\rb: 2\rc: 4\r"},
		"wide letters":    {"ü: {日本: 1, b: 2}\n", put(number(3), "ü", "b"), "ü: {日本: 1, b: 3}\n"},
		"tag":             {"a: !!str 12\n", put(text("13"), "a"), "a: !!str \"13\"\n"},
		"no end of line":  {"a: 1", put(text("x"), "b"), "a: 1\nb: x"},
		"empty value":     {"a:  # why\nb: 1\n", put(text("x"), "a", "in"), "a:  # why\n  in: x\nb: 1\n"},
		"empty brackets":  {"a: {}\nb: []\n", put(text("x"), "a", "in"), "a: {in: x}\nb: []\n"},
		"space and colon": {"a : 1\n", put(number(2), "a"), "a : 2\n"},
		"last of block":   {"a:\n  b: 1\nc: 2\n", remove("a", "b"), "a: {}\nc: 2\n"},
		"last of list":    {"a:\n- 1\nc: 2\n", remove("a", 0), "a: []\nc: 2\n"},
		"in brackets":     {"a: [1, 2, 3]\n", remove("a", 2), "a: [1, 2]\n"},
		"first in":        {"a: [1, 2, 3]\n", remove("a", 0), "a: [2, 3]\n"},
		"only in":         {"a: [1]\n", remove("a", 0), "a: []\n"},
		"not there":       {"a: 1\n", remove("b"), "a: 1\n"},
		"key after dash":  {"a:\n- b: 1\n  # of c\n  c: 2\n", remove("a", 0, "b"), "a:\n# of c\n- c: 2\n"},
		"keep":            {"a: |+\n  x\n\nb: 1\n", put(text("y"), "a"), "a: \"y\"\n\nb: 1\n"},
		"depth given":     {"a: |2\n    x\nb: 1\n", put(number(2), "b"), "a: |2\n    x\nb: 2\n"},
		"alias":           {"a: &x\n  k: 1\n\nb: *x\n", put(number(2), "b", "k"), "a:\n  k: 1\nb:\n  k: 2\n"},
		"merge": {"a: &x {k: 1, l: 1}\nb:\n  <<: *x\n  # of l\n  l: 2\n", put(number(3), "b", "k"),
			"a: &x {k: 1, l: 1}\nb:\n  <<: *x\n  # of l\n  l: 2\n  k: 3\n"},
		"merges": {"a: &x {k: {m: 1}}\nc: &y {k: 0, n: 1}\nb:\n  <<: [*x, *y]\n", put(number(3), "b", "k", "m"),
			"a: &x {k: {m: 1}}\nc: &y {k: 0, n: 1}\nb:\n  <<: [*x, *y]\n  k:\n    m: 3\n"},
		"rename": {"a:\n  'b': 1 # why\n", func(e *editor) { e.rename(path{"a", "b"}, "it's") },
			"a:\n  'it''s': 1 # why\n"},
		"old truth": {"a: 1\n", func(e *editor) {
			e.put(path{"a"}, texts([]string{"y", "off", "1:30", "0x1", "1_000", "~", "null", "2001-01-01", ""}))
		},
			"a:\n  - \"y\"\n  - \"off\"\n  - 1:30\n  - \"0x1\"\n  - \"1_000\"\n  - \"~\"\n  - \"null\"\n  - " +
				"\"2001-01-01\"\n  - \"\"\n"},
		"insert": {"a:\n  # one\n  - 1\n  # two\n  - 2\n", func(e *editor) { e.insert(path{"a"}, 1, text("x")) },
			"a:\n  # one\n  - 1\n  - x\n  # two\n  - 2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			object, err := decodeObject(c.text)
			if err != nil {
				t.Fatal(err)
			}
			e := &editor{text: c.text, object: object}
			c.edit(e)
			if e.err != nil {
				t.Fatal(e.err)
			}
			if d := cmp.Diff(c.want, e.text); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func put(n node, at ...any) func(*editor) { return func(e *editor) { e.put(at, n) } }

func remove(at ...any) func(*editor) { return func(e *editor) { e.remove(at) } }

// What cannot be is refused, and says where.
func TestRefusedEdits(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		edit  func(*editor)
		parts []string
	}{
		"below a text":  {"a: 1\n", put(number(1), "a", "b"), []string{"setting a.b", "is not a mapping"}},
		"beyond a list": {"a: [1]\n", put(number(1), "a", 3), []string{"setting a[3]", "no item 3"}},
	} {
		t.Run(name, func(t *testing.T) {
			object, err := decodeObject(c.text)
			if err != nil {
				t.Fatal(err)
			}
			e := &editor{text: c.text, object: object}
			c.edit(e)
			wants(t, e.err, c.parts...)
			before := e.text
			e.put(path{"z"}, number(1))
			if e.text != before {
				t.Error("an edit was made after a fault")
			}
		})
	}
}

// Anchors within anchors, which grow without bound when written out, are
// refused: when the file is read, and by what writes it anew.
func TestAnchorsWithinAnchors(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	_, err := Read([]byte(b.String()))
	wants(t, err, "document 1", "excessive aliasing")
	_, err = rewrite(b.String())
	wants(t, err, "anchors make the document too large")
}

// The places in which a command may stand.
func TestCommandPlaces(t *testing.T) {
	tp2 := model.Mapping{Kind: model.TP, Size: 2}
	for name, c := range map[string]struct{ container, want string }{
		"all in command": {"{command: [python3, -m, dynamo.sglang, --tp, '1', --model-path, m]}",
			"--tp, '2', --model-path, m]"},
		"script in command": {"{command: [bash, -lc, 'python3 -m dynamo.sglang --tp 1 | tee x']}",
			"'python3 -m dynamo.sglang --tp 2 | tee x'"},
		"one text":      {"{args: 'python3 -m dynamo.sglang --tp 1'}", "'python3 -m dynamo.sglang --tp 2'"},
		"text of flags": {"{command: [python3, -m, dynamo.sglang], args: '--tp 1'}", "args: [--tp, \"2\"]"},
		"no args":       {"{command: [python3, -m, dynamo.sglang]}", "args: [--tp, \"2\"]"},
		"a number":      {"{command: [python3, -m, dynamo.sglang], args: [--tp, 1]}", "args: [--tp, \"2\"]"},
		"entry point":   {"{args: [-m, dynamo.sglang, --tp, \"1\"]}", "[-m, dynamo.sglang, --tp, \"2\"]"},
	} {
		t.Run(name, func(t *testing.T) {
			d := mustRead(t, head+
				"    Frontend: {componentType: frontend}\n    prefill: {extraPodSpec: {mainContainer: "+c.container+
				"}}\n    decode: {extraPodSpec: {mainContainer: "+c.container+"}}\n")
			got, err := d.Candidate(SGLang, PhaseAggregated, tp2, 8)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(got.YAML()), c.want) {
				t.Errorf("no %s in\n%s", c.want, got.YAML())
			}
		})
	}
}

// A planner that is there keeps what it has, in v1beta1 too; a component
// without its main container gets one.
func TestPlannerKept(t *testing.T) {
	d, _ := input(t, "sglang-v1beta1")
	first, err := d.Final(SGLang, selection())
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(first.YAML()), `"decode_engine_num_gpu": 16`, `"decode_engine_num_gpu":3, "x": 1`, 1)
	text = strings.Replace(text, "registry.example/dynamo-planner:1.5.0", "registry.example/planner:9", 1)
	again, err := mustRead(t, text).Final(SGLang, selection())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(again.YAML()); !strings.Contains(got, "registry.example/planner:9") ||
		!strings.Contains(got, `"decode_engine_num_gpu": 16, "max`) || strings.Contains(got, `"x"`) {
		t.Errorf("the planner was not kept:\n%s", got)
	}
	bare := mustRead(t,
		"apiVersion: nvidia.com/v1beta1\nkind: DynamoGraphDeployment\nspec:\n  components:\n  - name: x\n    type: "+
			"epp\n")
	if bare, err = bare.WithImage("registry.example/x:1"); err != nil {
		t.Fatal(err)
	}
	main, _ := lookup(bare.Object(), path{"spec", "components", 0, "podTemplate", "spec", "containers"})
	if d := cmp.Diff([]any{map[string]any{"name": "main", "image": "registry.example/x:1"}}, main); d != "" {
		t.Error(d)
	}
}
