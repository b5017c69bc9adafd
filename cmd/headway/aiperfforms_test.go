package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"mvdan.cc/sh/v3/syntax"

	"headway/internal/cli"
	"headway/internal/options"
)

// Every form of aiperf's command line that Dynamo's recipes use is taken, with all
// that its options mean checked against the file that it names, or is refused for the
// reason that the list has.
func TestAiperfForms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{
		"FILE.jsonl": `{"timestamp": 0, "input_length": 30, "hash_ids": [1], "output_length": 4}` + "\n",
		"st.jsonl":   `{"text": "a b", "session_id": "s"}` + "\n" + `{"text": "c d", "session_id": "s"}` + "\n",
	}
	var fill []string
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		fill = append(fill, name, path)
	}
	fill = append(fill, "URL", "http://127.0.0.1:1", "DIR", filepath.Join(dir, "out"))
	forms, works := listed(t, "forms.txt"), 0
	for _, line := range forms {
		expected, command, _ := strings.Cut(line, " | ")
		why, refused := strings.CutPrefix(expected, "refused: ")
		err := takenAsAiperf(t, strings.NewReplacer(fill...).Replace(command))
		switch {
		case !refused && err != nil:
			t.Errorf("%s\n%v", command, err)
		case refused && (err == nil || !regexp.MustCompile(why).MatchString(err.Error())):
			t.Errorf("%s\nis refused for %v, want %s", command, err, why)
		case !refused:
			works++
		}
	}
	inDocument(t, fmt.Sprintf("Of the %d forms of its command line in Dynamo's recipes, benchmarks and documents "+
		"%d run", len(forms), works))
}

// inDocument fails unless the document on aiperf says something; it gives its words,
// one blank between them.
func inDocument(t *testing.T, want string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/differences-from-aiperf.md")
	if err != nil {
		t.Fatal(err)
	}
	flat := strings.Join(strings.Fields(string(page)), " ")
	if !strings.Contains(flat, want) {
		t.Errorf("docs/differences-from-aiperf.md does not say: %s", want)
	}
	return flat
}

// listed are the lines of a list in testdata/aiperf.
func listed(t *testing.T, name string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "aiperf", name))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	if len(lines) < 30 {
		t.Fatalf("%s has %d lines", name, len(lines))
	}
	return lines
}

// takenAsAiperf parses a command line under the name aiperf and checks its options.
func takenAsAiperf(t *testing.T, command string) error {
	t.Helper()
	script, err := syntax.NewParser().Parse(strings.NewReader(command), "form")
	if err != nil {
		t.Fatal(err)
	}
	args := literal(script.Stmts[0].Cmd.(*syntax.CallExpr).Args)
	a := cli.App{Args: args, Stdout: io.Discard, Stderr: io.Discard, Notes: &cli.Notes{W: &bytes.Buffer{}},
		Caller: options.Caller{AsAiperf: true, Version: cli.Version}, Grammar: commands()}
	v, _, err := a.Parse()
	if err != nil {
		return err
	}
	return v.(*runCmd).Faults(a)
}

// The document says how many of aiperf's option names are taken.
func TestAiperfOptionCount(t *testing.T) {
	t.Parallel()
	var run *kong.Node
	for _, c := range grammar(t).Children {
		if c.Name == "run" {
			run = c
		}
	}
	names := listed(t, "options-0.13.txt")
	var built, idle, partly int
	var refused []string
	for _, name := range names {
		switch kind := taken(run, name); kind {
		case "built":
			built++
		case "idle":
			idle++
		case "default":
			partly++
		default:
			refused = append(refused, name)
		}
	}
	want := fmt.Sprintf("Of the %d option names of `aiperf profile` 0.13, %d do here what they do there, %d have no "+
		"effect by design and are taken with a note, %d are taken with the value that asks for nothing, and %d are "+
		"refused",
		len(names), built, idle, partly, len(refused))
	flat := inDocument(t, want)
	for _, name := range refused {
		if !mentioned(flat, name) {
			t.Errorf("docs/differences-from-aiperf.md does not list --%s, which is refused", name)
		}
	}
}

// taken says how an option name of aiperf is taken: by an option of run, without
// effect, with a value that asks for nothing, or not at all ("").
func taken(run *kong.Node, name string) string {
	if cli.Option(run, name) != nil {
		return "built"
	}
	if positive, negated := strings.CutPrefix(name, "no-"); negated {
		if f := cli.Option(run, positive); f != nil && f.Tag.Negatable != "" {
			return "built"
		}
	}
	return cli.Unbuilt(name)
}

// mentioned says whether a text has an option, or a pattern that ends in * for it.
func mentioned(text, name string) bool {
	for _, m := range regexp.MustCompile("`--([a-z0-9-]+)(\\*?)`").FindAllStringSubmatch(text, -1) {
		if m[1] == name || m[2] != "" && strings.HasPrefix(name, m[1]) {
			return true
		}
	}
	return false
}
