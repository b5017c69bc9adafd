package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"headway/internal/wire"
	"headway/record"
	"headway/workload"
)

// readReply lets an exchange read body as a reply, without a connection.
func readReply(target *Target, body io.Reader, stream bool) (*exchange, *record.Failure) {
	return readAs(target, body, stream, false)
}

// readAs is readReply where the body may have to say what it is.
func readAs(target *Target, body io.Reader, stream, seen bool) (*exchange, *record.Failure) {
	x := newExchange(target, workload.Request{Session: "s", Turns: 2, Prompt: workload.Prompt{Text: "x"}})
	defer x.via.(*overHTTP).cancel(nil)
	switch {
	case seen:
		x.reply.how, x.reply.otherwise = asSeen, asWhole
		if stream {
			x.reply.otherwise = asStream
		}
	case stream:
		x.asStream()
	default:
		x.reply.how = asWhole
	}
	f := x.end(x.pull(body, make([]byte, bodyBuffer), func() { x.arrived(wire.Stamp{At: time.Now()}, -1) }))
	if x.drain != nil {
		x.drain.Stop()
	}
	return x, f
}

// newExchange makes an exchange that nothing carries yet.
func newExchange(target *Target, r workload.Request) *exchange {
	tape := record.NewTape(record.NewClock(), record.Record{}, nil)
	x := &newOverHTTP(context.Background(), target.open(&r, &session{}, tape)).exchange
	if r.Turn < r.Turns-1 {
		x.turn = &r
	}
	return x
}

// FuzzReply feeds any bytes as the body of a reply: the outcome is classified,
// is the same however the bytes are cut, and what is remembered is JSON.
func FuzzReply(f *testing.F) {
	for _, s := range []string{
		"", roleChunk + chunk("a") + finishChunk + usageChunk + endMarker, endMarker, ": c\n\n",
		"event: error\n: x\n\n",
		"data: {\"error\":{\"code\":\"404\"}}\n\n", "<html>", "{}", `{"choices":[{"message":{"content":"a"}}]}`,
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":3," +
			"\"function\":{\"name\":\"\\ud800\",\"arguments\":{\"a\":[]}}}]}}]}\n\ndata: [DONE]\n\n",
		"\xef\xbb\xbfdata: {\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}\r\r", "data:\n\ndata: [DONE]",
		chunk("a") + "error: {\"code\":500}\n\n", chunk("a") + "{\"error\":\"x\"}\x00", "\x00x",
		"data: {}\x00{\"detail\":\"y\"}\n\n" + endMarker + usageChunk,
		`data: {"choices":[{"text":"a","finish_reason":{"type":"abort","message":"m"}}]}`, "id: 1\n\nretr",
		"\xef\xbb\xbf\r\ndata",
	} {
		f.Add([]byte(s))
	}
	target := newTestTarget(f, Config{})
	f.Fuzz(func(t *testing.T, body []byte) {
		for i := range 4 {
			stream, seen := i%2 == 0, i > 1
			x, whole := readAs(target, bytes.NewReader(body), stream, seen)
			y, bytewise := readAs(target, iotest.OneByteReader(bytes.NewReader(body)), stream, seen)
			if (whole == nil) != (bytewise == nil) || whole != nil && *whole != *bytewise {
				t.Fatalf("at once %+v, by bytes %+v", whole, bytewise)
			}
			if !bytes.Equal(x.tape.Text.Content, y.tape.Text.Content) || len(x.tape.Arrivals) != len(y.tape.Arrivals) ||
				x.reply.finish != y.reply.finish || x.reply.rare().unknown != y.reply.rare().unknown {
				t.Fatalf("at once %q, by bytes %q", x.tape.Text.Content, y.tape.Text.Content)
			}
			if whole == nil && !x.tape.HasText() {
				t.Fatal("a success without content")
			}
			if whole != nil && (whole.Class == "" || whole.Type == "" || whole.Message == "") {
				t.Fatalf("unclassified: %+v", whole)
			}
			x.remember()
			for _, m := range x.s.history {
				if m.Raw != nil && !json.Valid(m.Raw) {
					t.Fatalf("not JSON: %s", m.Raw)
				}
			}
			if cut, f := readAs(target, io.MultiReader(bytes.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF)),
				stream, seen); f == nil && !cut.reply.done {
				t.Fatal("a broken connection was not noticed")
			}
		}
	})
}

func TestPiecesCoverTheText(t *testing.T) {
	target := newTestTarget(t, Config{})
	body := `data: {"choices":[{"delta":{"reasoning":"r1","content":"c1"}}]}` + "\n\n" + chunk("c2") + endMarker
	x, f := readReply(target, bytes.NewReader([]byte(body)), true)
	if f != nil {
		t.Fatal(f)
	}
	var got []string
	each(x.tape.Text, func(p record.Piece, text []byte) { got = append(got, string(text)) })
	if len(got) != 3 || got[0] != "r1" || got[1] != "c1" || got[2] != "c2" {
		t.Errorf("pieces %q", got)
	}
}

func TestFirstUsage(t *testing.T) {
	target := newTestTarget(t, Config{})
	body := `data: {"choices":[{"delta":{"role":"assistant"}}],"usage":{"completion_tokens":1}}` + "\n\n" + chunk("a") +
		`data: {"choices":[{"delta":{"content":"bcd"}}],"usage":{"completion_tokens":4}}` + "\n\n" +
		`data: {"choices":[{"delta":{"content":"e"}}],"usage":{"completion_tokens":5,"prompt_tokens":2}}` + "\n\n" +
		`data: {"choices":[],"usage":{}}` + "\n\n" + endMarker
	x, f := readReply(target, bytes.NewReader([]byte(body)), true)
	if f != nil || x.reply.firstUsage != 4 {
		t.Errorf("failure %v, first usage %d, want 4", f, x.reply.firstUsage)
	}
	if u := x.reply.usage.named(); u["completion_tokens"] != 5 || u["prompt_tokens"] != 2 {
		t.Errorf("usage %v, want that of the last chunk that has one", u)
	}
}

// Once a reader is warm a chunk costs no memory but what the tape was given.
func TestStreamAllocations(t *testing.T) {
	target := newTestTarget(t, Config{})
	buf := make([]byte, 1<<20) // one piece: sync.Pool forgets on purpose under the race detector
	long := bytes.Repeat([]byte("data: "+usualChunk+"\n\n"), 1000)
	allocs := func(chunks int) float64 {
		body := append(bytes.Clone(long[:len(long)/1000*chunks]), endMarker...)
		return testing.AllocsPerRun(20, func() {
			x := newExchange(target, workload.Request{Turns: 1, OutputTokens: 1000})
			x.reserve(1000)
			x.asStream()
			if f := x.end(x.pull(bytes.NewReader(body), buf, func() {})); f != nil {
				t.Fatal(f)
			}
			x.drain.Stop()
			x.via.(*overHTTP).cancel(nil)
		})
	}
	if few, many := allocs(10), allocs(1000); many > few+5 {
		t.Errorf("%v allocations for 10 chunks, %v for 1000", few, many)
	}
}
