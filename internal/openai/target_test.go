package openai

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"headway/record"
	"headway/workload"
)

func TestStreamedChat(t *testing.T) { overBoth(t, testStreamedChat) }

func testStreamedChat(t *testing.T, via string) {
	type sentRequest struct {
		*http.Request
		body string
	}
	requests := make(chan sentRequest, 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		requests <- sentRequest{r, string(b)}
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		for _, e := range []string{roleChunk, chunk("Hel"), chunk("lo"), chunk(" "), finishChunk,
			usageChunk, endMarker} {
			_, _ = io.WriteString(w, e)
			w.(http.Flusher).Flush()
		}
	})
	target := newTestTarget(t,
		Config{Transport: via, URLs: []string{s.URL}, Streaming: true, APIKey: "sk-1", UserAgent: "headway/9",
			Headers: http.Header{"X-Mine": {"a", "b"}, "Accept": {"nothing"}, "Content-Type": {"text/plain"}}})
	r := ask(t.Context(), target, say("héllo <b>"))
	got := <-requests

	if r.Outcome != record.OK || r.Failure != nil {
		t.Fatalf("outcome %v: %v", r.Outcome, r.Failure)
	}
	if contents(r) != "Hello " || kinds(r) != "0 1 1 1 0 8 0" || !r.Streamed {
		t.Errorf("content %q, kinds %s, streamed %v", contents(r), kinds(r), r.Streamed)
	}
	if r.Usage["prompt_tokens"] != 5 || r.Usage["completion_tokens"] != 2 || r.FirstUsage != 0 || len(r.Usage) != 3 {
		t.Errorf("usage %v, first %d", r.Usage, r.FirstUsage)
	}
	if r.Text.Prompt != "héllo <b>" {
		t.Errorf("prompt %q", r.Text.Prompt)
	}
	const want = `{"messages":[{"role":"user","content":"héllo <b>"}],"model":"m","stream":true,` +
		`"max_completion_tokens":8,"stream_options":{"include_usage":true}}`
	if got.body != want {
		t.Errorf("body %s\nwant %s", got.body, want)
	}
	for name, want := range map[string]string{
		"User-Agent": "headway/9", "Content-Type": "application/json", "Accept": "text/event-stream",
		"Authorization": "Bearer sk-1", "X-Request-Id": r.RequestID, "X-Correlation-Id": r.CorrelationID,
		"X-Session-Affinity": r.CorrelationID, "X-Mine": "a,b", "Accept-Encoding": "",
	} {
		if v := strings.Join(got.Header.Values(name), ","); v != want {
			t.Errorf("header %s: %q, want %q", name, v, want)
		}
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !uuid.MatchString(r.RequestID) || !uuid.MatchString(r.CorrelationID) || r.RequestID == r.CorrelationID {
		t.Errorf("ids %q and %q", r.RequestID, r.CorrelationID)
	}
	if r.URL != s.URL+"/v1/chat/completions" {
		t.Errorf("url %q", r.URL)
	}
	checkOrder(t, r)
}

// checkOrder fails when the times of a successful record are out of order.
func checkOrder(t *testing.T, r *record.Record) {
	t.Helper()
	h := r.HTTP
	type mark struct {
		name string
		at   record.Time
	}
	marks := []mark{{"Start", r.Start}}
	if h.Reused {
		if h.DNSStart.Known() || h.ConnectStart.Known() || h.ConnectDone.Known() || h.TLSStart.Known() {
			t.Errorf("a reused connection has times of its making: %+v", h)
		}
	} else {
		marks = append(marks, mark{"ConnectStart", h.ConnectStart}, mark{"ConnectDone", h.ConnectDone})
		if h.TLSStart.Known() || h.TLSDone.Known() {
			marks = append(marks, mark{"TLSStart", h.TLSStart}, mark{"TLSDone", h.TLSDone})
		}
	}
	marks = append(marks, mark{"GotConn", h.GotConn}, mark{"HeadersSent", h.HeadersSent}, mark{"Sent", r.Sent},
		mark{"FirstByte", h.FirstByte}, mark{"Ack", r.Ack}, mark{"FirstBody", h.FirstBody})
	for i, a := range r.Arrivals {
		marks = append(marks, mark{fmt.Sprint("arrival ", i), a.At})
	}
	marks = append(marks, mark{"End", h.End}, mark{"Done", r.Done})
	for i, m := range marks {
		if !m.at.Known() {
			t.Errorf("%s is not known", m.name)
		}
		if i > 0 && m.at < marks[i-1].at {
			t.Errorf("%s (%d) is before %s (%d)", m.name, m.at, marks[i-1].name, marks[i-1].at)
		}
	}
	if h.Status != 200 || h.Remote == "" || h.BytesSent == 0 || h.BytesReceived == 0 || h.Chunks == 0 {
		t.Errorf("connection %+v", h)
	}
}

func TestWholeReplies(t *testing.T) { overBoth(t, testWholeReplies) }

