package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"headway/internal/markdown"
)

// What a guide tells its reader to type is run here, in the order of the page and
// in one folder, against simulated endpoints. The word behind the three backticks
// says what a block is:
//
//	sh                    commands; they must end with 0
//	sh exits N            the last of them ends with N
//	sh server             a server that runs until the page ends
//	sh not-run: REASON    is not run; its options are checked all the same
//	yaml FILE             a file that the commands behind it read
//	text                  what the commands before printed; … stands for any lines
//	text sample           the same of a measurement, whose figures differ from run to
//	                      run: the heads of its tables are compared, by their words
//
// A file below results/ that the text of the page names must be there at the end.
func TestGuides(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../../docs/guide-*.md")
	if err != nil {
		t.Fatal(err)
	}
	names = append(names, "../../docs/getting-started.md", "../../docs/migrating-from-dynamo-scripts.md")
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".md"), func(t *testing.T) {
			t.Parallel()
			page, err := markdown.Read(name)
			if err != nil {
				t.Fatal(err)
			}
			newGuide(t, page).follow()
		})
	}
}

// README shows what its first command prints, with figures of a machine that is
// idle; its columns and the reason without an interval must be those of today.
func TestReadmeSample(t *testing.T) {
	t.Parallel()
	page, err := markdown.Read("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(page.Blocks, func(b markdown.Block) bool { return strings.Contains(b.Text, "┃") })
	if i < 0 {
		t.Fatal("README has no table")
	}
	g := newGuide(t, page)
	g.Run(markdown.Block{Text: "HEADWAY_MAX_LAG=1h headway bench --concurrencies 1,2 --isl 32 --osl 4 " +
		"--warmup-request-count 0 --no-plots"}, "")
	g.compare(page.Blocks[i], true)
	_, reason, found := strings.Cut(page.Blocks[i].Text, "Figures without an interval at 1, 10, 100, 250: ")
	reason, _, _ = strings.Cut(reason, "\nTokens: ")
	if !found || !strings.Contains(unbroken(g.printed), unbroken(reason)) {
		t.Errorf("README's reason without an interval, %q, is not printed (any more):\n%s", reason, g.printed)
	}
}

// guide is a reader at work on a page.
type guide struct {
	*testing.T
	page    markdown.Page
	dir     string
	environ []string
	ports   map[string]string
	printed string // what the commands of the last block printed
}

func newGuide(t *testing.T, page markdown.Page) *guide {
	dir := t.TempDir()
	bin := filepath.Dir(program(t))
	return &guide{T: t, page: page, dir: dir, ports: map[string]string{}, environ: append(os.Environ(),
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+dir, "XDG_CACHE_HOME="+dir,
		"XDG_STATE_HOME="+dir,
		"HF_HUB_OFFLINE=1", "HF_HOME="+dir, "COLUMNS=200")}
}

func (g *guide) follow() {
	commands := 0
	for _, b := range g.page.Blocks {
		b.Text = g.freePorts(b.Text)
		kind, rest, _ := strings.Cut(b.Info, " ")
		switch {
		case kind == "text":
			g.compare(b, rest == "sample")
		case kind == "yaml" && rest != "":
			g.write(b, rest)
		case kind == "sh" && rest == "server":
			g.serve(b)
		case kind == "sh" && strings.HasPrefix(rest, "not-run: "):
		case kind == "sh" && (rest == "" || strings.HasPrefix(rest, "exits ")):
			commands++
			g.Run(b, rest)
		case kind == "sh" || kind == "":
			g.Errorf("%s:%d: a block ```%s is neither run nor says why not", g.page.Name, b.Line, b.Info)
		}
	}
	if commands == 0 {
		g.Errorf("%s: no command of it is run", g.page.Name)
	}
	g.lookForFiles()
}

// write makes a file of what the page shows.
func (g *guide) write(b markdown.Block, name string) {
	if err := os.WriteFile(filepath.Join(g.dir, name), []byte(b.Text), 0o600); err != nil {
		g.Fatalf("%s:%d: %v", g.page.Name, b.Line, err)
	}
}

func (g *guide) Run(b markdown.Block, rest string) {
	want := "0"
	if exits, ok := strings.CutPrefix(rest, "exits "); ok {
		want = exits
	}
	var out bytes.Buffer
	environ := g.environ
	if strings.Contains(b.Text, "http://") {
		environ = slices.Concat(environ, patient)
	}
	err := g.shell(g.Context(), b, &out, environ)
	g.printed = out.String()
	got := "0"
	if status, ok := errors.AsType[interp.ExitStatus](err); ok {
		got = fmt.Sprint(uint8(status))
	} else if err != nil {
		g.Fatalf("%s:%d: %v", g.page.Name, b.Line, err)
	}
	if got != want {
		g.Fatalf("%s:%d: exit code %s, want %s:\n%s\n%s", g.page.Name, b.Line, got, want, b.Text, g.printed)
	}
}

// serve starts a server, ten times as fast as its reader's, and waits until it says
// where it listens.
func (g *guide) serve(b markdown.Block) {
	reader, writer := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := g.shell(ctx, b, writer, append(slices.Clone(g.environ), "HEADWAY_SPEEDUP_RATIO=10"))
		writer.Close()
		done <- err
	}()
	g.Cleanup(func() { stop(); <-done })
	said := make([]byte, 4096)
	n, err := io.ReadAtLeast(reader, said, len("simulated endpoint: http"))
	if err != nil || !strings.Contains(string(said[:n]), "http://") {
		g.Fatalf("%s:%d: the server said %q: %v", g.page.Name, b.Line, said[:n], err)
	}
	go io.Copy(io.Discard, reader) // ends with the server
}

