package report

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"headway/record"
)

// Redacted stands where a secret was.
const Redacted = "<redacted>"

// minSecret is the length from which a known secret is replaced wherever it
// stands. A shorter one would take ordinary words and numbers with it, and is
// found by the name beside it only.
const minSecret = 6

// Redactor takes secrets out of text. It knows them in two ways: by what they
// look like or stand beside (a header's name, a key of a configuration, a URL's
// password, an option of the command line), and by their value where the run
// was given them. It rather takes too much than too little.
//
// The zero value knows no values.
type Redactor struct {
	known  []string // plain and as in a URL
	inJSON []string // as inside a JSON string
}

// NewRedactor makes a Redactor that knows these values: an API key, the values
// of secret headers. Passwords of URLs are found without.
func NewRedactor(secrets ...string) Redactor {
	var r Redactor
	for _, s := range secrets {
		r.know(s)
		// "Bearer abc" is also known as "abc".
		if _, rest, ok := strings.Cut(s, " "); ok {
			r.know(strings.TrimSpace(rest))
		}
	}
	// The longest first: one secret may be the beginning of another.
	longest := func(a, b string) int { return len(b) - len(a) }
	slices.SortStableFunc(r.known, longest)
	slices.SortStableFunc(r.inJSON, longest)
	return r
}

func (r *Redactor) know(s string) {
	if len(s) < minSecret || s == Redacted {
		return
	}
	for _, as := range []string{s, url.QueryEscape(s), url.PathEscape(s), url.UserPassword("", s).String()[1:]} {
		if slices.Contains(r.known, as) {
			continue
		}
		r.known = append(r.known, as)
		r.inJSON = append(r.inJSON, inside(appendString(nil, as)))
		// encoding/json spells <, > and & differently.
		if b, err := json.Marshal(as); err == nil {
			r.inJSON = append(r.inJSON, inside(b))
		}
	}
}

// inside is a JSON string without its quotes.
func inside(b []byte) string { return string(b[1 : len(b)-1]) }

// Parts of names that make a name a secret's.
const secretParts = `authorization|password|passwd|secret|credential|cookie|signature|` +
	`subscription-key|functions-key|sas-key|access[-_]?key|private[-_]?key|api[-_]?key|auth[-_]?key|auth[-_]?token`

const (
	// quoted or bare; a backslash may stand before a quote inside JSON
	reValue = `(\\*"[^"]*"?|\\*'[^']*'?|[^\s,;&'"}\])]+)`
	reWord  = `([\w.-]*(?:` + secretParts + `|token)[\w.-]*)`
	reAuth  = `(?i)((?:proxy-)?authorization\\*["']?\s*[:=]\s*\\*["']?)[^'"\n}\\]+`
	reNamed = `(?i)` + reWord + `(\\*["']?\s*[:=]\s*)` + reValue
	reFlag  = `(?i)--` + reWord + `(\s+)` + reValue
	reQuery = `(?i)([?&](?:key|sig)=)[^&#\s'"\\]+`
	reUser  = `([A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#'"\\]*@`
	reShape = `\b(?:sk-|hf_|ghp_|gho_|github_pat_|nvapi-|xox[abp]-|AKIA|AIza)[A-Za-z0-9_-]{8,}|` +
		`\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|` +
		`(?i:\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{6,}`
)

// patterns are compiled once a process and never changed.
type patterns struct{ part, auth, named, flag, query, user, shape *regexp.Regexp }

var compiled = patterns{
	part:  regexp.MustCompile(secretParts),
	auth:  regexp.MustCompile(reAuth),
	named: regexp.MustCompile(reNamed),
	flag:  regexp.MustCompile(reFlag),
	query: regexp.MustCompile(reQuery),
	user:  regexp.MustCompile(reUser),
	shape: regexp.MustCompile(reShape),
}

// Text takes the secrets out of any text: a message, a URL, a command line, a
// line of a log.
func (r Redactor) Text(s string) string {
	s = r.values(s)
	if !strings.ContainsAny(s, ":=@-_. ") {
		return s
	}
	s = compiled.auth.ReplaceAllString(s, "${1}"+Redacted)
	s = compiled.user.ReplaceAllString(s, "${1}"+Redacted+"@")
	s = compiled.query.ReplaceAllString(s, "${1}"+Redacted)
	s = replaceNamed(compiled.named, s)
	s = replaceNamed(compiled.flag, s)
	return compiled.shape.ReplaceAllString(s, Redacted)
}

// values takes the known values out of plain text. A text may hold JSON, where
// they are spelled differently.
func (r Redactor) values(s string) string {
	for _, k := range r.inJSON {
		s = strings.ReplaceAll(s, k, Redacted)
	}
	for _, k := range r.known {
		s = strings.ReplaceAll(s, k, Redacted)
	}
	return s
}

