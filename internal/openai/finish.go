package openai

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"headway/internal/wire"
	"headway/record"
)

// finishNames are the usual reasons, so that keeping one costs no memory.
var finishNames = [...]string{"stop", "length", "tool_calls", "content_filter", "function_call", "abort"}

// finishName is a finish_reason as a Record keeps it, cut where a server puts
// a whole message there.
func (w wording) finishName(b []byte) string {
	for _, name := range finishNames {
		if string(b) == name {
			return name
		}
	}
	return w.excerpt(b)
}

// givenUpParts are what a finish_reason holds, in lower case, that says that
// the server did not finish the reply: vLLM's and SGLang's abort, TensorRT-LLM's
// timeout and cancelled, Dynamo's error and cancelled, timeout_error of gateways,
// network_error and insufficient_system_resource of hosted models.
var givenUpParts = [...]string{"abort", "cancel", "error", "exception", "fail", "timeout", "timed_out", "overload",
	"unavailable", "insufficient_", "preempt"}

// givenUp reports whether a finish_reason is a failure. A filter for content is
// none: the reply is what the service gives.
func givenUp(reason []byte) bool {
	switch string(reason) {
	case "", "stop", "length", "tool_calls", "content_filter":
		return false
	}
	low := strings.ToLower(string(reason))
	for _, part := range givenUpParts {
		if strings.Contains(low, part) {
			return true
		}
	}
	return false
}

// aborted is the failure of a reply whose finish_reason says that the server
// gave it up.
func (r *reply) aborted() *record.Failure {
	message := fmt.Sprintf("the server gave the reply up: finish_reason %q", r.finish)
	if why := r.rare().why; why != "" {
		message += ", " + why
	}
	return r.because(&record.Failure{Class: record.ClassAborted, Code: 502, Type: "InvalidInferenceResultError",
		Message: message})
}

// because adds the first of the lines that are no field of a stream to a
// failure: it is most often the cause.
func (r *reply) because(f *record.Failure) *record.Failure {
	if stray := r.rare().stray; stray != "" {
		f.Message += "; it has text that is no event: " + stray
	}
	return f
}

// strays counts the lines of an event that are no field of a stream, keeps the
// first, and returns the error that they report, nil where they report none.
func (r *reply) strays(sc *scanner, e wire.Event) *record.Failure {
	o := r.oddly()
	o.unknown += e.UnknownLines
	text := bytes.Trim(e.Unknown, "\x00 \t\r\n")
	if o.stray == "" {
		o.stray = sc.x.t.words.excerpt(text)
	}
	if f := sc.strayObject(text); f != nil {
		return f
	}
	// The last line of a traceback says what it was.
	for _, line := range slices.Backward(bytes.Split(text, []byte{'\n'})) {
		if f := sc.strayLine(bytes.Trim(line, "\x00 \t")); f != nil {
			return f
		}
	}
	return nil
}

// strayLine is the error that a line reports: "error: …" with JSON or text,
// "ValueError: …", "Internal Server Error", an object, or an object after
// another name.
func (sc *scanner) strayLine(line []byte) *record.Failure {
	key, value, named := bytes.Cut(line, []byte{':'})
	name := strings.ToLower(string(bytes.TrimSpace(key)))
	value = bytes.TrimSpace(value)
	switch {
	case name == "error" && named:
		return errorEvent(sc, wire.Event{Data: value})
	case !strings.ContainsAny(name, `{"<`) && isErrorName(name):
		return errorEvent(sc, wire.Event{Data: line})
	}
	if f := sc.strayObject(line); f != nil {
		return f
	}
	return sc.strayObject(value)
}

// isErrorName reports whether the beginning of a line names an error.
func isErrorName(name string) bool {
	return strings.HasSuffix(name, "error") || strings.HasSuffix(name, "exception") ||
		strings.HasPrefix(name, "traceback")
}

// strayObject is the error that a JSON object reports which is no event. Beside
// the forms of events it may be that of a refusal: {"detail": …} of FastAPI, or
// a message with a status.
func (sc *scanner) strayObject(b []byte) *record.Failure {
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	v, err := parseJSON(&sc.decoder.parser, b, mostValues)
	if err != nil || v.Type() != fastjson.TypeObject {
		return nil
	}
	if f := reportedFailure(v); f != nil {
		return f
	}
	if _, bad := codeOf(v); (bad || v.Exists("detail")) && !v.Exists("choices") && messageOf(v) != "" {
		return errorEvent(sc, wire.Event{Data: b})
	}
	return nil
}
