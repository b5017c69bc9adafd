package study

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"headway/report"
)

// What lies on disk is shown in every form; of a simulated run with what the cluster
// says of itself.
func TestView(t *testing.T) {
	s := replayed(t, 6, 100)
	root := t.TempDir()
	for _, name := range []string{"a", "b"} {
		s.Dir = filepath.Join(root, name)
		if _, err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Remake{}.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	show := func(v View) string {
		var b strings.Builder
		if err := v.Write(&b, d); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	text := show(View{})
	for _, want := range []string{"LLM Metrics | a (SIMULATED)", "LLM Metrics | b (SIMULATED)",
		"Simulated cluster: 1 worker"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if md := show(View{Page: report.ConsoleOptions{Markdown: true}}); strings.Count(md, "### headway") < 4 {
		t.Error(md)
	}
	for _, v := range []View{{JSON: true}, {Page: report.ConsoleOptions{JSON: true}}} {
		dec := json.NewDecoder(strings.NewReader(show(v)))
		n := 0
		for dec.More() {
			var one map[string]any
			if err := dec.Decode(&one); err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 2 {
			t.Errorf("%d documents of two runs", n)
		}
	}
}
