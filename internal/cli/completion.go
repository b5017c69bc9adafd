package cli

import (
	"context"
	"io"
	"path/filepath"

	"headway/internal/fault"
	"headway/internal/manual"
	"headway/internal/plain"
	"headway/report"
)

// ofGrammar is a verb that tells of the grammar that options are parsed with.
type ofGrammar interface{ grammar(root *manual.Command) }

// Completion prints a shell's completion script.
type Completion struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"bash, zsh, fish or powershell."`

	root *manual.Command
}

// Help is shown below the options.
func (Completion) Help() string {
	return `Examples:

  source <(headway completion bash)
  headway completion zsh > ~/.zfunc/_headway
  headway completion fish > ~/.config/fish/completions/headway.fish
  headway completion powershell | Out-String | Invoke-Expression`
}

func (c *Completion) grammar(root *manual.Command) { c.root = root }

// Run prints the script.
func (c *Completion) Run(_ context.Context, a App) (int, error) {
	if err := manual.WriteCompletion(a.Stdout, c.Shell, "headway", c.root); err != nil {
		return Failed, err
	}
	return Done, nil
}

// Man prints manual pages.
type Man struct {
	Command []string `arg:"" optional:"" help:"The command, such as 'router trace'. Default: headway itself."`
	Dir     string   `name:"output-dir" short:"d" type:"path" placeholder:"DIR" help:"Write the pages of the command and of all commands below it into this folder, as NAME.1."`

	root *manual.Command
}

// Help is shown below the options.
func (Man) Help() string {
	return `Examples:

  headway man | man -l -
  headway man router trace | man -l -
  headway man --output-dir ~/.local/share/man/man1`
}

func (c *Man) grammar(root *manual.Command) { c.root = root }

// Run prints a page, or writes all of them.
func (c *Man) Run(_ context.Context, a App) (int, error) {
	about := manual.About{Program: "headway", Version: Version, Prefix: "HEADWAY_", Exits: Exits()}
	at, err := c.root.Find(c.Command)
	if err != nil {
		return Usage, fault.Usage(err)
	}
	page := func(of *manual.Command) func(io.Writer) error {
		return func(w io.Writer) error { return manual.WritePage(w, about, of) }
	}
	if c.Dir == "" {
		if err := page(at)(a.Stdout); err != nil {
			return Failed, err
		}
		return Done, nil
	}
	all := at.All()
	for _, of := range all {
		if err := report.WriteFile(filepath.Join(c.Dir, manual.PageName(about.Program, of)+".1"),
			page(of)); err != nil {
			return Failed, err
		}
	}
	a.Note("%s in %s", plain.HowMany(len(all), "page", "pages"), c.Dir)
	return Done, nil
}
