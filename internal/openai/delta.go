package openai

import (
	"bytes"
	"errors"

	"github.com/valyala/fastjson"

	"headway/record"
)

// delta is what one chunk of a reply says. Its slices are valid until the
// decoder is used again and the bytes that it read are overwritten.
type delta struct {
	content, reasoning, tool []byte
	// calls are the parts of tool calls whose text is in tool.
	calls []callPart
	// finish is the finish_reason of the choices, that of one which was given
	// up before any other's; why is what the server says beside it.
	finish, why []byte
	usage       usage
	// nvext is the text of the object in which Dynamo says more; empty without one.
	nvext []byte
	// failure is set when the chunk reports an error.
	failure *record.Failure
}

// callPart is a piece of a tool call: the first one of an index has id and
// name, all of them a bit of the arguments.
type callPart struct {
	index                     int
	id, kind, name, arguments string
}

// decoder reads chunks. It keeps its memory, so that the usual chunk allocates
// nothing. It is not safe for use by several goroutines.
type decoder struct {
	parser  fastjson.Parser
	scratch []byte // unescaped text of the quick way
	texts   [3][]byte
	large   bool // parser holds the memory of a large text
}

var errNotAnObject = errors.New("not a JSON object")

// decode reads one chunk, the hand-written way when the chunk is the usual one
// and by a JSON parser otherwise. Both say the same of what both can read.
func (d *decoder) decode(data []byte) (delta, error) {
	if x, ok := d.quick(data); ok {
		return x, nil
	}
	return d.parse(data, mostValues)
}

// trim lets the memory go that an event of many values took.
func (d *decoder) trim() {
	if d.large {
		d.parser, d.large = fastjson.Parser{}, false
	}
}

// parse reads any chunk, or a whole reply, which has message where a chunk has
// delta. Of several choices the texts are put together: all of them are output
// of the model.
// It refuses JSON of more than so many values.
func (d *decoder) parse(data []byte, most int) (delta, error) {
	d.large = d.large || len(data) > maxLead
	v, err := parseJSON(&d.parser, data, most)
	if err != nil {
		return delta{}, err
	}
	if v.Type() != fastjson.TypeObject {
		return delta{}, errNotAnObject
	}
	x := delta{failure: reportedFailure(v)}
	if x.failure != nil {
		return x, nil
	}
	content, reasoning, tool := d.texts[0][:0], d.texts[1][:0], d.texts[2][:0]
	for _, choice := range v.GetArray("choices") {
		x.ends(choice.Get("finish_reason"))
		content = appendContent(content, choice.Get("text"))
		for _, key := range [...]string{"delta", "message"} {
			m := choice.Get(key)
			if m == nil || m.Type() != fastjson.TypeObject {
				continue
			}
			content = appendContent(content, m.Get("content"))
			reasoning = append(reasoning, reasoningOf(m)...)
			x.calls = appendCalls(x.calls, m)
		}
	}
	for _, c := range x.calls {
		tool = append(append(tool, c.name...), c.arguments...)
	}
	x.content, x.reasoning, x.tool = content, reasoning, tool
	d.texts = [3][]byte{content, reasoning, tool}
	x.usage = readUsage(v.Get("usage"))
	if more := v.Get("nvext"); more != nil && more.Type() == fastjson.TypeObject {
		x.nvext = more.MarshalTo(nil)
	}
	return x, nil
}

// ends notes a choice's finish_reason: a string, or in SGLang's own form an
// object with a type and a message.
func (x *delta) ends(v *fastjson.Value) {
	reason, why := v.GetStringBytes(), []byte(nil)
	if v != nil && v.Type() == fastjson.TypeObject {
		reason, why = v.GetStringBytes("type"), v.GetStringBytes("message")
	}
	if len(reason) > 0 && (len(x.finish) == 0 || givenUp(reason) && !givenUp(x.finish)) {
		x.finish, x.why = reason, why
	}
}

// appendContent adds a text, or the texts of a list of parts.
func appendContent(dst []byte, v *fastjson.Value) []byte {
	eachText(v, func(v *fastjson.Value) {
		dst = append(dst, v.GetStringBytes()...)
	})
	return dst
}