func testWholeReplies(t *testing.T, via string) {
	tests := []struct {
		name, kind, reply         string
		content, reasoning, tools string
	}{
		{"chat", TypeChat, `{"choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],` +
			`"usage":{"prompt_tokens":3}}`, "Hi", "", ""},
		{"reasoning", TypeChat, `{"choices":[{"message":{"content":"Hi","reasoning_content":"hm","reasoning":"hm"}}]}`,
			"Hi", "hm", ""},
		{"tools", TypeChat, `{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1","function":{"name":"f",` +
			`"arguments":"{\"a\":1}"}}]}}]}`, "", "", `f{"a":1}`},
		{"parts", TypeChat, `{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"text",` +
			`"text":"b"}]}}]}`, "ab", "", ""},
		{"completions", TypeCompletions, `{"choices":[{"text":" there","finish_reason":"length"}]}`, " there", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Accept"); got != "application/json" {
					t.Errorf("Accept %q", got)
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, tt.reply)
			})
			target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}, Type: tt.kind})
			r := ask(t.Context(), target, say("x"))
			if r.Outcome != record.OK || r.Streamed || len(r.Arrivals) != 1 {
				t.Fatalf("outcome %v %v, streamed %v, %d arrivals", r.Outcome, r.Failure, r.Streamed, len(r.Arrivals))
			}
			if contents(r) != tt.content || string(r.Text.Reasoning) != tt.reasoning ||
				string(r.Text.ToolCalls) != tt.tools {
				t.Errorf("content %q, reasoning %q, tools %q", r.Text.Content, r.Text.Reasoning, r.Text.ToolCalls)
			}
			if r.Arrivals[0].At != r.HTTP.End {
				t.Errorf("arrival %d is not the end of the body %d", r.Arrivals[0].At, r.HTTP.End)
			}
			checkOrder(t, r)
		})
	}
}

// The reply's own Content-Type says how it is read, and extras may change what
// is asked for.
func TestEffectiveStream(t *testing.T) { overBoth(t, testEffectiveStream) }

func testEffectiveStream(t *testing.T, via string) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if strings.Contains(string(b), `"stream":true`) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, chunk("s")+endMarker)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"w"}}]}`)
	})
	for _, tt := range []struct {
		streaming     bool
		extra, prompt string
		want          string
	}{
		{true, ``, ``, "s"},
		{true, `{"stream":false}`, ``, "w"},
		{false, `{"stream":true}`, ``, "s"},
		{false, ``, `{"stream":true,"messages":[]}`, "s"},
		{true, ``, `{"messages":[]}`, "w"},
	} {
		target := newTestTarget(t,
			Config{Transport: via, URLs: []string{s.URL}, Streaming: tt.streaming, Extra: []byte(tt.extra)})
		req := say("x")
		if tt.prompt != "" {
			req = workload.Request{Prompt: workload.Prompt{Payload: []byte(tt.prompt)}}
		}
		r := ask(t.Context(), target, req)
		if contents(r) != tt.want || r.Streamed != (tt.want == "s") {
			t.Errorf("streaming %v, extra %s, payload %s: %q, streamed %v, %v", tt.streaming, tt.extra, tt.prompt,
				contents(r), r.Streamed, r.Failure)
		}
	}
}

func TestTogetherAndApart(t *testing.T) { overBoth(t, testTogetherAndApart) }

func testTogetherAndApart(t *testing.T, via string) {
	step := make(chan struct{})
	url := rawServer(t, func(c net.Conn, _ *http.Request) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "+
			"chunked\r\n\r\n")
		<-step
		_, _ = io.WriteString(c, chunked(chunk("a"))+chunked(chunk("b")+chunk("c")))
		<-step
		half := chunk("d")
		_, _ = io.WriteString(c, chunked(half[:20]))
		<-step
		_, _ = io.WriteString(c, chunked(half[20:])+chunked(endMarker)+"0\r\n\r\n")
	})
	target := newTestTarget(t, Config{Transport: via, URLs: []string{url}, Streaming: true})
	tape := record.NewTape(record.NewClock(), record.Record{}, func() { step <- struct{}{} })
	done := make(chan struct{})
	target.Start(t.Context(), workload.Request{Session: "s", Turns: 1, Prompt: workload.Prompt{Text: "x"}}, tape,
		func() { close(done) })
	step <- struct{}{} // the first write is allowed; the second by the first text
	step <- struct{}{}
	<-done
	r := &tape.Record
	var got []bool
	for _, a := range r.Arrivals {
		got = append(got, a.Coalesced)
	}
	if want := "[false true true false true]"; fmt.Sprint(got) != want || contents(r) != "abcd" {
		t.Errorf("together %v, want %s; content %q", got, want, contents(r))
	}
	if r.Arrivals[0].At != r.Arrivals[2].At || r.Arrivals[3].At <= r.Arrivals[2].At {
		t.Errorf("arrivals %+v", r.Arrivals)
	}
	if r.HTTP.FirstBody != r.Arrivals[0].At {
		t.Errorf("first body %d, first arrival %d", r.HTTP.FirstBody, r.Arrivals[0].At)
	}
	checkOrder(t, r)
}

// The server's clock before each write and the client's arrival times are of
// one machine: what arrives before it was sent is stamped wrong.
func TestNoArrivalPrecedesItsWrite(t *testing.T) { overBoth(t, testNoArrivalPrecedesItsWrite) }

func testNoArrivalPrecedesItsWrite(t *testing.T, via string) {
	clock := record.NewClock()
	const n = 200
	writes := make(chan record.Time, n)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range n {
			writes <- clock.Now()
			_, _ = io.WriteString(w, chunk("a"))
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, endMarker)
	})
	target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}, Streaming: true})
	tape := record.NewTape(clock, record.Record{}, nil)
	done := make(chan struct{})
	target.Start(t.Context(), say("x"), tape, func() { close(done) })
	<-done
	if len(tape.Arrivals) != n+1 || tape.Outcome != record.OK {
		t.Fatalf("%d arrivals, %v %v", len(tape.Arrivals), tape.Outcome, tape.Failure)
	}
	for i := range n {
		// The clocks of a stamp are read one after the other.
		const slack = record.Time(20 * time.Microsecond)
		if wrote, at := <-writes, tape.Arrivals[i].At; at+slack < wrote {
			t.Errorf("arrival %d is %v before its write", i, time.Duration(wrote-at))
		}
	}
}
