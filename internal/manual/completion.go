package manual

import (
	"fmt"
	"io"
	"strings"
)

// Shells are those that [WriteCompletion] knows.
var Shells = []string{"bash", "zsh", "fish", "powershell"}

// WriteCompletion writes the script that completes program's command line in a
// shell: commands, options, and values that are files, folders or one of a few
// words. An unknown shell is an error.
func WriteCompletion(w io.Writer, shell, program string, c *Command) error {
	makers := map[string]func(string, *Command) string{"bash": bash, "zsh": zsh, "fish": fish, "powershell": powershell}
	script := makers[shell]
	if script == nil {
		return fmt.Errorf("completion for %s: not known; take one of %s", shell, strings.Join(Shells, ", "))
	}
	_, err := io.WriteString(w, script(program, c))
	return err
}

// quoted is text in single quotes for bash and zsh, where nothing in it means
// anything.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// paths are the commands below the program as a pattern of a shell's case.
func paths(c *Command) string {
	var list []string
	c.walk(func(c *Command) {
		if len(c.Path) > 0 {
			list = append(list, quoted(c.at()))
		}
	})
	return strings.Join(list, "|")
}
