// Package secret takes secrets out of text that people or files get to see:
// messages, command lines, headers. It is the one place that says which header,
// option or key holds a secret; whoever shortens a text redacts it first, since
// half a secret is found by nobody.
package secret

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
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
	known   []string       // plain and as in a URL
	inJSON  []string       // as inside a JSON string
	headers *regexp.Regexp // "name: value" of headers that were given; nil without
	names   []string       // of these, in lower case
}

// New makes a Redactor that knows these values: an API key, the values
// of secret headers. Passwords of URLs are found without.
func New(secrets ...string) Redactor {
	var r Redactor
	for _, s := range secrets {
		r.learn(s)
	}
	r.longestFirst()
	return r
}

// learn knows a value; "Bearer abc" is also known as "abc".
func (r *Redactor) learn(s string) {
	r.know(s)
	if _, rest, ok := strings.Cut(s, " "); ok {
		r.know(strings.TrimSpace(rest))
	}
}

// longestFirst puts the known values in order: one may be the beginning of
// another.
func (r *Redactor) longestFirst() {
	longest := func(a, b string) int { return len(b) - len(a) }
	slices.SortStableFunc(r.known, longest)
	slices.SortStableFunc(r.inJSON, longest)
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
		r.inJSON = append(r.inJSON, asJSON(as, false))
		// encoding/json spells <, > and & differently.
		if escaped := asJSON(as, true); escaped != as {
			r.inJSON = append(r.inJSON, escaped)
		}
	}
}

// asJSON is a text as it stands between the quotes of a JSON string.
func asJSON(s string, html bool) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(html)
	if e.Encode(s) != nil {
		return s
	}
	return strings.TrimSuffix(b.String(), "\"\n")[1:]
}

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
	reQuery = `([?&]([\w.~%+-]+)=)[^&#\s'"\\<>]+`
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
	s = r.Values(s)
	if !strings.ContainsAny(s, ":=@-_. ") {
		return s
	}
	low := strings.ToLower(s)
	if strings.Contains(low, "authorization") {
		s = compiled.auth.ReplaceAllString(s, "${1}"+Redacted)
	}
	if r.headers != nil && hasAny(low, r.names) {
		s = r.headers.ReplaceAllString(s, "${1}"+Redacted)
	}
	if strings.Contains(s, "://") && strings.Contains(s, "@") {
		s = compiled.user.ReplaceAllString(s, "${1}"+Redacted+"@")
	}
	if strings.ContainsAny(s, "?&") {
		s = replaceQuery(s)
	}
	if hasAny(low, nameWords) {
		s = replaceNamed(compiled.named, s)
		s = replaceNamed(compiled.flag, s)
	}
	if hasAny(low, shapeWords) {
		s = compiled.shape.ReplaceAllString(s, Redacted)
	}
	return s
}

// Words of which one stands in every text that a pattern can match, in lower
// case. Looking for them costs microseconds, the patterns a millisecond for each
// kilobyte, and a server may fail thousands of requests a second.
var (
	nameWords = []string{"token", "key", "secret", "password", "passwd", "authorization", "credential",
		"cookie", "signature"}
	shapeWords = []string{"sk-", "hf_", "ghp_", "gho_", "github_pat_", "nvapi-", "xox", "akia", "aiza", "eyj",
		"bearer", "basic"}
)

func hasAny(low string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(low, w) })
}

// Values takes the known values out of plain text. A text may hold JSON, where
// they are spelled differently.
func (r Redactor) Values(s string) string {
	for _, k := range r.inJSON {
		s = strings.ReplaceAll(s, k, Redacted)
	}
	for _, k := range r.known {
		s = strings.ReplaceAll(s, k, Redacted)
	}
	return s
}

// Body takes the known values, and nothing else, out of a request's JSON.
func (r Redactor) Body(raw json.RawMessage) []byte {
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
		return Name(kind[strings.LastIndexAny(kind, " \t\n\"'")+1:] + "-" + name)
	}
	return Name(name)
}

// Longest is the length in bytes of the longest value that is known: a text of
// which a part is to be shown is redacted with as much more behind that part.
func (r Redactor) Longest() int {
	if len(r.inJSON) == 0 {
		return 0
	}
	return max(len(r.known[0]), len(r.inJSON[0]))
}
