package openai

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"headway/record"
)

// A reply that is not as it should be has the class, the code and the words
// that say what was wrong with it.
func TestRepliesThatFail(t *testing.T) { overBoth(t, testRepliesThatFail) }

// failingReply is a reply and the failure that it is.
type failingReply struct {
	name, reply   string
	streaming     bool
	class         record.Class
	code          int
	kind, message string
}

// hostileSecret is a key that a server may repeat.
const hostileSecret = "sk-very-secret"

func failingReplies() []failingReply {
	plain := func(status string, headers, body string) string {
		return fmt.Sprintf("HTTP/1.1 %s\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, headers,
			len(body), body)
	}
	return []failingReply{
		// Statuses.
		{"400 of OpenAI", plain("400 Bad Request", "", `{"error":{"message":"too long","type":"x"}}`), true, "http_4xx",
			400, "Bad Request", "too long"},
		{"422 of FastAPI", plain("422 Unprocessable Entity", "", `{"detail":[{"msg":"field required"}]}`), true,
			"http_4xx", 422, "Unprocessable Entity", `[{"msg":"field required"}]`},
		{"404 detail", plain("404 Not Found", "", `{"detail":"Not Found"}`), true, "http_4xx", 404,
			"Not Found", "Not Found"},
		{"401 message", plain("401 Unauthorized", "", `{"message":"no key `+hostileSecret+`"}`), true, "http_4xx", 401,
			"Unauthorized", "no key <redacted>"},
		{"500 text", plain("500 Internal Server Error", "", "Internal\n  trouble "+strings.Repeat("x", 400)), true,
			"http_5xx", 500, "Internal Server Error", "Internal trouble " + strings.Repeat("x", 283) + "…"},
		{"503 empty", plain("503 Service Unavailable", "", ""), false, "http_5xx", 503, "Service Unavailable",
			"status 503 without a message"},
		{"no reason", plain("529 ", "", `{"error":"busy"}`), false, "http_5xx", 529, "ClientResponseError", "busy"},
		{"302", plain("302 Found", "Location: http://u:p@h/x\r\n", ""), false, "http", 302, "Found",
			"redirected to http://<redacted>@h/x, which is not followed"},
		{"error body cut", "HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nshort", true, "http_5xx", 500,
			"Oops", "short"},

		// Streams.
		{"error event", headSSE + chunk("a") + "event: error\ndata: {\"message\":\"died\",\"code\":503}\n\n", true,
			"server", 503, "SSEResponseError", "died"},
		{"error event, text", headSSE + "event: error\ndata: out of memory\n\n", true, "server", 502,
			"SSEResponseError", "out of memory"},
		{"error event, comment", headSSE + "event: error\n: killed\n\n", true, "server", 502,
			"SSEResponseError", "killed"},
		{"error event, nothing", headSSE + "event: error\n\n", true, "server", 502, "SSEResponseError",
			"an error event without a message"},
		{"error object", headSSE + chunk("a") + `data: {"error":{"message":"died","code":500}}` + "\n\n" + endMarker,
			true, "server", 500, "SSEResponseError", "died"},
		{"error at the end", headSSE + `data: {"error":{"message":"died"}}`, true, "server", 502,
			"SSEResponseError", "died"},
		{"no end", headSSE + chunk("a") + chunk("b"), true, "truncated", 0, "ClientPayloadError",
			"the stream ended without [DONE] and without a finish_reason"},
		{"half a chunk", headSSE + chunk("a")[:30], true, "truncated", 0, "ClientPayloadError",
			"the stream ended without [DONE] and without a finish_reason"},
		{"nothing at all", headSSE, true, "truncated", 0, "ClientPayloadError",
			"the stream ended without [DONE] and without a finish_reason"},
		{"only comments", headSSE + ": ping\n\n: ping\n\n", true, "truncated", 0, "ClientPayloadError",
			"the stream ended without [DONE] and without a finish_reason"},
		{"cut in the middle", strings.Replace(headSSE, "\r\n\r\n", "\r\nContent-Length: 9999\r\n\r\n", 1) + chunk("a"),
			true, "truncated", 0, "ClientPayloadError",
			"the connection broke in the middle of the reply: closed by the server"},
		{"cut chunked", strings.Replace(headSSE, "\r\n\r\n", "\r\nTransfer-Encoding: "+
			"chunked\r\n\r\n", 1) + chunked(chunk("a")), true, "truncated", 0, "ClientPayloadError",
			"the connection broke in the middle of the reply: closed by the server"},
		{"bad chunking", strings.Replace(headSSE, "\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n", 1) + "zz\r\n",
			true, "garbage", 0, "InvalidInferenceResultError", "reading the reply: invalid byte in chunk length"},
		{"garbage chunks", headSSE + "data: {{{\n\ndata: 17\n\n" + endMarker, true, "garbage", 0,
			"InvalidInferenceResultError", "no chunk of the reply is a JSON object"},
		{"not events", headSSE + "<html>hello</html>", true, "garbage", 0, "InvalidInferenceResultError",
			"the reply is not an event stream; it has text that is no event: <html>hello</html>"},
		{"only the marker", headSSE + endMarker, true, "empty", 0, "InvalidInferenceResultError",
			"the reply is a success without content"},
		{"only usage", headSSE + roleChunk + finishChunk + usageChunk + endMarker, true, "empty", 0,
			"InvalidInferenceResultError", "the reply is a success without content"},
		{"a page", headHTML + "<html><b>Welcome</b>\n to nginx!</html>", true, "garbage", 0,
			"InvalidInferenceResultError", "the reply is not a JSON object: <html><b>Welcome</b> to nginx!</html>"},

		// Whole replies.
		{"error in 200", headJSON + `{"error":{"message":"died","code":"503"}}`, false, "server", 503,
			"ServerError", "died"},
		{"no content", headJSON + `{"choices":[{"message":{"content":""}}]}`, false, "empty", 0,
			"InvalidInferenceResultError", "the reply is a success without content"},
		{"no body", headJSON, false, "garbage", 0, "InvalidInferenceResultError",
			"the reply is not a JSON object: it is empty"},
		{"cut JSON", headJSON + `{"choices":[{"mess`, false, "garbage", 0, "InvalidInferenceResultError",
			`the reply is not a JSON object: {"choices":[{"mess`},
		{"cut whole", strings.Replace(headJSON, "\r\n\r\n", "\r\nContent-Length: 99\r\n\r\n", 1) + `{"choi`, false,
			"truncated", 0, "ClientPayloadError",
			"the connection broke in the middle of the reply: closed by the server"},

		// No reply.
		{"closed", "", true, "reset", 0, "ServerDisconnectedError",
			"the connection broke before the reply began: closed by the server"},
		{"half a head", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n", true, "reset", 0, "ServerDisconnectedError",
			"the connection broke before the reply began: closed by the server"},
		{"another protocol", "SSH-2.0-OpenSSH_9.9\r\n", true, "garbage", 0, "InvalidInferenceResultError", ""},
	}
}

