package dgd

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headway/internal/model"
)

// Whatever is read comes back byte for byte, and what is edited can be read
// again and says what the document says.
func FuzzRead(f *testing.F) {
	for name := range inputs {
		d, data := input(&testing.T{}, name)
		f.Add(data)
		f.Add([]byte(strings.ReplaceAll(string(d.YAML()), "  ", "   ")))
	}
	f.Add([]byte(ofOldWords))
	f.Add([]byte(fmt.Sprintf(planned, "dynamo.planner.planner_sla", "[--no-operation, --ttft, 3]")))
	f.Add([]byte(fmt.Sprintf(planned, "dynamo.planner", `[--config, '{"a": [1]}']`)))
	for _, backend := range Backends() {
		d, err := Default(backend)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(d.YAML())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Read(data)
		if err != nil {
			return
		}
		if !bytes.Equal(d.YAML(), data) {
			t.Fatalf("not what was read: %q", d.YAML())
		}
		for _, version := range []string{"0.9", "1.6"} {
			if c, _, err := d.WrittenFor(releaseOf(t, version)); err == nil {
				same(t, c)
			}
		}
		for _, backend := range Backends() {
			for _, m := range []model.Mapping{{Kind: model.TP, Size: 4}, {Kind: model.DEP, Size: 16}} {
				for _, phase := range []string{PhasePrefill, PhaseDecode} {
					c, err := d.Candidate(backend, phase, m, 8)
					if err == nil {
						same(t, c)
					}
				}
			}
			s := selection()
			if c, err := d.Final(backend, s); err == nil {
				same(t, c)
			}
		}
	})
}

func same(t *testing.T, d *Document) {
	again, err := Read(d.YAML())
	if err != nil {
		t.Fatalf("what was edited cannot be read: %v\n%s", err, d.YAML())
	}
	if !reflect.DeepEqual(d.Object(), again.Object()) || !reflect.DeepEqual(d.Others(), again.Others()) {
		t.Fatalf("what was edited says something else:\n%s", d.YAML())
	}
}

// A script's words stay in order and apart; a quoted word is read back; a flag
// that is added and taken out again leaves the script as it was.
func FuzzSplitScript(f *testing.F) {
	for _, s := range []string{
		`exec python3 -m dynamo.vllm --model 'a b' -tp=2 2>&1 | tee x`,
		"a \\\n b; (c) # d", `"a\"$b" $(c d) ` + "`e`", "dynamo.x >a b >>c 3>&1", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script string) {
		if words, err := splitScript(quote(script)); err != nil || len(words) != 1 ||
			words[0].words[0].value != script {
			t.Fatalf("%q quoted is %q and is read as %v, %v", script, quote(script), words, err)
		}
		commands, err := splitScript(script)
		if err != nil {
			return
		}
		at := 0
		for _, c := range commands {
			for _, w := range c.words {
				if w.from < at || w.to <= w.from || w.to > len(script) {
					t.Fatalf("%q: the word %+v overlaps", script, w)
				}
				at = w.to
			}
		}
		c := &commandLine{items: []string{script}}
		if c.readScript() != nil || c.module == "" {
			return
		}
		if got := c.rendered(); got != script {
			t.Fatalf("%q without an edit is %q", script, got)
		}
		c.list = append(c.list, argument{"--added", -1}, argument{"va lue", -1})
		again := &commandLine{items: []string{c.rendered()}}
		if err := again.readScript(); err != nil {
			t.Fatalf("%q cannot be read: %v", c.rendered(), err)
		}
		if v, ok := again.value("--added"); !ok || v != "va lue" {
			t.Fatalf("%q with a flag is %q: %v", script, c.rendered(), values(again.list))
		}
		if !slices.Contains(values(again.list), c.module) {
			t.Fatalf("%q lost its module", again.items[0])
		}
	})
}

// A log gives a positive figure or an error.
func FuzzKVTokens(f *testing.F) {
	f.Add("Maximum concurrency for 40,960 tokens per request: 12.57x\n", 1)
	f.Add("KV Cache is allocated. dtype: torch.bfloat16, #tokens: 500, K size\r\n", 8)
	f.Add("Allocated 60.1 GiB for max tokens in paged KV cache (983040).\n", 2)
	f.Fuzz(func(t *testing.T, log string, ranks int) {
		for _, backend := range Backends() {
			if n, err := KVTokens(backend, strings.NewReader(log), ranks); err == nil && (n < 1 || n%ranks != 0) {
				t.Fatalf("%s: %d tokens over %d ranks", backend, n, ranks)
			}
		}
	})
}
