package main

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/alecthomas/kong"

	"headway/internal/cli"
	"headway/internal/manual"
)

func ownGrammar(t *testing.T) *manual.Command {
	t.Helper()
	return manual.Of(&kong.Application{Node: grammar(t)})
}

// No help text breaks a shell's script: each shell that is here reads its own.
func TestCompletionScriptsAreRead(t *testing.T) {
	t.Parallel()
	for shell, args := range map[string][]string{"bash": {"--norc", "-n"}, "zsh": {"-f", "-n"},
		"fish": {"--no-config", "-n"}} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("%s is not installed, so its script is not read here", shell)
			}
			var script bytes.Buffer
			if err := manual.WriteCompletion(&script, shell, "headway", ownGrammar(t)); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path, args...)
			cmd.Stdin = &script
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// No help text breaks a manual page.
func TestManualPagesAreFormatted(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not installed, so no page is formatted here")
	}
	about := manual.About{Program: "headway", Version: cli.Version, Prefix: "HEADWAY_", Exits: cli.Exits()}
	for _, c := range ownGrammar(t).All() {
		var page, problems bytes.Buffer
		if err := manual.WritePage(&page, about, c); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(path, "-k", "-man", "-ww", "-Tutf8")
		cmd.Stdin, cmd.Stderr = &page, &problems
		out, err := cmd.Output()
		if err != nil || problems.Len() > 0 || len(out) == 0 {
			t.Errorf("%s: %v\n%s", manual.PageName("headway", c), err, problems.String())
		}
	}
}