func testRepliesThatFail(t *testing.T, via string) {
	tests := failingReplies()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target := newTestTarget(t, Config{Transport: via, URLs: []string{rawServer(t, script(tt.reply))},
				Streaming: tt.streaming, APIKey: hostileSecret})
			r := ask(t.Context(), target, say("x"))
			f := r.Failure
			if r.Outcome != record.Failed || f == nil {
				t.Fatalf("outcome %v, failure %v, content %q", r.Outcome, f, contents(r))
			}
			if f.Class != tt.class || f.Code != tt.code || f.Type != tt.kind {
				t.Errorf("class %s, code %d, type %q, want %s, %d, %q", f.Class, f.Code, f.Type, tt.class,
					tt.code, tt.kind)
			}
			if tt.message != "" && f.Message != tt.message || f.Message == "" {
				t.Errorf("message %q, want %q", f.Message, tt.message)
			}
			if !r.Start.Known() || !r.Sent.Known() || r.Done < r.Sent || r.Sent < r.Start {
				t.Errorf("start %d, sent %d, done %d", r.Start, r.Sent, r.Done)
			}
			if ok := f.Code == 0 && f.Class != "reset"; r.Ack.Known() != (ok && tt.name != "another protocol" ||
				f.Class == "server") {
				t.Errorf("acknowledged at %d", r.Ack)
			}
			if Advice(*f, r.URL) == "" && f.Code != 529 {
				t.Errorf("no advice for %+v", f)
			}
		})
	}
}

// What is odd and still a reply.
func TestRepliesThatDoNotFail(t *testing.T) { overBoth(t, testRepliesThatDoNotFail) }

// oddReplies are replies and their content.
func oddReplies() []struct{ name, reply, want string } {
	return []struct{ name, reply, want string }{
		{"finished without the marker", headSSE + chunk("a") + finishChunk, "a"},
		{"marker without a finish", headSSE + chunk("a") + endMarker, "a"},
		{"marker without its blank line", headSSE + chunk("a") + "data: [DONE]", "a"},
		{"only white space", headSSE + chunk(" \n") + endMarker, " \n"},
		{"one bad chunk among good", headSSE + chunk("a") + "data: {oops\n\n" + chunk("b") + endMarker, "ab"},
		{"comments and annotations", headSSE + ": ping\n\nevent: worker\ndata: " +
			"{\"id\":1}\n\nevent: note\n\n" + chunk("a") + endMarker, "a"},
		{"carriage returns", headSSE + strings.ReplaceAll(chunk("a")+endMarker, "\n", "\r\n"), "a"},
		{"words after the end", headSSE + chunk("a") + endMarker + chunk("b") + "event: error\n\n", "a"},
		{"broken after the end", strings.Replace(headSSE, "\r\n\r\n", "\r\nTransfer-Encoding: "+
			"chunked\r\n\r\n", 1) + chunked(chunk("a")+endMarker), "a"},
		{"201", strings.Replace(headSSE, "200 OK", "201 Created", 1) + chunk("a") + endMarker, "a"},
		{"no content type", "HTTP/1.1 200 OK\r\n\r\n" + chunk("a") + endMarker, "a"},
	}
}

