// Package manual says what a command line takes: completion scripts for shells
// and manual pages, all made of the grammar that options are parsed with, so that
// none of them can name an option that is not there or miss one that is.
//
// Data flows one way: kong's model in, text out. The package runs nothing and
// knows no command of headway's.
package manual

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Command is a command with what may follow it.
type Command struct {
	// Path are the words after the program's name; the program itself has none.
	Path []string
	// Help is one line, Detail the text below the options.
	Help, Detail string
	Commands     []*Command
	Options      []Option
	Arguments    []Argument
}

// Kind is what a value can be completed with.
type Kind int

// The kinds of values.
const (
	Text   Kind = iota // nothing is known of it
	File               // the name of a file
	Folder             // the name of a folder
	Choice             // one of Choices
)

// Argument is a value without an option's name.
type Argument struct {
	Name, Help string
	Optional   bool
	Kind       Kind
	Choices    []string
}

// Option is an option; Value is what stands for its value in help, empty where it
// takes none.
type Option struct {
	Name    string
	Short   rune     // 0 where there is none
	Aliases []string // other names, without hyphens
	No      bool     // --no-NAME turns it off
	Value   string
	Default string
	Help    string
	Kind    Kind
	Choices []string
}

// Of is the grammar as a tree; what is hidden is not in it.
func Of(model *kong.Application) *Command { return command(model.Node, nil) }

func command(n *kong.Node, path []string) *Command {
	c := &Command{Path: path, Help: n.Help, Detail: strings.TrimSpace(n.Detail)}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			c.Options = append(c.Options, option(f))
		}
	}
	for _, p := range n.Positional {
		kind, choices := kindOf(p, "")
		c.Arguments = append(c.Arguments,
			Argument{Name: p.Name, Help: p.Help, Optional: p.Tag.Optional, Kind: kind, Choices: choices})
	}
	for _, child := range n.Children {
		if !child.Hidden {
			c.Commands = append(c.Commands, command(child, append(slices.Clone(path), child.Name)))
		}
	}
	return c
}

func option(f *kong.Flag) Option {
	o := Option{Name: f.Name, Short: f.Short, Aliases: f.Aliases, No: f.Tag.Negatable != "", Help: f.Help,
		Default: f.Default}
	if f.IsBool() || f.IsCounter() {
		return o
	}
	o.Value = f.PlaceHolder
	if o.Value == "" {
		o.Value = "VALUE"
	}
	o.Kind, o.Choices = kindOf(f.Value, f.PlaceHolder)
	return o
}

func kindOf(v *kong.Value, placeholder string) (Kind, []string) {
	switch {
	case v.Enum != "":
		return Choice, slices.DeleteFunc(v.EnumSlice(), func(s string) bool { return s == "" })
	case v.Tag.Type != "path":
		return Text, nil
	case placeholder == "DIR" || strings.Contains(v.Name, "dir"):
		return Folder, nil
	}
	return File, nil
}

// names are the names of an option that are offered, with their hyphens, the main
// one first.
func (o Option) names() []string {
	list := []string{"--" + o.Name}
	if o.Short != 0 {
		list = append(list, "-"+string(o.Short))
	}
	return list
}

// all are all names of an option with their hyphens, the main one first.
func (o Option) all() []string {
	list := o.names()
	for _, a := range o.Aliases {
		list = append(list, "--"+a)
	}
	return list
}

// walk visits a command and all below it.
func (c *Command) walk(visit func(*Command)) {
	visit(c)
	for _, child := range c.Commands {
		child.walk(visit)
	}
}

// at is the path as scripts keep it: each word with a blank before it.
func (c *Command) at() string {
	s := ""
	for _, word := range c.Path {
		s += " " + word
	}
	return s
}

// offered are the words that may begin an option of the command.
func (c *Command) offered() []string {
	var list []string
	for _, o := range c.Options {
		list = append(list, "--"+o.Name)
		if o.No {
			list = append(list, "--no-"+o.Name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// named are the names of the options that are wanted.
func (c *Command) named(want func(Option) bool) []string {
	var list []string
	for _, o := range c.Options {
		if want(o) {
			list = append(list, o.all()...)
		}
	}
	return list
}

// children are the names of the commands below.
func (c *Command) children() []string {
	var list []string
	for _, child := range c.Commands {
		list = append(list, child.Path[len(child.Path)-1])
	}
	return list
}

// brief is the first sentence of a help text, in one line.
func brief(help string) string {
	help = strings.Join(strings.Fields(help), " ")
	if i := strings.Index(help, ". "); i > 0 {
		help = help[:i]
	}
	return strings.TrimSuffix(help, ".")
}
