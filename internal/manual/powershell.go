package manual

import (
	"fmt"
	"strings"
)

// psEnd is what the script offers for the word at the cursor.
const psEnd = `  }
  $at = ''
  $value = $null
  foreach ($element in @($commandAst.CommandElements | Select-Object -Skip 1)) {
    if ($element.Extent.EndOffset -ge $cursorPosition) { break }
    $word = $element.ToString()
    if ($null -ne $value) { $value = $null; continue }
    if ($takes.ContainsKey("$at $word")) { $value = "$at $word"; continue }
    if ($words.ContainsKey("$at $word")) { $at = "$at $word" }
  }
  if ($null -ne $value) {
    $takes[$value] | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
      [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
    return
  }
  $words[$at] | Where-Object { $_ -and $_[0] -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterName', $_[1])
  }
}
`

// powershell is the script for PowerShell, from version 5.0 on. Where it offers
// nothing PowerShell offers the names of files.
func powershell(program string, root *Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# PowerShell completion of %s\n", program)
	fmt.Fprintf(&b, "Register-ArgumentCompleter -Native -CommandName '%s' -ScriptBlock {\n", program)
	b.WriteString("  param($wordToComplete, $commandAst, $cursorPosition)\n  $words = @{\n")
	root.walk(func(c *Command) {
		fmt.Fprintf(&b, "    %s = @(\n", psQuoted(c.at()))
		for _, child := range c.Commands {
			psWord(&b, child.Path[len(child.Path)-1], child.Help)
		}
		for _, o := range c.Options {
			psWord(&b, "--"+o.Name, o.Help)
			if o.No {
				psWord(&b, "--no-"+o.Name, "Off: "+o.Help)
			}
		}
		for _, a := range c.Arguments {
			for _, word := range a.Choices {
				psWord(&b, word, a.Help)
			}
		}
		b.WriteString("    )\n")
	})
	b.WriteString("  }\n  $takes = @{\n")
	root.walk(func(c *Command) {
		for _, o := range c.Options {
			for _, name := range o.all() {
				if o.Value != "" {
					fmt.Fprintf(&b, "    %s = @(%s)\n", psQuoted(c.at()+" "+name), psList(o.Choices))
				}
			}
		}
	})
	b.WriteString(psEnd)
	return b.String()
}

// psWord adds a word and its tool tip; the comma keeps a list of one a list.
func psWord(b *strings.Builder, word, help string) {
	fmt.Fprintf(b, "      ,@(%s, %s)\n", psQuoted(word), psQuoted(word+": "+brief(help)))
}

func psList(words []string) string {
	var list []string
	for _, word := range words {
		list = append(list, psQuoted(word))
	}
	return strings.Join(list, ", ")
}

// psQuoted is text in single quotes, in which only those mean something: also
// the typographical ones, which PowerShell takes for them.
func psQuoted(s string) string {
	return "'" + strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(s) + "'"
}