func testRepliesThatDoNotFail(t *testing.T, via string) {
	for _, tt := range oddReplies() {
		t.Run(tt.name, func(t *testing.T) {
			target := newTestTarget(t,
				Config{Transport: via, URLs: []string{rawServer(t, script(tt.reply))}, Streaming: true})
			if r := ask(t.Context(), target, say("x")); r.Outcome != record.OK || contents(r) != tt.want {
				t.Errorf("outcome %v, failure %v, content %q", r.Outcome, r.Failure, contents(r))
			}
		})
	}
}

// A stream that stays open after [DONE] holds its request no longer than drain.
func TestOpenAfterDone(t *testing.T) { overBoth(t, testOpenAfterDone) }

func testOpenAfterDone(t *testing.T, via string) {
	target := newTestTarget(t,
		Config{Transport: via, Streaming: true, URLs: []string{rawServer(t, func(c net.Conn, _ *http.Request) {
			_, _ = io.WriteString(c, headSSE+chunk("a")+endMarker)
			_, _ = io.Copy(io.Discard, c) // until the client goes
		})}})
	r := ask(t.Context(), target, say("x"))
	if r.Outcome != record.OK || contents(r) != "a" || r.Done != r.HTTP.End {
		t.Errorf("outcome %v %v, done %d, end %d", r.Outcome, r.Failure, r.Done, r.HTTP.End)
	}
}

func TestResetMidway(t *testing.T) { overBoth(t, testResetMidway) }

func testResetMidway(t *testing.T, via string) {
	target := newTestTarget(t,
		Config{Transport: via, Streaming: true, URLs: []string{rawServer(t, func(c net.Conn, _ *http.Request) {
			_, _ = io.WriteString(c, headSSE+chunk("a"))
			_ = c.(*net.TCPConn).SetLinger(0)
		})}})
	r := ask(t.Context(), target, say("x"))
	// A reset can overtake the reply's head in the client's socket.
	if f := r.Failure; f == nil || f.Class != record.ClassTruncated && f.Class != record.ClassReset ||
		!strings.Contains(f.Message, "reset by peer") {
		t.Errorf("failure %+v", f)
	}
}

func TestLimits(t *testing.T) { overBoth(t, testLimits) }

func testLimits(t *testing.T, via string) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		filler := make([]byte, 1<<20)
		for i := range filler {
			filler[i] = 'x'
		}
		switch {
		case strings.Contains(string(b), "endless event"):
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: ")
		case strings.Contains(string(b), "endless error"):
			w.WriteHeader(500)
		}
		for range 20 {
			if _, err := w.Write(filler); err != nil {
				return
			}
		}
	})
	target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}, Streaming: true})
	long := say("endless event")
	long.OutputTokens = 1 << 20
	if r := ask(t.Context(), target, long); r.Failure == nil || r.Failure.Class != record.ClassTooLarge ||
		!strings.Contains(r.Failure.Message, "larger than 16777216 bytes") {
		t.Errorf("event: %+v", r.Failure)
	}
	if r := ask(t.Context(), target, say("endless error")); r.Failure == nil || r.Failure.Class != record.ClassHTTP5 ||
		r.HTTP.BytesReceived > 8<<20 {
		t.Errorf("error body: %+v, %d bytes read", r.Failure, r.HTTP.BytesReceived)
	}
	target = newTestTarget(t,
		Config{Transport: via, URLs: []string{rawServer(t, script("HTTP/1.1 200 OK\r\nContent-Length: "+
			"268435457\r\n\r\n"))}})
	if r := ask(t.Context(), target, say("large whole")); r.Failure == nil || r.Failure.Class != record.ClassTooLarge ||
		!strings.Contains(r.Failure.Message, "--max-reply-bytes") {
		t.Errorf("whole reply: %+v", r.Failure)
	}
}

// A body is kept to its limit and one byte more, however it is cut.
func TestCollect(t *testing.T) {
	for _, tt := range []struct{ size, piece, want int }{
		{0, 1, 0}, {99, 1, 99}, {100, 100, 100}, {101, 7, 101}, {5000, 100, 101}, {5000, 5000, 101},
	} {
		var r reply
		var err error
		for left := tt.size; left > 0 && err == nil; left -= tt.piece {
			err = r.collect(make([]byte, min(left, tt.piece)), 100)
		}
		if len(r.data) != tt.want || (err != nil) != (tt.size > 100) {
			t.Errorf("%+v: %d bytes, %v", tt, len(r.data), err)
		}
	}
}