// body takes the known values, and nothing else, out of a request's JSON.
func (r Redactor) body(raw json.RawMessage) []byte {
	s := string(raw)
	for _, k := range r.inJSON {
		s = strings.ReplaceAll(s, k, Redacted)
	}
	return []byte(s)
}

// replaceNamed replaces the third group of a match whose first is the name of a
// secret, keeping the quotes around it. Where the name is not a secret's the
// search goes on right behind the name: what follows may be one's.
func replaceNamed(re *regexp.Regexp, s string) string {
	var b strings.Builder
	for {
		m := re.FindStringSubmatchIndex(s)
		if m == nil {
			b.WriteString(s)
			return b.String()
		}
		value := s[m[6]:m[7]]
		head := value[:len(value)-len(strings.TrimLeft(value, `\"'`))]
		tail := value[len(strings.TrimRight(value, `\"'`)):]
		if !secretAfter(s[:m[2]], s[m[2]:m[3]]) || len(head)+len(tail) >= len(value) {
			b.WriteString(s[:m[3]])
			s = s[m[3]:]
			continue
		}
		b.WriteString(s[:m[6]])
		b.WriteString(head + Redacted + tail)
		s = s[m[7]:]
	}
}

// secretAfter reports whether a name that stands behind other text is a
// secret's. In prose the word that says what kind of token it is stands apart:
// what follows "unexpected token:" is the cause of a server's error.
func secretAfter(before, name string) bool {
	if kind := strings.TrimRight(before, " "); strings.EqualFold(name, "token") && len(kind) < len(before) {
		return SecretName(kind[strings.LastIndexAny(kind, " \t\n\"'")+1:] + "-" + name)
	}
	return SecretName(name)
}

// SecretName reports whether a header, an option, a key of a configuration or
// a URL's parameter of this name holds a secret.
func SecretName(name string) bool {
	n := strings.ToLower(name)
	if compiled.part.MatchString(n) {
		return true
	}
	before, isToken := strings.CutSuffix(n, "token")
	if !isToken {
		return false
	}
	// time_to_first_token and its like are metrics.
	before = strings.TrimRight(before, "-_.")
	for _, w := range []string{"first", "second", "output", "input", "per", "last", "next", "each", "inter", "reasoning", "eos", "bos", "pad", "unk", "stop", "special", "unexpected", "illegal"} {
		if strings.HasSuffix(before, w) {
			return false
		}
	}
	return true
}

// Args takes the secrets out of the arguments of a command line.
func (r Redactor) Args(args []string) []string {
	out := make([]string, len(args))
	var last string
	for i, a := range args {
		switch name, isFlag := strings.CutPrefix(last, "--"); {
		case isFlag && SecretName(name) && !strings.Contains(name, "="):
			out[i] = Redacted
		case last == "-H" || last == "--header":
			out[i] = r.header(a)
		default:
			out[i] = r.Text(a)
		}
		last = a
	}
	return out
}

// header redacts "Name: value" or "Name:value".
func (r Redactor) header(h string) string {
	name, _, ok := strings.Cut(h, ":")
	if ok && SecretName(strings.TrimSpace(name)) {
		return name + ": " + Redacted
	}
	return r.Text(h)
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

// JSON takes the secrets out of a JSON value: those under a secret's name and
// those in its strings. What is not JSON becomes a string, redacted as text.
func (r Redactor) JSON(raw json.RawMessage) json.RawMessage {
	v, err := decode(raw)
	if err != nil {
		v = string(raw)
	}
	e := encoder{text: r.Text}
	e.value(r.tree(v))
	return e.b
}

// tree redacts what stands under a secret's name, in the three shapes in which
// headers are written: {"name": value}, ["name", value] and {"name": name,
// "value": value}. Strings elsewhere are left to Text.
func (r Redactor) tree(v any) any {
	switch v := v.(type) {
	case object:
		named := SecretName(getString(v, "name"))
		out := make(object, len(v))
		for i, f := range v {
			out[i] = field{r.values(f.key), r.tree(f.value)}
			if SecretName(f.key) || named && f.key == "value" {
				out[i].value = conceal(f.value)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = r.tree(x)
		}
		if name, ok := get(v, 0).(string); ok && len(v) == 2 && SecretName(name) {
			out[1] = conceal(v[1])
		}
		return out
	}
	return v
}

// conceal keeps what says that nothing was given.
func conceal(v any) any {
	switch v {
	case nil, "", false, true:
		return v
	}
	return Redacted
}

// Sink hands Records on with the secrets taken out of their URL and message.
func (r Redactor) Sink(next record.Sink) record.Sink { return redacting{r, next} }

type redacting struct {
	secrets Redactor
	next    record.Sink
}

func (s redacting) Take(rec *record.Record) error {
	clean := *rec
	clean.URL = s.secrets.Text(rec.URL)
	if rec.Failure != nil {
		f := *rec.Failure
		f.Message, f.Type = s.secrets.Text(f.Message), s.secrets.Text(f.Type)
		clean.Failure = &f
	}
	return s.next.Take(&clean)
}
