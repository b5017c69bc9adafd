package dgd

import (
	"errors"
	"fmt"
	"strings"
)

// word is one word of a shell script, or one item of an argument list.
type word struct {
	// value is the word without its quotes; what the shell would expand stands
	// in it as written.
	value string
	// from and to are its bounds in the script.
	from, to int
}

// stretch is one simple command of a script.
type stretch struct {
	words []word
	// end is where further arguments go: behind the last word, before what
	// redirections, pipes and other operators follow it.
	end int
}

// splitScript cuts a script into its simple commands. Redirections, with what
// they point at, are no words. Here-documents and open quotes are errors.
func splitScript(script string) ([]stretch, error) {
	var out []stretch
	var now stretch
	target := false // the next word is what a redirection points at
	flush := func() {
		if len(now.words) > 0 {
			out = append(out, now)
		}
		now, target = stretch{}, false
	}
	for i := 0; i < len(script); {
		switch c := script[i]; {
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case strings.HasPrefix(script[i:], "\\\n"):
			i += 2
		case c == '#':
			i += strings.IndexByte(script[i:]+"\n", '\n')
		case c == '<' || c == '>':
			if strings.HasPrefix(script[i:], "<<") {
				return nil, errors.New("it has a here-document")
			}
			n := len(script[i:]) - len(strings.TrimLeft(script[i:], "<>&|"))
			i += n
			target = true
		case strings.IndexByte("\n;|&()", c) >= 0:
			flush()
			i++
		default:
			w, err := readWord(script, i)
			if err != nil {
				return nil, err
			}
			i = w.to
			switch {
			case target:
				target = false
			case i < len(script) && (script[i] == '>' || script[i] == '<') && digits(w.value):
				// the 2 of 2>&1
			default:
				now.words, now.end = append(now.words, w), w.to
			}
		}
	}
	flush()
	return out, nil
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// readWord reads the word that begins at i: quotes and backslashes taken off
// the value.
func readWord(script string, i int) (word, error) {
	w := word{from: i}
	var b strings.Builder
	for i < len(script) {
		switch c := script[i]; {
		case strings.IndexByte(" \t\r\n;|&()<>", c) >= 0:
			w.value, w.to = b.String(), i
			return w, nil
		case c == '\'':
			n := strings.IndexByte(script[i+1:], '\'')
			if n < 0 {
				return w, fmt.Errorf("the quote at %q is not closed", clip(script[i:]))
			}
			b.WriteString(script[i+1 : i+1+n])
			i += n + 2
		case c == '"':
			n, err := readDouble(script[i:], &b)
			if err != nil {
				return w, err
			}
			i += n
		case c == '$' && strings.HasPrefix(script[i:], "$("), c == '`':
			n, err := substitution(script[i:])
			if err != nil {
				return w, err
			}
			b.WriteString(script[i : i+n])
			i += n
		case c == '\\' && i+1 == len(script):
			return w, errors.New("it ends in a backslash")
		case c == '\\':
			if script[i+1] != '\n' {
				b.WriteByte(script[i+1])
			}
			i += 2
		default:
			b.WriteByte(c)
			i++
		}
	}
	w.value, w.to = b.String(), i
	return w, nil
}

// readDouble reads a text in double quotes and gives its length.
func readDouble(s string, b *strings.Builder) (int, error) {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1, nil
		case c == '`', strings.HasPrefix(s[i:], "$("):
			n, err := substitution(s[i:])
			if err != nil {
				return 0, err
			}
			b.WriteString(s[i : i+n])
			i += n - 1
		case c == '\\' && i+1 < len(s) && strings.IndexByte("\"\\$`\n", s[i+1]) >= 0:
			if i++; s[i] != '\n' {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return 0, fmt.Errorf("the quote at %q is not closed", clip(s))
}

// substitution is the length of a command substitution, $(…) or `…`.
func substitution(s string) (int, error) {
	if s[0] == '`' {
		if n := strings.IndexByte(s[1:], '`'); n >= 0 {
			return n + 2, nil
		}
		return 0, fmt.Errorf("the substitution at %q is not closed", clip(s))
	}
	depth := 0
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
	}
	return 0, fmt.Errorf("the substitution at %q is not closed", clip(s))
}

// clip shortens a text for a message.
func clip(s string) string {
	if r := []rune(s); len(r) > 30 {
		return string(r[:30]) + "…"
	}
	return s
}

// quote writes a word so that a shell reads it as it is.
func quote(s string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_-+=:,./"
	if s != "" && strings.Trim(s, safe) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
}
