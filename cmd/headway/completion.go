package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd prints a shell's completion script, made of the same grammar
// that options are parsed with.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`

	model *kong.Application
}

// Help is shown below the options.
func (completionCmd) Help() string {
	return `Examples:

  source <(headway completion bash)
  headway completion zsh > ~/.zfunc/_headway
  headway completion fish > ~/.config/fish/completions/headway.fish`
}

func (c *completionCmd) run(_ context.Context, a app) (int, error) {
	words := map[string][]string{"": commandWords(c.model.Node)}
	for _, n := range c.model.Children {
		words[n.Name] = commandWords(n)
		for _, sub := range n.Children {
			words[n.Name+" "+sub.Name] = commandWords(sub)
		}
	}
	keys := make([]string, 0, len(words))
	for k := range words {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	if c.Shell == "fish" {
		return exitDone, fish(a.stdout, keys, words)
	}
	return exitDone, bash(a.stdout, c.Shell, keys, words)
}

// commandWords are the subcommands and options that may follow a command.
func commandWords(n *kong.Node) []string {
	var words []string
	for _, child := range n.Children {
		words = append(words, child.Name)
	}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			words = append(words, "--"+f.Name)
			if f.Tag.Negatable != "" {
				words = append(words, "--no-"+f.Name)
			}
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// bash completes by the one or two words before; zsh runs it through its
// bashcompinit.
func bash(w io.Writer, shell string, keys []string, words map[string][]string) error {
	var b strings.Builder
	if shell == "zsh" {
		b.WriteString("#compdef headway\nautoload -U +X bashcompinit && bashcompinit\n")
	}
	b.WriteString("_headway() {\n  local key=\"${COMP_WORDS[1]}\" words\n")
	b.WriteString("  [[ $COMP_CWORD -gt 2 && \"${COMP_WORDS[1]}\" == sim ]] && key=\"sim ${COMP_WORDS[2]}\"\n")
	b.WriteString("  [[ $COMP_CWORD -lt 2 ]] && key=\"\"\n  case \"$key\" in\n")
	for _, k := range keys {
		fmt.Fprintf(&b, "    %q) words=%q ;;\n", k, strings.Join(words[k], " "))
	}
	b.WriteString("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n")
	b.WriteString("  [[ ${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -F _headway headway\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func fish(w io.Writer, keys []string, words map[string][]string) error {
	var b strings.Builder
	for _, k := range keys {
		condition := "__fish_use_subcommand"
		if k != "" {
			path := strings.Fields(k)
			condition = "__fish_seen_subcommand_from " + path[len(path)-1]
		}
		for _, word := range words[k] {
			if long, ok := strings.CutPrefix(word, "--"); ok {
				fmt.Fprintf(&b, "complete -c headway -n %q -l %s\n", condition, long)
				continue
			}
			fmt.Fprintf(&b, "complete -c headway -n %q -a %s\n", condition, word)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
