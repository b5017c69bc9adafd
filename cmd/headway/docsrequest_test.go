package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/markdown"
)

// The request of docs/sla.md is searched for as the page says, and answered by the
// file that it names.
func TestRequestOfDocument(t *testing.T) {
	t.Parallel()
	page, err := markdown.Read("../../docs/sla.md")
	if err != nil {
		t.Fatal(err)
	}
	g := newGuide(t, page)
	ran := 0
	for _, b := range page.Blocks {
		switch kind, rest, _ := strings.Cut(b.Info, " "); kind {
		case "yaml":
			g.write(b, rest)
		case "sh":
			ran++
			g.Run(b, rest)
		case "text":
			g.compare(b, false)
		}
	}
	if ran != 1 {
		t.Errorf("%d commands of the page are run", ran)
	}
	g.lookForFiles()
	final, err := os.ReadFile(filepath.Join(g.dir, "results", "final_config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"name: chat", "vllm-runtime:1.6.1", "HF_HOME"} {
		if !strings.Contains(string(final), want) {
			t.Errorf("the answer has no %s:\n%s", want, final)
		}
	}
}
