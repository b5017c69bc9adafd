package openai

import (
	"strings"
	"testing"

	"headway/record"
)

// How a reply ended is kept, and a reply that the server gave up is a failure
// however much text it has.
func TestHowRepliesEnd(t *testing.T) { overBoth(t, testHowRepliesEnd) }

// endedReply is a reply and how it ended.
type endedReply struct {
	name, reply string
	streaming   bool
	finish      string
	class       record.Class
	code        int
	message     string
}

func endedReplies() []endedReply {
	end := func(reason string) string {
		return `data: {"choices":[{"delta":{},"finish_reason":` + reason + `}]}` + "\n\n"
	}
	return []endedReply{
		{"stop", headSSE + chunk("a") + end(`"stop"`) + endMarker, true, "stop", "", 0, ""},
		{"length, without a marker", headSSE + chunk("a") + end(`"length"`), true, "length", "", 0, ""},
		{"filter", headSSE + chunk("a") + end(`"content_filter"`) + endMarker, true, "content_filter", "", 0, ""},
		{"another reason", headSSE + chunk("a") + end(`"eos_token"`) + endMarker, true, "eos_token", "", 0, ""},
		{"none", headSSE + chunk("a") + endMarker, true, "", "", 0, ""},
		{"SGLang's object", headSSE + chunk("a") + end(`{"type":"length","length":1}`) + endMarker, true,
			"length", "", 0, ""},
		{"completions", headSSE + `data: {"choices":[{"text":"a","finish_reason":"length"}]}` + "\n\n" + endMarker,
			true, "length", "", 0, ""},
		{"whole", headJSON + `{"choices":[{"message":{"content":"a"},"finish_reason":"tool_calls"}]}`, false,
			"tool_calls", "", 0, ""},

		{"abort", headSSE + chunk("a") + end(`"abort"`) + usageChunk + endMarker, true, "abort", "aborted", 502,
			`the server gave the reply up: finish_reason "abort"`},
		{"abort before text", headSSE + end(`"abort"`) + endMarker, true, "abort", "aborted", 502,
			`the server gave the reply up: finish_reason "abort"`},
		{"abort, object", headSSE + chunk("a") + end(`{"type":"abort","message":"out of memory"}`) + endMarker, true,
			"abort", "aborted", 502,
			`the server gave the reply up: finish_reason "abort", out of memory`},
		{"timeout", headSSE + chunk("a") + end(`"timeout_error"`) + endMarker, true, "timeout_error", "aborted", 502,
			`the server gave the reply up: finish_reason "timeout_error"`},
		{"error", headSSE + chunk("a") + end(`"error"`), true, "error", "aborted", 502,
			`the server gave the reply up: finish_reason "error"`},
		{"cancelled, then stop", headSSE + chunk("a") + end(`"CANCELLED"`) + end(`"stop"`) + endMarker, true,
			"CANCELLED", "aborted", 502,
			`the server gave the reply up: finish_reason "CANCELLED"`},
		{"abort of a choice", headSSE + `data: {"choices":[{"text":"a","finish_reason":"stop"},{"text":"b",` +
			`"finish_reason":"abort"}]}` + "\n\n" + endMarker, true,
			"abort", "aborted", 502, `the server gave the reply up: finish_reason "abort"`},
		{"abort, then cut", headChunked + chunked(chunk("a")+end(`"abort"`)), true, "abort", "aborted", 502,
			`the server gave the reply up: finish_reason "abort"`},
		{"whole abort", headJSON + `{"choices":[{"text":"a","finish_reason":"abort"}]}`, false, "abort", "aborted", 502,
			`the server gave the reply up: finish_reason "abort"`},
	}
}

func testHowRepliesEnd(t *testing.T, via string) {
	for _, tt := range endedReplies() {
		t.Run(tt.name, func(t *testing.T) {
			target := newTestTarget(t,
				Config{Transport: via, URLs: []string{rawServer(t, script(tt.reply))}, Streaming: tt.streaming})
			r := ask(t.Context(), target, say("x"))
			checkFailure(t, r, tt.class, tt.code, tt.message)
			if r.Finish != tt.finish {
				t.Errorf("finish %q, want %q", r.Finish, tt.finish)
			}
			if r.Failure != nil && Advice(*r.Failure, r.URL) == "" {
				t.Error("no advice")
			}
		})
	}
}

// checkFailure checks a Record's failure; without a class there is to be none.
func checkFailure(t *testing.T, r *record.Record, class record.Class, code int, message string) {
	t.Helper()
	f := r.Failure
	if class == "" {
		if r.Outcome != record.OK || f != nil {
			t.Errorf("outcome %v, failure %+v", r.Outcome, f)
		}
		return
	}
	if r.Outcome != record.Failed || f == nil || f.Class != class || f.Code != code || f.Message != message {
		t.Errorf("outcome %v, failure %+v, want %s, %d, %q", r.Outcome, f, class, code, message)
	}
}

