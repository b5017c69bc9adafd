package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"headway/record"
	"headway/workload"
)

// Field is a member of request bodies that nobody asked for: a caller adds it
// because a measurement is better with it, and can do without it.
type Field struct {
	// Path is where it stands in the body: {"nvext", "agent_hints", "priority"}.
	Path []string
	// Value is what is asked with, and JSON can be made of it.
	Value any
	// Without says what follows where it is left out, as a clause: "replies may
	// end early". Where it is empty nobody is told.
	Without string
}

// Name is the field's path with dots: nvext.agent_hints.priority.
func (f Field) Name() string { return strings.Join(f.Path, ".") }

// earlyEnd is what follows without the fields of a reply's length.
const earlyEnd = "replies may end before the planned length, and their lengths differ from request to request"

// ExactLength are the fields that make a server go on to the length that was
// asked for, as vLLM, SGLang and Dynamo name them. Dynamo took nvext.ignore_eos
// as well in 2025; 1.4 and 1.6 refuse it.
func ExactLength() []Field {
	return []Field{
		{Path: []string{"ignore_eos"}, Value: true, Without: earlyEnd},
		{Path: []string{"min_tokens"}, Value: 1, Without: earlyEnd},
	}
}

// Agreed is what [Accepted] found out. The zero value is that no field is sent.
type Agreed struct {
	sent    []string
	refused []refusal
	tells   bool
}

// refusal is a field that a server does not take.
type refusal struct {
	field         Field
	server, words string
}

// Assumed is that all fields are sent, where nobody needs to be asked.
func Assumed(fields []Field) Agreed {
	var a Agreed
	for _, f := range fields {
		a.sent = append(a.sent, f.Name())
	}
	return a
}

// Tells says that every server tells what it does with requests: that [Telling] was
// among the fields, and that the answers had it. Config.Tell asks for it.
func (a Agreed) Tells() bool { return a.tells }

// Sent says that a field is to be sent.
func (a Agreed) Sent(name string) bool { return slices.Contains(a.sent, name) }

// Add adds a field to a JSON object where it is to be sent. The object may be
// missing; all else in it is kept.
func (a Agreed) Add(object json.RawMessage, value any, path ...string) (json.RawMessage, error) {
	if !a.Sent(strings.Join(path, ".")) {
		return object, nil
	}
	return withField(object, path, value)
}

// Warning says which fields are left out and what follows from that; nil where
// none is.
func (a Agreed) Warning() *record.Warning {
	var names, follows []string
	for _, r := range a.refused {
		if r.field.Without == "" {
			continue
		}
		names = append(names, r.field.Name())
		if !slices.Contains(follows, r.field.Without) {
			follows = append(follows, r.field.Without)
		}
	}
	if names == nil {
		return nil
	}
	first := a.refused[slices.IndexFunc(a.refused, func(r refusal) bool { return r.field.Without != "" })]
	return &record.Warning{Code: "fields_refused", Text: fmt.Sprintf("%s refuses %s (%s), so the requests are sent "+
		"without: %s", first.server, strings.Join(names, " and "), first.words, strings.Join(follows, "; "))}
}

// Accepted finds out which of the fields the servers of c take, with one request
// for one token to each, and one more for each field that is refused. Its prompt
// is a word that no load has, and too short for a prefix cache to keep.
//
// A field is left out where a server answers with status 400 or 422 and names
// the field as one that it does not know, or where it names none of them, takes the
// request without them, and refuses it with this field alone. Any other failure says
// nothing of fields: the load will meet it too, and has the advice for it. What c.Extra
// sets stays as it is, and is not asked for. A request takes as long as c.Timeout
// allows; when ctx ends, what was found until then is returned.
func Accepted(ctx context.Context, c Config, fields []Field) Agreed {
	c.Streaming, c.PerChunkUsage = false, false
	t, err := NewTarget(c)
	if err != nil {
		return Assumed(fields) // whoever loads the server says what is wrong
	}
	defer t.Close()
	fields = slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return t.writer.extra.has(f.Path) })
	a := Agreed{tells: len(t.servers) > 0}
	for i := range t.servers {
		refused, told := t.refuses(ctx, i, fields)
		a.tells = a.tells && told
		a.refused = append(a.refused, refused...)
		fields = without(fields, refused)
	}
	a.sent = Assumed(fields).sent
	return a
}

