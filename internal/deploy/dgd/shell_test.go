package dgd

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitScript(t *testing.T) {
	for script, want := range map[string][][]string{
		`a b  c`:                    {{"a", "b", "c"}},
		`a 'b c' "d \"e\" $F" g\ h`: {{"a", "b c", `d "e" $F`, "g h"}},
		"a \\\n  b # c\nd":          {{"a", "b"}, {"d"}},
		`a 2>&1 | tee b`:            {{"a"}, {"tee", "b"}},
		`a >log b`:                  {{"a", "b"}},
		`a && b || c; d & e`:        {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}},
		`(a; b)`:                    {{"a"}, {"b"}},
		`x=$(date | cut -c1) a`:     {{"x=$(date | cut -c1)", "a"}},
		"a `b c` d":                 {{"a", "`b c`", "d"}},
		`a '{"b": [1, 2]}'`:         {{"a", `{"b": [1, 2]}`}},
		`a ''`:                      {{"a", ""}},
		`a "$(b "c d")" e`:          {{"a", `$(b "c d")`, "e"}},
		`a b#c`:                     {{"a", "b#c"}},
		``:                          nil,
	} {
		commands, err := splitScript(script)
		if err != nil {
			t.Errorf("%q: %v", script, err)
		}
		var got [][]string
		for _, c := range commands {
			var words []string
			for _, w := range c.words {
				words = append(words, w.value)
			}
			got = append(got, words)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", script, d)
		}
	}
	for _, script := range []string{`a 'b`, `a "b`, "a `b", `a $(b`, "a <<EOF\nEOF\n", `a \`} {
		if _, err := splitScript(script); err == nil {
			t.Errorf("%q is read without an error", script)
		}
	}
}

// Edits of a script change words, and leave the rest as it was written.
func TestRendered(t *testing.T) {
	const script = "set -e\nexec python3 -m dynamo.vllm --model 'a b' \\\n  -tp=2 --is-prefill-worker \\\n  --seed " +
		"\"$SEED\" 2>&1 | tee x; echo done"
	read := func() *commandLine {
		t.Helper()
		c, err := readCommandLine(map[string]any{"c": map[string]any{"command": []any{"/bin/sh", "-c"},
			"args": []any{script}}}, path{"c"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, c := range map[string]struct {
		edit func(*commandLine)
		old  string
		new  string
	}{
		"nothing": {func(*commandLine) {}, "", ""},
		"set": {func(c *commandLine) { c.set("8", "--tensor-parallel-size", "-tp") }, "-tp=2",
			"--tensor-parallel-size=8"},
		"quoted": {func(c *commandLine) { c.set("it's", "--model") }, "'a b'", `'it'"'"'s'`},
		"remove": {func(c *commandLine) { c.unset("--is-prefill-worker") }, " --is-prefill-worker", ""},
		"drop":   {func(c *commandLine) { c.drop("--seed") }, " \\\n  --seed \"$SEED\"", ""},
		"add":    {func(c *commandLine) { c.add("--x") }, ` "$SEED"`, ` "$SEED" --x`},
		"between": {func(c *commandLine) { c.set("3", "--is-prefill-worker") }, "--is-prefill-worker",
			"--is-prefill-worker 3"},
	} {
		line := read()
		c.edit(line)
		if got, want := line.rendered(), strings.Replace(script, c.old, c.new, 1); got != want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want)
		}
	}
	if v, ok := read().value("--model"); v != "a b" || !ok {
		t.Errorf("the model is %q", v)
	}
}

func TestFlags(t *testing.T) {
	line := func(args ...string) *commandLine {
		c := &commandLine{}
		for i, a := range args {
			c.list = append(c.list, splitItem(a, i)...)
		}
		return c
	}
	for name, c := range map[string]struct {
		got  *commandLine
		edit func(*commandLine)
		want string
	}{
		"last wins, first stays": {line("--tp", "1", "--x", "--tp-size=2"),
			func(c *commandLine) { c.set("4", "--tp", "--tp-size") }, "--tp 4 --x"},
		"underscore": {line("--tensor_parallel_size", "1"),
			func(c *commandLine) { c.set("4", "--tensor-parallel-size") }, "--tensor_parallel_size 4"},
		"no value":          {line("--tp", "--x"), func(c *commandLine) { c.drop("--tp") }, "--x"},
		"negative":          {line("--seed", "-1", "--x"), func(c *commandLine) { c.drop("--seed") }, "--x"},
		"value like a flag": {line("--a", "b", "--b"), func(c *commandLine) { c.unset("b") }, "--a b --b"},
		"one item": {line("--tp 1", `--json {"a": "b c"}`), func(c *commandLine) { c.set("2", "--tp") },
			`--tp 2 --json {"a": "b c"}`},
		"end":   {line("--tp"), func(c *commandLine) { c.set("2", "--tp") }, "--tp 2"},
		"twice": {line("--x"), func(c *commandLine) { c.add("--x"); c.add("--y") }, "--x --y"},
	} {
		c.edit(c.got)
		if got := strings.Join(values(c.got.list), " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if v, _ := line("--tp", "1", "--tp=3").value("--tp"); v != "3" {
		t.Errorf("the value is %s", v)
	}
}