// Lines that are no field of a stream are counted, are the cause of a failure,
// and fail the reply where they report an error.
func TestUnknownLines(t *testing.T) { overBoth(t, testUnknownLines) }

func testUnknownLines(t *testing.T, via string) {
	const noEnd = "the stream ended without [DONE] and without a finish_reason"
	for _, tt := range []struct {
		name, body string
		unknown    int
		class      record.Class
		code       int
		message    string
	}{
		{"error and object", chunk("a") + "error: {\"message\":\"died\",\"code\":503}\n\n", 1, "server", 503, "died"},
		{"error and text", chunk("a") + "error: out of memory\n\n", 1, "server", 502, "out of memory"},
		{"error, no blank line", chunk("a") + "error:died", 1, "server", 502, "died"},
		{"error, then a marker", chunk("a") + "error: died\n\n" + endMarker, 1, "server", 502, "died"},
		{"error beside data", strings.TrimSuffix(chunk("a"), "\n") + "Error: died\n\n" + endMarker, 1,
			"server", 502, "died"},
		{"bare object", chunk("a") + `{"error":{"message":"died","code":500}}` + "\n\n", 1, "server", 500, "died"},
		{"bare object over lines", chunk("a") + "{\n  \"error\": {\n    \"message\": \"died\"\n  }\n}\n", 5,
			"server", 502, "died"},
		{"bare object alone", `{"error":"died"}`, 1, "server", 502, "died"},
		{"detail", chunk("a") + `{"detail":"died"}` + "\n", 1, "server", 502, "died"},
		{"FastChat", chunk("a") + "{\"text\":\"died\",\"error_code\":50002}\x00", 1, "server", 502, "died"},
		{"after a NUL", chunk("a") + "\x00Internal Server Error\n\n", 1, "server", 502, "Internal Server Error"},
		{"after a NUL in the data", `data: {"choices":[{"text":"b"}]}` + "\x00{\"error\":\"died\"}\n\n", 1,
			"server", 502, "died"},
		{"exception", chunk("a") + "Traceback (most recent call last):\n  File \"x\"\nValueError: died\n", 3, "server",
			502, "ValueError: died"},

		{"harmless", chunk("a") + "foo: bar\nbaz\n\n" + finishChunk + endMarker, 2, "", 0, ""},
		{"a chunk without a field", chunk("a") + `{"choices":[{"text":"b"}]}` + "\n\n" + endMarker, 1, "", 0, ""},
		{"text after a NUL", chunk("a") + "\x00gone\n\n" + endMarker, 1, "", 0, ""},
		{"known fields", "id: 1\nretry: 2\n: c\n" + chunk("a") + endMarker, 0, "", 0, ""},

		{"the cause of no end", chunk("a") + "upstream closed\n\n", 1, "truncated", 0,
			noEnd + "; it has text that is no event: upstream closed"},
		{"no end", chunk("a"), 0, "truncated", 0, noEnd},
		{"cut in a field", chunk("a") + "dat", 0, "truncated", 0, noEnd},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := newTestTarget(t,
				Config{Transport: via, URLs: []string{rawServer(t, script(headSSE+tt.body))}, Streaming: true})
			r := ask(t.Context(), target, say("x"))
			checkFailure(t, r, tt.class, tt.code, tt.message)
			if r.Unknown != tt.unknown {
				t.Errorf("%d unknown lines, want %d", r.Unknown, tt.unknown)
			}
		})
	}
}

// A broken connection has the cause that was sent before it broke.
func TestUnknownLineBeforeTheBreak(t *testing.T) { overBoth(t, testUnknownLineBeforeTheBreak) }

func testUnknownLineBeforeTheBreak(t *testing.T, via string) {
	const broke = "the connection broke in the middle of the reply: closed by the server"
	for body, want := range map[string]*record.Failure{
		chunk("a") + "error: died\n": {Class: record.ClassServer, Code: 502, Message: "died"},
		chunk("a") + "gone away\n": {Class: record.ClassTruncated,
			Message: broke + "; it has text that is no event: gone away"},
		chunk("a") + "data: {\"choices\":": {Class: record.ClassTruncated, Message: broke},
	} {
		target := newTestTarget(t,
			Config{Transport: via, URLs: []string{rawServer(t, script(headChunked+chunked(body)))}, Streaming: true})
		checkFailure(t, ask(t.Context(), target, say("x")), want.Class, want.Code, want.Message)
	}
}

// A stream is read as one whatever its type says, and what is none as its type
// says.
func TestStreamUnderAnotherType(t *testing.T) { overBoth(t, testStreamUnderAnotherType) }

