package openai

import (
	"encoding/json"
	"hash/maphash"
	"net/url"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"headway/internal/plain"
	"headway/internal/secret"
	"headway/record"
)

// Secrets knows what must appear nowhere: the key, the headers, the passwords of
// addresses, and what stands under a secret's name in the extras.
func (c Config) Secrets() secret.Redactor {
	values := append([]string{c.APIKey}, c.ProxySecrets()...)
	if c.APIKey != "" {
		values = append(values, "Bearer "+c.APIKey) // also where the key is too short to be looked for by itself
	}
	of := func(u *url.URL, err error) {
		if err == nil && u.User != nil {
			password, _ := u.User.Password()
			values = append(values, u.User.String(), password)
		}
	}
	for _, s := range c.URLs {
		of(parseURL(s))
	}
	of(url.Parse(c.Proxy))
	var extra map[string]any
	if json.Unmarshal(c.Extra, &extra) == nil { // else there is none
		values = append(values, secretStrings(extra)...)
	}
	return secret.New(values...).WithHeaders(c.Headers, c.Models...)
}

// secretStrings are the texts under a secret's name in a JSON value.
func secretStrings(v any) []string {
	var list []string
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if s, ok := x.(string); ok && secret.Name(name) {
				list = append(list, s)
			}
			list = append(list, secretStrings(x)...)
		}
	case []any:
		for _, x := range v {
			list = append(list, secretStrings(x)...)
		}
	}
	return list
}

// How much of a server's text is kept, in characters: of what it said instead of
// a reply, and of a message that it called one.
const (
	longestExcerpt = 300
	longestMessage = 2000
)

// wording makes a server's text fit for a Record: secrets are taken out before
// anything is cut, since half a key is recognised by nobody, and what is left is
// one line.
type wording struct {
	secrets secret.Redactor
	known   *knownTexts
}

// knownTexts are texts seen last, each with what is left of it.
type knownTexts struct {
	seed  maphash.Seed
	slots [16]atomic.Pointer[[2]string]
}

func newWording(c Config) wording { return wording{c.Secrets(), &knownTexts{seed: maphash.MakeSeed()}} }

// excerpt is the first 300 characters of data on one line.
func (w wording) excerpt(data []byte) string { return w.cut(data, longestExcerpt) }

// tell makes the words of a failure fit to be kept.
func (w wording) tell(f *record.Failure) {
	f.Type = w.cut([]byte(f.Type), longestExcerpt)
	f.Message = w.cut([]byte(f.Message), longestMessage)
}

// cut is the first characters of data, without secrets. Of a long text only as
// much is looked at as they can come from; what then stands at its end may be
// half a secret and is dropped.
func (w wording) cut(data []byte, most int) string {
	tail := w.secrets.Longest() + patternMargin
	whole := utf8.UTFMax*most+tail >= len(data)
	if !whole {
		data = data[:utf8.UTFMax*most+tail]
	}
	s := w.redacted(data)
	if !whole {
		s = s[:max(0, len(s)-tail)]
	}
	return cutAt(plain.Line(s), most)
}

// redacted is a text without its secrets. A server that fails says the same
// again and again, and looking for secrets takes up to a millisecond, so that some
// texts are kept.
func (w wording) redacted(data []byte) string {
	slot := &w.known.slots[maphash.Bytes(w.known.seed, data)%uint64(len(w.known.slots))]
	if p := slot.Load(); p != nil && p[0] == string(data) {
		return p[1]
	}
	p := [2]string{string(data)}
	p[1] = w.secrets.Text(p[0])
	slot.Store(&p)
	return p[1]
}

// patternMargin is how long a secret may be that is found by its looks, in bytes.
const patternMargin = 4 << 10

// cutAt keeps so many characters of a text.
func cutAt(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n == most {
			return strings.TrimRight(s[:i], " ") + "…"
		}
		n++
	}
	return s
}
