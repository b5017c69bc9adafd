package manual

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// grammarOf is a small command line with every kind of word.
type grammarOf struct {
	Config string `short:"f" type:"path" placeholder:"FILE" help:"Options."`

	Run struct {
		Level   string   `enum:",none,some,all" default:"none" short:"l" help:"How [much]: it's one of ${enum}. More."`
		Dir     string   `name:"output-dir" type:"path" placeholder:"DIR" aliases:"out" help:"Where \\ results go."`
		Stream  bool     `negatable:"" default:"true" help:"As \"a stream\"."`
		Headers []string `name:"header" sep:"none" placeholder:"'N: V'" help:".beginning with a dot, 'quoted'."`
	} `cmd:"" help:"Measure."`
	Trace struct {
		Analyze struct {
			File string `arg:"" optional:"" type:"path" help:"The trace."`
		} `cmd:"" help:"Describe A TRACE: its $lengths & more."`
	} `cmd:"" help:"About traces."`
	Shell struct {
		Name string `arg:"" enum:"bash,zsh" help:"A shell."`
	} `cmd:"" help:"Of shells."`
	Hidden struct{} `cmd:"" hidden:"" help:"Not shown."`
}

func sample(t *testing.T) *Command {
	t.Helper()
	k, err := kong.New(&grammarOf{}, kong.Name("prog"), kong.Description("prog does things.\n\nMore of "+
		"it.\n\nAnd more."))
	if err != nil {
		t.Fatal(err)
	}
	return Of(k.Model)
}

// folder has files and folders to complete.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"trace one.jsonl", "trash"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "traces"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// completions are lines to complete, a word apart, and what is offered.
var completions = []struct{ line, want string }{
	{"prog|", "run shell trace"},
	{"prog|r", "run"},
	{"prog|trace|", "analyze"},
	{"prog|run|--o", "--output-dir"},
	{"prog|run|--no", "--no-stream"},
	{"prog|run|--level|", "all none some"},
	{"prog|run|-l|s", "some"},
	{"prog|run|--output-dir|tra", "traces"},
	{"prog|run|--out|tra", "traces"},
	{"prog|run|--config|tra", "trace one.jsonl traces trash"},
	{"prog|trace|analyze|tra", "trace one.jsonl traces trash"},
	{"prog|shell|z", "zsh"},
	{"prog|run|--header|shell|--o", "--output-dir"}, // a value is no command
	{"prog|run|--header|x", ""},
}

// offered makes one line of what a shell offers: sorted, folders without slash.
func offered(out []byte) string {
	var list []string
	for line := range strings.SplitSeq(string(out), "\n") {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if word = strings.TrimSuffix(strings.ReplaceAll(word, `\ `, " "), "/"); word != "" {
			list = append(list, word)
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

func shell(t *testing.T, name string) (path, script string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed, so its completion script is not run here", name)
	}
	var b bytes.Buffer
	if err := WriteCompletion(&b, name, "prog", sample(t)); err != nil {
		t.Fatal(err)
	}
	return path, b.String()
}

func output(t *testing.T, dir, path string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil || problems.Len() > 0 {
		t.Fatalf("%s: %v\n%s", path, err, problems.String())
	}
	return out
}

func TestBash(t *testing.T) {
	path, script := shell(t, "bash")
	dir := folder(t)
	for _, c := range completions {
		words := strings.Split(c.line, "|")
		var list []string
		for _, w := range words {
			list = append(list, quoted(w))
		}
		call := script + "\nCOMP_WORDS=(" + strings.Join(list, " ") +
			"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); _prog; printf '%s\\n' \"${COMPREPLY[@]}\""
		if got := offered(output(t, dir, path, "--norc", "-c", call)); got != c.want {
			t.Errorf("%s: %q, want %q", c.line, got, c.want)
		}
	}
	equals := script + "\nCOMP_WORDS=(prog run --level = a); COMP_CWORD=4; _prog; echo " +
		"\"${COMPREPLY[@]}\"\nCOMP_WORDS=(prog run --level = ); COMP_CWORD=3; _prog; echo \"${COMPREPLY[@]}\""
	if got := string(output(t, dir, path, "--norc", "-c", equals)); got != "all\nnone some all\n" {
		t.Errorf("--level=: %q", got)
	}
}

func TestFish(t *testing.T) {
	path, script := shell(t, "fish")
	dir := folder(t)
	for _, c := range completions {
		line := fishQuoted(strings.ReplaceAll(c.line, "|", " "))
		got := offered(output(t, dir, path, "--no-config", "-c", script+"\ncomplete -C "+line))
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.line, got, c.want)
		}
	}
}