// reasoningOf is the text of a separate field for reasoning. Some servers send
// both fields with the same text, so it is one or the other.
func reasoningOf(m *fastjson.Value) []byte {
	if b := m.GetStringBytes("reasoning_content"); len(b) > 0 {
		return b
	}
	return m.GetStringBytes("reasoning")
}

func appendCalls(calls []callPart, m *fastjson.Value) []callPart {
	for i, c := range m.GetArray("tool_calls") {
		part := callPart{index: i, id: text(c, "id"), kind: text(c, "type")}
		if n, ok := count(c.Get("index")); ok {
			part.index = n
		}
		part.name, part.arguments = text(c, "function", "name"), argumentsOf(c.Get("function"))
		calls = append(calls, part)
	}
	// The form of tool calls before there were several.
	if f := m.Get("function_call"); f != nil && f.Type() == fastjson.TypeObject {
		calls = append(calls, callPart{name: text(f, "name"), arguments: argumentsOf(f)})
	}
	return calls
}

// argumentsOf is the arguments' text. They are JSON inside a string; some
// servers leave the string out.
func argumentsOf(f *fastjson.Value) string {
	a := f.Get("arguments")
	if a == nil || a.Type() == fastjson.TypeNull {
		return ""
	}
	if a.Type() == fastjson.TypeString {
		return string(a.GetStringBytes())
	}
	return string(a.MarshalTo(nil))
}

func text(v *fastjson.Value, path ...string) string {
	return string(v.GetStringBytes(path...))
}

// reportedFailure is the error that a body with status 200 reports, nil when
// it reports none. Servers write {"error": {…}}, {"error": "…"},
// {"object": "error", …} or, as FastChat does, a text beside an error_code that
// is not 0.
func reportedFailure(v *fastjson.Value) *record.Failure {
	e := v.Get("error")
	switch {
	case e != nil && e.Type() == fastjson.TypeObject:
	case e != nil && e.Type() == fastjson.TypeString && len(e.GetStringBytes()) > 0:
	case text(v, "object") == "error", errorCode(v.Get("error_code")):
		e = v
	default:
		return nil
	}
	f := &record.Failure{Class: record.ClassServer, Code: 502, Type: "SSEResponseError", Message: messageOf(v)}
	if f.Message == "" {
		f.Message = string(e.MarshalTo(nil))
	}
	for _, from := range [...]*fastjson.Value{e, v} {
		if code, ok := codeOf(from); ok {
			f.Code = code
			break
		}
	}
	return f
}

// errorCode reports whether a code says that there was an error.
func errorCode(v *fastjson.Value) bool {
	n, ok := count(v)
	return ok && n != 0 || v != nil && v.Type() == fastjson.TypeString && len(v.GetStringBytes()) > 0
}

// codeOf is an HTTP error status named in v.
func codeOf(v *fastjson.Value) (int, bool) {
	if v.Type() != fastjson.TypeObject {
		return 0, false
	}
	for _, key := range [...]string{"code", "status", "status_code"} {
		c := v.Get(key)
		n, ok := count(c)
		if !ok && c != nil && c.Type() == fastjson.TypeString {
			n = decimal(c.GetStringBytes())
		}
		if n >= 400 && n <= 599 {
			return n, true
		}
	}
	return 0, false
}

// decimal reads a number of three digits, else 0.
func decimal(b []byte) int {
	if b = bytes.TrimSpace(b); len(b) != 3 {
		return 0
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// messageOf is the message in an error body of the forms that inference
// servers use: {"error": {"message": …}}, {"error": "…"}, {"message": …} and
// FastAPI's {"detail": …}, and the text beside FastChat's error_code; "" when there is
// none.
func messageOf(v *fastjson.Value) string {
	for _, path := range [...][]string{{"error", "message"}, {"error", "detail"}, {"error"}, {"message"}, {"detail"}} {
		if s := text(v, path...); s != "" {
			return s
		}
	}
	if errorCode(v.Get("error_code")) {
		return text(v, "text")
	}
	if d := v.Get("detail"); d != nil && (d.Type() == fastjson.TypeArray || d.Type() == fastjson.TypeObject) {
		return string(d.MarshalTo(nil))
	}
	return ""
}