// without are the fields that are not refused.
func without(fields []Field, refused []refusal) []Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f Field) bool {
		return slices.ContainsFunc(refused, func(r refusal) bool { return r.field.Name() == f.Name() })
	})
}

// refuses asks one server. Some name every field that they do not know, others
// only the first, so it is asked until nothing new is refused.
func (t *Target) refuses(ctx context.Context, server int, fields []Field) (refused []refusal, told bool) {
	for range len(fields) + 1 {
		left := without(fields, refused)
		if len(left) == 0 && len(refused) == 0 {
			return nil, false
		}
		f, names, told := t.ask(ctx, server, left)
		found := len(refused)
		refused = append(refused, t.blamed(ctx, server, left, f, names)...)
		if len(refused) == found {
			// What is refused without being sent stands in the body elsewhere.
			return slices.DeleteFunc(refused, func(r refusal) bool { return r.field.named(names) }), told
		}
	}
	return refused, false
}

// blamed are those of the fields for which a server refused a request: those that it
// names, or else those that it refuses alone, where it takes the request without any.
func (t *Target) blamed(ctx context.Context, server int, fields []Field, f *record.Failure, names []string) (
	refused []refusal) {
	if !refusesBody(f) {
		return nil
	}
	by := t.servers[server].shown
	for _, field := range fields {
		if field.named(names) {
			refused = append(refused, refusal{field: field, server: by, words: f.Described()})
		}
	}
	if refused != nil {
		return refused
	}
	if f, _, _ := t.ask(ctx, server, nil); f != nil {
		return nil
	}
	for _, field := range fields {
		if f, _, _ := t.ask(ctx, server, []Field{field}); refusesBody(f) {
			refused = append(refused, refusal{field: field, server: by, words: f.Described()})
		}
	}
	return refused
}

// refusesBody says that a server refused a request for what stands in it.
func refusesBody(f *record.Failure) bool { return f != nil && (f.Code == 400 || f.Code == 422) }

// named says whether one of the names that a server does not know is the field's
// or that of an object around it.
func (f Field) named(names []string) bool {
	return slices.ContainsFunc(f.Path, func(p string) bool { return slices.Contains(names, p) })
}

// ask asks a server for one token with the fields. It returns what failed and which
// names the server says it does not know, or whether it told what it did with the
// request.
func (t *Target) ask(ctx context.Context, server int, fields []Field) (f *record.Failure, names []string, told bool) {
	extra := t.probeExtra()
	for _, field := range fields {
		var err error
		if extra, err = withField(extra, field.Path, field.Value); err != nil {
			return &record.Failure{Message: err.Error()}, nil, false
		}
	}
	f, body, said := t.one(ctx, server, workload.Request{Session: "fields", Prompt: workload.Prompt{Text: "fields"},
		Extra: extra})
	if refusesBody(f) {
		names = unknownFields(string(body))
	}
	return f, names, f == nil && said != nil
}

// withField sets a member of an object by its path. The object may be missing;
// all else in it is kept, in its order.
func withField(raw json.RawMessage, path []string, value any) (json.RawMessage, error) {
	o, err := parseObject(raw)
	if err != nil {
		return nil, fmt.Errorf("adding %s to a request's extra fields: %w", path[0], err)
	}
	var member []byte
	if len(path) > 1 {
		member, err = withField(o.get(path[0]), path[1:], value)
	} else {
		member, err = json.Marshal(value)
	}
	if err != nil {
		return nil, err
	}
	o.set(path[0], member)
	return o.append(nil), nil
}