// zshStub stands in for zsh's own functions, which need a terminal: it prints
// what of the specifications fits the words.
const zshStub = `
compdef() { }
_arguments() {
  local cur="$words[CURRENT]" prev="$words[CURRENT-1]" spec name action
  shift
  for spec in "$@"; do
    name="${${${spec#!}#\*}%%[=\[:]*}"
    action="${spec##*:}"
    if [[ $spec == (!|)\*-* && $name == $prev && $spec == *\]:* ]]; then
      case "$action" in
        (_files) print -l -- $cur*(N) ;;
        ('_files -/') print -l -- $cur*(N/) ;;
        (\(*) print -l -- ${(M)${=${action//[()]/}}:#$cur*} ;;
      esac
      return
    fi
  done
  for spec in "$@"; do
    name="${${${spec#!}#\*}%%[=\[:]*}"
    case "$spec" in
      (\*--*) [[ $cur == -* && $name == $cur* ]] && print -- $name ;;
      (1:command:*) [[ $cur != -* ]] && print -l -- ${(M)${(f)"$(print -r -- "$spec" | grep -oE '[( ][a-z]+\\:' | tr -d '( \\:')"}:#$cur*} ;;
      (1:*_files) [[ $cur != -* ]] && print -l -- $cur*(N) ;;
      (1:*\)) [[ $cur != -* ]] && print -l -- ${(M)${=${${spec##*:}//[()]/}}:#$cur*} ;;
    esac
  done
  return 0
}
`

func TestZsh(t *testing.T) {
	path, script := shell(t, "zsh")
	dir := folder(t)
	for _, c := range completions {
		words := strings.Split(c.line, "|")
		var list []string
		for _, w := range words {
			list = append(list, quoted(w))
		}
		call := zshStub + script + "\nwords=(" + strings.Join(list, " ") + "); CURRENT=$#words; _prog"
		if got := offered(output(t, dir, path, "-f", "-c", call)); got != c.want {
			t.Errorf("%s: %q, want %q", c.line, got, c.want)
		}
	}
}

// PowerShell is seldom where tests run: its script is held against the rules of
// its quotes and brackets.
func TestPowerShell(t *testing.T) {
	var b bytes.Buffer
	if err := WriteCompletion(&b, "powershell", "prog", sample(t)); err != nil {
		t.Fatal(err)
	}
	if path, err := exec.LookPath("pwsh"); err == nil {
		file := filepath.Join(t.TempDir(), "prog.ps1")
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		output(t, t.TempDir(), path, "-NoProfile", "-Command",
			". '"+file+"'; (TabExpansion2 'prog run --o' 12).CompletionMatches.CompletionText")
	}
	checkPowerShell(t, b.String())
	for _, want := range []string{"' run' = @(", ",@('--output-dir', '--output-dir: Where \\ results go')",
		"' run --level' = @('none', 'some', 'all')", "' run -l' = @(", "it''s one of"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// checkPowerShell reads a script as PowerShell's tokenizer does, as far as quotes,
// comments and brackets go.
func checkPowerShell(t *testing.T, script string) {
	t.Helper()
	pair := map[rune]rune{')': '(', '}': '{', ']': '['}
	var open []rune
	var in rune // the quote or comment that is open
	for _, c := range script {
		switch {
		case in == '#' && c == '\n', in != 0 && in != '#' && c == in:
			in = 0
		case in != 0:
		case c == '#', c == '\'', c == '"':
			in = c
		case strings.ContainsRune("({[", c):
			open = append(open, c)
		case pair[c] != 0:
			if len(open) == 0 || open[len(open)-1] != pair[c] {
				t.Fatalf("a bracket %c closes nothing", c)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 || in != 0 && in != '#' {
		t.Fatalf("the script ends within brackets %q, quote %q", string(open), string(in))
	}
}

// noDate is the warning that a page has no date, which is so on purpose.
var noDate = regexp.MustCompile(`mandoc: .*missing date.*\n`)

// Whoever formats manual pages finds nothing wrong with any.
func TestPages(t *testing.T) {
	about := About{Program: "prog", Version: "1", Prefix: "PROG_", Exits: []Exit{{0, "Done."}, {3, "Missed."}}}
	root := sample(t)
	for _, c := range root.All() {
		var b bytes.Buffer
		if err := WritePage(&b, about, c); err != nil {
			t.Fatal(err)
		}
		for _, check := range [][]string{{"groff", "-k", "-man", "-ww", "-Tutf8"},
			{"mandoc", "-T", "lint", "-W", "warning"}} {
			path, err := exec.LookPath(check[0])
			if err != nil {
				t.Logf("%s is not installed, so it checks no page here", check[0])
				continue
			}
			cmd := exec.Command(path, check[1:]...)
			cmd.Stdin = &b
			page := b.String()
			var problems bytes.Buffer
			cmd.Stderr = &problems
			out, err := cmd.Output()
			if check[0] == "mandoc" {
				problems.WriteString(noDate.ReplaceAllString(string(out), ""))
				err = nil // it is of the date
			}
			if err != nil || problems.Len() > 0 {
				t.Errorf("%s of %s: %v\n%s\n%s", check[0], PageName("prog", c), err, problems.String(), page)
			}
			b = *bytes.NewBufferString(page)
		}
	}
	run, err := root.Find([]string{"run"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WritePage(&b, about, run); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{".TH PROG-RUN 1", "\\fB\\-\\-level\\fR, \\fB\\-l\\fR " +
		"\\fIVALUE\\fR", "\\&.beginning with a dot", "\\fB\\-\\-no\\-stream\\fR", "\\fB\\-\\-out\\fR",
		"Where \\e results go", "Default: none."} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if _, err := root.Find([]string{"hidden"}); err == nil {
		t.Error("a hidden command has a page")
	}
}
