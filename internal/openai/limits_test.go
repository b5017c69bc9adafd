package openai

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"headway/internal/bound"
	"headway/record"
	"headway/workload"
)

func TestReplyLimits(t *testing.T) {
	usual, small := Config{ReplyMemory: bound.GiB}, Config{ReplyMemory: 64 * bound.MiB}
	given := Config{ReplyMemory: bound.GiB, MaxReplyEvents: 20000, MaxReplyBytes: 6 << 20}
	for _, tt := range []struct {
		config Config
		asked  int
		want   limits
	}{
		{usual, 0, limits{1 << 20, 256 << 20, 1 << 21}}, {usual, 1, limits{8200, 4<<20 + 8<<10, 1<<16 + 256}},
		{usual, 100, limits{8992, 4<<20 + 800<<10, 1<<16 + 25600}},
		{usual, 1 << 40, limits{1 << 20, 256 << 20, 1 << 21}}, {small, 0, limits{1 << 20, 32 << 20, 1 << 17}},
		{given, 0, limits{20000, 6 << 20, 1 << 21}}, {given, 1, limits{20000, 6 << 20, 1<<16 + 256}},
	} {
		if got := tt.config.limits(tt.asked); got != tt.want {
			t.Errorf("%d tokens asked for: %+v, want %+v", tt.asked, got, tt.want)
		}
	}
}

// What was asked for is what the body says in the end, whoever put it there.
func TestAsked(t *testing.T) {
	for _, tt := range []struct {
		config  Config
		request workload.Request
		want    int
	}{
		{Config{}, workload.Request{OutputTokens: 7}, 7},
		{Config{}, workload.Request{}, 0},
		{Config{Extra: []byte(`{"n":3}`)}, workload.Request{OutputTokens: 7}, 21},
		{Config{Extra: []byte(`{"max_tokens":500,"n":null}`)}, workload.Request{OutputTokens: 7}, 500},
		{Config{Type: TypeCompletions, Extra: []byte(`{"prompt":["a","b"]}`)}, workload.Request{OutputTokens: 7}, 0},
		{Config{}, workload.Request{Prompt: workload.Prompt{Payload: []byte(`{"max_tokens":9,"n":2}`)}}, 18},
	} {
		tt.config.Models = []string{"m"}
		tt.config.Defaults()
		w, err := newWriter(tt.config)
		if err != nil {
			t.Fatal(err)
		}
		if tt.request.Prompt.Payload == nil {
			tt.request.Prompt.Text = "x"
		}
		if b, err := w.body(&tt.request, nil); err != nil || b.asked != tt.want {
			t.Errorf("%s asks for %d, want %d: %v", b.data, b.asked, tt.want, err)
		}
	}
}

func TestValues(t *testing.T) {
	for text, want := range map[string]int{
		`7`: 1, `[1,2,3]`: 4, `{"a":1,"b":[]}`: 6, `"a,b,c:[{"`: 1, `{"a\"":1,"\\":2}`: 5, `"never ends,,,`: 1, ``: 1,
	} {
		if got := values([]byte(text)); got != want {
			t.Errorf("%s has %d values, want %d", text, got, want)
		}
	}
}

// A key that the cut of a long message would halve is taken out before.
func TestRedactionBeforeTheCut(t *testing.T) { overBoth(t, redactionBeforeTheCut) }

func redactionBeforeTheCut(t *testing.T, via string) {
	const key = "hunter22-abcdefghijklmnop"
	for _, lead := range []int{longestExcerpt - 5, longestExcerpt - len(key), longestMessage - 5} {
		for _, secret := range []string{key, "sk-proj-0123456789abcdef"} {
			url := rawServer(t, script("HTTP/1.1 400 Bad\r\nConnection: "+
				"close\r\n\r\n"+strings.Repeat("x", lead)+" "+secret+" and more"))
			target := newTestTarget(t,
				Config{Transport: via, URLs: []string{url}, Headers: http.Header{"X-Pass": {key}}})
			r := ask(t.Context(), target, say("x"))
			if r.Failure == nil || strings.Contains(r.Failure.Message, secret[:4]) {
				t.Errorf("%d characters before the key: %+v", lead, r.Failure)
			}
		}
	}
}

// Replies that together hold more than the budget fail but for as many as have
// room, and give back what they held.
func TestReplyMemory(t *testing.T) { overBoth(t, replyMemory) }

func replyMemory(t *testing.T, via string) {
	const n = 6
	refused := make(chan struct{})
	once := sync.OnceFunc(func() { close(refused) })
	url := rawServer(t, func(c net.Conn, _ *http.Request) {
		// 3 MiB each of one event that does not end until one of them has been
		// refused, which closes its connection.
		go func() {
			_, _ = c.Read(make([]byte, 1))
			once()
		}()
		_, err := io.WriteString(c, headChunked+"300000\r\ndata: "+strings.Repeat("x", 0x300000-6)+"\r\n")
		if err != nil {
			return
		}
		<-refused
		_, _ = io.WriteString(c, chunked("\n\n"+chunk("a")+endMarker)+"0\r\n\r\n")
	})
	target := newTestTarget(t, Config{Transport: via, URLs: []string{url}, Streaming: true, ReplyMemory: 8 << 20})
	classes := make(chan record.Class, n)
	for i := range n {
		go func() {
			req := say("x")
			req.Index, req.OutputTokens = i, 1000
			r := ask(t.Context(), target, req)
			if r.Failure == nil {
				classes <- ""
				return
			}
			classes <- r.Failure.Class
		}()
	}
	count := map[record.Class]int{}
	for range n {
		count[<-classes]++
	}
	if count[record.ClassTooLarge] == 0 || count[""] == 0 || count[""]+count[record.ClassTooLarge] != n {
		t.Errorf("outcomes %v", count)
	}
	if held, peak := target.memory.Held(), target.memory.Peak(); held != 0 || peak > int64(8*bound.MiB)+n*freeBytes {
		t.Errorf("held %d, peak %d", held, peak)
	}
}
