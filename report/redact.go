package report

import (
	"encoding/json"
	"strings"

	"headway/internal/secret"
	"headway/record"
)

// Redacted stands where a secret was.
const Redacted = secret.Redacted

// Redactor takes secrets out of what a report is made of. The zero value knows
// no values.
type Redactor struct{ secret.Redactor }

// NewRedactor makes a Redactor that knows these values; see secret.New.
func NewRedactor(secrets ...string) Redactor { return Redactor{secret.New(secrets...)} }

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
		named := secret.Name(getString(v, "name"))
		out := make(object, len(v))
		for i, f := range v {
			out[i] = field{r.Values(f.key), r.tree(f.value)}
			switch {
			case secret.Name(f.key) || named && f.key == "value":
				out[i].value = conceal(f.value)
			case headerKey(f.key):
				out[i].value = r.headers(f.value)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = r.tree(x)
		}
		if name, ok := get(v, 0).(string); ok && len(v) == 2 && secret.Name(name) {
			out[1] = conceal(v[1])
		}
		return out
	}
	return v
}

// headerKey reports whether headers stand under a key of a configuration.
func headerKey(key string) bool {
	switch strings.ToLower(key) {
	case "header", "headers", "http_headers", "extra_headers":
		return true
	}
	return false
}

// headers redacts headers in any of the shapes in which they are written: a
// line, a list of lines or of pairs, an object of names and values, and objects
// of "name" and "value".
func (r Redactor) headers(v any) any {
	switch v := v.(type) {
	case string:
		return r.HeaderLine(v)
	case object:
		out := make(object, len(v))
		named := getString(v, "name")
		for i, f := range v {
			out[i] = field{r.Values(f.key), f.value}
			switch {
			case named != "" && f.key == "name":
			case secret.Header(f.key) && (named == "" || secret.Header(named)):
				out[i].value = conceal(f.value)
			}
		}
		return out
	case []any:
		if name, ok := get(v, 0).(string); ok && len(v) == 2 && !strings.Contains(name, ":") {
			if secret.Header(name) {
				return []any{name, conceal(v[1])}
			}
			return []any{name, r.tree(v[1])}
		}
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = r.headers(x)
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
	clean.URL, clean.Finish = s.secrets.Text(rec.URL), s.secrets.Text(rec.Finish)
	clean.Worker = s.secrets.Text(rec.Worker)
	if rec.Told != nil {
		told := *rec.Told
		told.PrefillWorker, told.DecodeWorker = s.secrets.Text(told.PrefillWorker), s.secrets.Text(told.DecodeWorker)
		clean.Told = &told
	}
	if rec.Failure != nil {
		f := *rec.Failure
		f.Message, f.Type = s.secrets.Text(f.Message), s.secrets.Text(f.Type)
		clean.Failure = &f
	}
	return s.next.Take(&clean)
}
