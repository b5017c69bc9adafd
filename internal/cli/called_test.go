package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"headway/internal/options"
)

type oneVerb struct {
	ISL   int    `name:"isl" short:"i" default:"7" help:"Length."`
	Level string `name:"level" enum:"low,high" default:"low" help:"Level."`
}

func (oneVerb) Run(context.Context, App) (int, error) { return Done, nil }

type otherVerb struct {
	Rate float64 `name:"rate" help:"Rate."`
	Of   string  `name:"of" required:"" help:"Of what."`
}

func (otherVerb) Run(context.Context, App) (int, error) { return Done, nil }

type smallGrammar struct {
	Config ConfigFile `name:"config" short:"f" help:"File."`
	One    oneVerb    `cmd:"" help:"One."`
	Group  struct {
		PrefixRatio oneVerb   `cmd:"" help:"By default named."`
		Other       otherVerb `cmd:"" name:"an-other" help:"Named."`
	} `cmd:"" help:"Two."`
	Man Man `cmd:"" help:"Pages."`
}

func (*smallGrammar) BeforeResolve(a App, ctx *kong.Context) error { return a.ReadConfig(ctx) }

// smallApp is an app of the grammar, and what it printed.
func smallApp(environ ...string) (a App, out, errs *bytes.Buffer) {
	out, errs = new(bytes.Buffer), new(bytes.Buffer)
	a = App{Stdout: out, Stderr: errs, Notes: &Notes{W: errs}, Caller: options.Caller{Environ: environ}}
	a.Grammar = Commands{New: func() any { return new(smallGrammar) },
		Rewrite: func(_ options.Caller, args []string) ([]string, error) { return args, nil }}
	return a, out, errs
}

// What is read with the called command alone is what the whole grammar reads, and all
// else is left to the whole grammar, without a word.
func TestCalledCommandAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "options.yaml")
	if err := os.WriteFile(file, []byte("rate: 3\nisl: 5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line, environ string
		alone         bool
	}{
		{"one", "", true},
		{"one --isl 3 --level=high", "", true},
		{"one -i 3", "HEADWAY_LEVEL=high", true},
		{"one --workers-max 3", "", true}, // has no effect, with a note
		{"one --help", "", true},
		{"group prefix-ratio --isl 4", "", true},
		{"group an-other --of x", "", true},
		{"group --help", "", true},
		{"", "", false},
		{"--help", "", false},
		{"nothing", "", false},
		{"group", "", false},
		{"group an-other", "", false},
		{"one --isl x", "", false},
		{"one --level middle", "", false},
		{"one --workers-max 3 --rate 3", "", false}, // another one's
		{"one", "HEADWAY_RATE=3", false},
		{"one", "HEADWAY_CONFIG=" + file, false},
		{"--config " + file + " one", "", false},
		{"-f one group prefix-ratio", "", false}, // one is a value
		{"man one", "", false},
	} {
		args := strings.Fields(c.line)
		a, out, errs := smallApp(c.environ)
		got, alone := a.readCalled(args)
		if alone != c.alone {
			t.Errorf("%q %s: read with one command: %v, want %v", c.line, c.environ, alone, c.alone)
		}
		if !alone {
			if out.Len()+errs.Len() > 0 {
				t.Errorf("%q: said %s%s", c.line, out, errs)
			}
			continue
		}
		whole, outWhole, errsWhole := smallApp(c.environ)
		want, err := whole.readWhole(args)
		if err != nil || want.done != got.done || out.String() != outWhole.String() ||
			errs.String() != errsWhole.String() || optionsText(t, got) != optionsText(t, want) {
			t.Errorf("%q %s: %v, %s%s%s, want %s%s%s", c.line, c.environ, err, optionsText(t, got), out, errs,
				optionsText(t, want), outWhole, errsWhole)
		}
	}
}

// optionsText is the command that was selected, with its options.
func optionsText(t *testing.T, r reading) string {
	t.Helper()
	if r.done {
		return ""
	}
	text, err := optionsOfCall(r.context.Selected())()
	if err != nil {
		t.Fatal(err)
	}
	return r.context.Selected().Path() + string(text)
}

// Of other commands only the names are built.
func TestOtherCommandsHaveNoOptions(t *testing.T) {
	a, _, _ := smallApp()
	r, ok := a.readCalled([]string{"group", "prefix-ratio"})
	if !ok {
		t.Fatal("it was not read")
	}
	names := optionsOf(r.parser.Model.Node).Names()
	if got := strings.Join(names, " "); got != "help config isl level" {
		t.Errorf("options %s", got)
	}
	if n := len(r.parser.Model.Children); n != 3 {
		t.Errorf("%d commands", n)
	}
}