func testStreamUnderAnotherType(t *testing.T, via string) {
	head := func(kind string) string {
		if kind != "" {
			kind = "Content-Type: " + kind + "\r\n"
		}
		return "HTTP/1.1 200 OK\r\n" + kind + "Connection: close\r\n\r\n"
	}
	for _, kind := range []string{"application/json", "text/plain", "", "text/html; charset=utf-8",
		"application/x-ndjson"} {
		for _, streaming := range []bool{true, false} {
			for _, body := range []string{
				roleChunk + chunk("a") + chunk("b") + finishChunk + usageChunk + endMarker,
				"\xef\xbb\xbf\r\n: ping\r\n\r\n" + chunk("ab") + endMarker,
			} {
				target := newTestTarget(t,
					Config{Transport: via, URLs: []string{rawServer(t, script(head(kind)+body))}, Streaming: streaming})
				r := ask(t.Context(), target, say("x"))
				if r.Outcome != record.OK || !r.Streamed || contents(r) != "ab" {
					t.Errorf("%q, asked for %v: %v %+v, streamed %v, %q", kind, streaming, r.Outcome, r.Failure,
						r.Streamed, contents(r))
				}
			}
		}
		target := newTestTarget(t,
			Config{Transport: via,
				URLs: []string{rawServer(t, script(head(kind)+`{"choices":[{"message":{"content":"w"}}]}`))}})
		if r := ask(t.Context(), target, say("x")); r.Outcome != record.OK || r.Streamed || contents(r) != "w" {
			t.Errorf("%q, whole: %v %+v, streamed %v, %q", kind, r.Outcome, r.Failure, r.Streamed, contents(r))
		}
	}
}

// Usage is found wherever servers put it.
func TestUsageShapes(t *testing.T) { overBoth(t, testUsageShapes) }

func testUsageShapes(t *testing.T, via string) {
	last := func(usage string) string { return `data: {"choices":[],"usage":` + usage + "}\n\n" }
	for name, tt := range map[string]struct {
		body        string
		prompt, out int // -1 where there is none
	}{
		"missing": {chunk("a") + finishChunk + endMarker, -1, -1},
		"null":    {chunk("a") + finishChunk + last("null") + endMarker, -1, -1},
		"in the last text": {`data: {"choices":[{"text":"a","finish_reason":"stop"}],"usage":{"prompt_tokens":28,` +
			`"completion_tokens":10}}` + "\n\n" + endMarker, 28, 10},
		"strings": {chunk("a") + last(`{"prompt_tokens":"28","completion_tokens":10.0}`) + endMarker, 28, 10},
		"after the marker": {chunk("a") + finishChunk + endMarker +
			last(`{"prompt_tokens":28,"completion_tokens":10}`), 28, 10},
		"zero first": {`data: {"choices":[{"text":"a"}],"usage":{"prompt_tokens":0,` +
			`"completion_tokens":0}}` + "\n\n" + last(`{"prompt_tokens":28,"completion_tokens":10}`) +
			endMarker, 28, 10},
		"in parts": {chunk("a") + last(`{"prompt_tokens":28}`) + last(`{"completion_tokens":10}`) +
			endMarker, 28, 10},
		"one of two": {chunk("a") + last(`{"completion_tokens":10}`) + endMarker, -1, 10},
	} {
		target := newTestTarget(t,
			Config{Transport: via, URLs: []string{rawServer(t, script(headSSE+tt.body))}, Streaming: true})
		r := ask(t.Context(), target, say("x"))
		for key, want := range map[string]int{"prompt_tokens": tt.prompt, "completion_tokens": tt.out} {
			if n, ok := r.Usage[key]; ok != (want >= 0) || ok && n != want {
				t.Errorf("%s: %s is %d, %v, want %d", name, key, n, ok, want)
			}
		}
	}
}

// Blank lines without end are not kept while it is unknown what comes.
func TestEndlessBlankLines(t *testing.T) {
	target := newTestTarget(t, Config{})
	for _, stream := range []bool{true, false} {
		x, f := readAs(target, strings.NewReader(strings.Repeat("\n", 1<<20)+chunk("a")+endMarker), stream, true)
		if x.reply.how == asSeen || stream != (f == nil) {
			t.Errorf("stream %v: read as %d, %+v", stream, x.reply.how, f)
		}
	}
}

// A reason that the server writes a whole message into is kept short.
func TestLongFinishReason(t *testing.T) {
	target := newTestTarget(t, Config{})
	reason := "error: " + strings.Repeat("x", 1000)
	x, f := readReply(target,
		strings.NewReader(chunk("a")+`data: {"choices":[{"finish_reason":"`+reason+`"}]}`+"\n\n"+endMarker), true)
	if f == nil || f.Class != record.ClassAborted || len([]rune(x.reply.finish)) > 301 {
		t.Errorf("%+v, reason of %d bytes", f, len(x.reply.finish))
	}
}