func (g *guide) shell(ctx context.Context, b markdown.Block, out io.Writer, environ []string) error {
	script, err := syntax.NewParser().Parse(strings.NewReader(b.Text), fmt.Sprintf("%s:%d", g.page.Name, b.Line))
	if err != nil {
		return err
	}
	runner, err := interp.New(interp.Dir(g.dir), interp.Env(expand.ListEnviron(environ...)),
		interp.StdIO(nil, out, out), interp.Params("-e"),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc {
			return interp.DefaultExecHandler(time.Minute)
		}))
	if err != nil {
		return err
	}
	return runner.Run(ctx, script)
}

var port = regexp.MustCompile(`\b80\d\d\b`)

// freePorts puts a free port in the place of each that the page takes (80xx).
func (g *guide) freePorts(text string) string {
	return port.ReplaceAllStringFunc(text, func(p string) string {
		if g.ports[p] == "" {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				g.Fatal(err)
			}
			_, g.ports[p], _ = net.SplitHostPort(l.Addr().String())
			l.Close()
		}
		return g.ports[p]
	})
}

// compare looks for a block in what was printed: for its parts between lines …, in
// order, however either is broken into lines; of a sample, for the heads of tables.
func (g *guide) compare(b markdown.Block, sample bool) {
	printed, want := unbroken(g.printed), strings.Split(b.Text, "…\n")
	if sample {
		want = slices.DeleteFunc(strings.Split(b.Text, "\n"),
			func(line string) bool { return !strings.Contains(line, "┃") })
	}
	for _, part := range want {
		_, rest, found := strings.Cut(printed, unbroken(part))
		if !found {
			g.Errorf("%s:%d: this is not printed (any more):\n%s\nbut:\n%s", g.page.Name, b.Line, part, g.printed)
			return
		}
		printed = rest
	}
}

// unbroken is a text with one space in the place of spaces and ends of lines.
func unbroken(text string) string { return strings.Join(strings.Fields(text), " ") }

var resultFile = regexp.MustCompile(`^results/[\w./-]+$`)

func (g *guide) lookForFiles() {
	for _, span := range g.page.Code() {
		if !resultFile.MatchString(span.Text) {
			continue
		}
		if _, err := os.Stat(filepath.Join(g.dir, span.Text)); err != nil {
			g.Errorf("%s:%d: %s was not written: %v", g.page.Name, span.Number, span.Text, err)
		}
	}
}
