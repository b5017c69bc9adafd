package main

import (
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"mvdan.cc/sh/v3/syntax"

	"headway/internal/cli"
	"headway/internal/markdown"
)

// Every command line of headway in the documents has to be one that the program
// takes, whether something can run it here or not.
func TestCommandsOfDocuments(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	chinese, err := filepath.Glob("../../docs/zh/*.md")
	if err != nil {
		t.Fatal(err)
	}
	// Most commands stand in several documents, and in both languages.
	seen, parsed := 0, map[string]bool{}
	for _, name := range slices.Concat([]string{"../../README.md", "../../CONTRIBUTING.md"}, names, chinese) {
		page, err := markdown.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range page.Blocks {
			for _, args := range headwayCommands(t, page, b) {
				seen++
				line := strings.Join(args, "\x00")
				if parsed[line] {
					continue
				}
				parsed[line] = true
				a := cli.App{Args: args, Stdout: io.Discard, Stderr: io.Discard, Notes: &cli.Notes{W: io.Discard},
					Grammar: commands()}
				if _, _, err := a.Parse(); err != nil {
					t.Errorf("%s:%d: %s: %v", name, b.Line, strings.Join(args, " "), err)
				}
			}
		}
	}
	if seen < 70 {
		t.Errorf("only %d commands were read", seen)
	}
}

// headwayCommands are the calls of headway in a block, as their arguments. What is
// no shell (a table, JSON, printed text) has none.
func headwayCommands(t *testing.T, page markdown.Page, b markdown.Block) (list [][]string) {
	t.Helper()
	if kind, _, _ := strings.Cut(b.Info, " "); kind != "sh" && kind != "" {
		return nil
	}
	script, err := syntax.NewParser().Parse(strings.NewReader(b.Text), page.Name)
	if err != nil {
		if strings.HasPrefix(b.Info, "sh") {
			t.Errorf("%s:%d: %v", page.Name, b.Line, err)
		}
		return nil
	}
	syntax.Walk(script, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok {
			return true
		}
		if args := literal(call.Args); len(args) > 0 && args[0] == "headway" {
			list = append(list, args)
		}
		return true
	})
	return list
}

// literal are words without their quotes; what a shell would expand stands as it is
// written.
func literal(call []*syntax.Word) (list []string) {
	for _, w := range call {
		var b strings.Builder
		for _, part := range w.Parts {
			literalPart(&b, part)
		}
		list = append(list, b.String())
	}
	return list
}

func literalPart(b *strings.Builder, part syntax.WordPart) {
	switch p := part.(type) {
	case *syntax.Lit:
		b.WriteString(strings.ReplaceAll(p.Value, `\`, ""))
	case *syntax.SglQuoted:
		b.WriteString(p.Value)
	case *syntax.DblQuoted:
		for _, inner := range p.Parts {
			literalPart(b, inner)
		}
	default:
		_ = syntax.NewPrinter().Print(b, part)
	}
}

// Readers search help and do not read it in order, so that each text stands alone:
// no "Its standard deviation.", and no phrases that only this project had.
func TestHelpStandsAlone(t *testing.T) {
	t.Parallel()
	parser, err := cli.App{Grammar: commands()}.Parser(new(bool))
	if err != nil {
		t.Fatal(err)
	}
	alone := regexp.MustCompile(`^(Its|The same)\b|\b(so often|so long|anew|found out|is said)\b`)
	seen := 0
	_ = kong.Visit(parser.Model, func(n kong.Visitable, next kong.Next) error {
		var name, help string
		switch n := n.(type) {
		case *kong.Flag:
			name, help = "--"+n.Name, n.Help
		case *kong.Node:
			name, help = n.Name, n.Help
		}
		seen++
		if alone.MatchString(help) && !strings.HasPrefix(help, "The same as --") {
			t.Errorf("%s: %q does not stand alone, or is no plain English", name, help)
		}
		if strings.Contains(help, "''") || strings.Contains(help, "``") {
			t.Errorf("%s: %q has two quotes that help shows as one", name, help)
		}
		return next(nil)
	})
	if seen < 300 {
		t.Errorf("only %d options and commands were seen", seen)
	}
}
