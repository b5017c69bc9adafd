package secret

import "strings"

// Args takes the secrets out of the arguments of a command line.
func (r Redactor) Args(args []string) []string {
	out := make([]string, len(args))
	var last string
	for i, a := range args {
		name, isFlag := strings.CutPrefix(last, "--")
		switch head, line := headerOption(a); {
		case isFlag && Name(name) && !strings.Contains(name, "="):
			out[i] = Redacted
		case last == "-H" || last == "--header":
			out[i] = r.HeaderLine(a)
		case head != "":
			out[i] = head + r.HeaderLine(line)
		default:
			out[i] = r.Text(a)
		}
		last = a
	}
	return out
}

// headerOption takes "--header=Name: value", "-HName: value" and "-qHName:
// value" apart; head is empty where an argument is none of them.
func headerOption(a string) (head, line string) {
	if line, ok := strings.CutPrefix(a, "--header="); ok {
		return "--header=", line
	}
	if len(a) < 3 || a[0] != '-' || a[1] == '-' {
		return "", ""
	}
	i := strings.IndexByte(a, 'H') + 1
	if i == 0 || i == len(a) || strings.Trim(a[1:i], letters) != "" {
		return "", ""
	}
	if a[i] == '=' {
		i++
	}
	return a[:i], a[i:]
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// InArgs are the values of a command line that are secret: those of options with
// a secret's name and of headers. They are found before anything is parsed, so
// that what is said of a malformed option does not tell it.
func InArgs(args []string) Redactor {
	var values []string
	headers := map[string][]string{}
	add := func(line string) {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			values = append(values, line)
			return
		}
		headers[strings.TrimSpace(name)] = append(headers[strings.TrimSpace(name)], strings.TrimSpace(value))
	}
	for i, a := range args {
		name, value, joined := strings.Cut(a, "=")
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		head, line := headerOption(a)
		switch {
		case a == "-H" || a == "--header":
			add(value)
			// Without its quotes a header falls apart at the space.
			if strings.HasSuffix(value, ":") && i+2 < len(args) {
				add(value + args[i+2])
			}
		case head != "":
			add(line)
		case strings.HasPrefix(name, "--") && Name(name[2:]):
			values = append(values, value)
		}
	}
	delete(headers, "")
	return New(values...).WithHeaders(headers)
}

// Command is a command line that can be run again once the secrets are put
// back, quoted for a POSIX shell.
func (r Redactor) Command(program string, args []string) string {
	words := []string{program}
	for _, a := range r.Args(args) {
		words = append(words, quote(a))
	}
	return strings.Join(words, " ")
}

func quote(s string) string {
	plain := s != "" && strings.IndexFunc(s, func(c rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=./:,+%@", c)
	}) < 0
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
