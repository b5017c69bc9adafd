package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func read(t *testing.T, text string, o ReadOptions) *Dataset {
	t.Helper()
	d, err := Read(strings.NewReader(text), "file", o)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	checkTurns(t, d.Requests)
	return d
}

const ms = time.Millisecond

// samples has a good file of each format and what is in it.
func samples() map[Format]struct {
	text string
	want []Request
} {
	return map[Format]struct {
		text string
		want []Request
	}{
		SingleTurn: {
			`{"text":"one","timestamp":1.5,"output_length":7,"extra":{"top_k":1}}` + "\n" +
				`{"texts":["two"],"timestamp":3,"session_id":"s","role":"user"}` + "\n" +
				`{"text":["a","b<"],"session_id":"s"}` + "\n" +
				`{"text":{"name":"n","contents":["three"]},"role":"developer","type":"single_turn","images":[],` +
				`"audio":null}`,
			[]Request{
				{Session: "session_1", Turns: 1, At: 1500 * time.Microsecond, Timed: true, OutputTokens: 7,
					Prompt: Prompt{Text: "one"}, Extra: json.RawMessage(`{"top_k":1}`)},
				{Session: "s", Turns: 2, At: 3 * ms, Timed: true, Prompt: Prompt{Text: "two"}},
				{Session: "s", Turn: 1, Turns: 2,
					Prompt: Prompt{Whole: true, Messages: []Message{{Raw: json.RawMessage(`{"role":"user","content":[` +
						`{"type":"text","text":"a"},{"type":"text","text":"b<"}]}`)}}}},
				{Session: "session_3", Turns: 1,
					Prompt: Prompt{Messages: []Message{{Role: "developer", Content: "three"}}}},
			},
		},
		MultiTurn: {
			`{"session_id":"s","turns":[{"role":"system","text":"be brief"},{"text":"one","timestamp":0},` +
				`{"text":"two","delay":250}]}` + "\n" +
				`{"turns":[{"text":"alone"}]}` + "\n",
			[]Request{
				{Session: "s", Turns: 2, Timed: true, Prompt: Prompt{System: "be brief", Text: "one"}},
				{Session: "s", Turn: 1, Turns: 2, Delay: 250 * ms, Prompt: Prompt{System: "be brief", Text: "two"}},
				{Session: "session_2", Turns: 1, Prompt: Prompt{Text: "alone"}},
			},
		},
		ShareGPT: {
			`[
  {"id":"x","conversations":[{"from":"system","value":"sys"},{"from":"human","value":"hi"},{"from":"gpt","value":"hello there"},{"from":"human","value":"more"},{"from":"gpt","value":"no"}]},
  {"id":7,"conversations":[{"from":"gpt","value":"unasked"},{"from":"user","value":"q"},{"from":"assistant","value":"a"}]}
]`,
			[]Request{
				{Session: "x", Turns: 1, Prompt: Prompt{System: "sys", Text: "hi", Reference: "hello there"}},
				{Session: "7", Turns: 1, Prompt: Prompt{Text: "q", Reference: "a"}},
			},
		},
		Azure: {
			"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 " +
				"18:17:04.0319601,3180,8",
			[]Request{
				{Session: "session_1", Turns: 1, Timed: true, OutputTokens: 10, Prompt: Prompt{Tokens: 4808}},
				{Session: "session_2", Turns: 1, Timed: true, At: 52*ms + 100, OutputTokens: 8,
					Prompt: Prompt{Tokens: 3180}},
			},
		},
		Mooncake: {
			`{"timestamp":0,"input_length":6758,"output_length":500,"hash_ids":[]}` + "\n" +
				`{"timestamp":10,"text_input":"hi","session_id":"a"}` + "\n" +
				`{"timestamp":27.25,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function"}],` +
				`"extra":{"seed":1}}` + "\n" +
				`{"delay":40,"input_length":12.0,"session_id":"a"}` + "\n" +
				`{"timestamp":30,"payload":{"model":"m"}}` + "\n",
			[]Request{
				{Session: "session_1", Turns: 1, Timed: true, OutputTokens: 500, Prompt: Prompt{Tokens: 6758}},
				{Session: "a", Turns: 2, Timed: true, At: 10 * ms, Prompt: Prompt{Text: "hi"}},
				{Session: "a", Turn: 1, Turns: 2, Delay: 40 * ms, Prompt: Prompt{Tokens: 12}},
				{Session: "session_3", Turns: 1, Timed: true, At: 27250 * time.Microsecond,
					Extra: json.RawMessage(`{"seed":1,"tools":[{"type":"function"}]}`),
					Prompt: Prompt{Messages: []Message{{Role: "user",
						Raw: json.RawMessage(`{"role":"user","content":"x"}`)}}}},
				{Session: "session_4", Turns: 1, Timed: true, At: 30 * ms,
					Prompt: Prompt{Payload: json.RawMessage(`{"model":"m"}`)}},
			},
		},
		BurstGPT: {
			"Timestamp,Model,Request tokens,Response tokens,Total tokens,Log " +
				"Type\n5,ChatGPT,472,18,490,Conversation log\n45.25,GPT-4,1087,230,1317,API log",
			[]Request{
				{Session: "session_1", Turns: 1, Timed: true, At: 5 * time.Second, OutputTokens: 18,
					Prompt: Prompt{Tokens: 472}},
				{Session: "session_2", Turns: 1, Timed: true, At: 45250 * ms, OutputTokens: 230,
					Prompt: Prompt{Tokens: 1087}},
			},
		},
		Inputs: {
			`{"version":"1","data":[{"session_id":"s","payloads":[{"a":1},{"b":2}]},
{"payloads":[{"c":3}]}]}`,
			[]Request{
				{Session: "s", Turns: 2, Prompt: Prompt{Payload: json.RawMessage(`{"a":1}`)}},
				{Session: "s", Turn: 1, Turns: 2, Prompt: Prompt{Payload: json.RawMessage(`{"b":2}`)}},
				{Session: "session_2", Turns: 1, Prompt: Prompt{Payload: json.RawMessage(`{"c":3}`)}},
			},
		},
	}
}

// TestReaders reads each sample in every spelling that must not matter.
func TestReaders(t *testing.T) {
	for format, sample := range samples() {
		for i := range sample.want {
			sample.want[i].Index = i
		}
		spellings := map[string]string{
			"as it is":       sample.text,
			"CRLF":           strings.ReplaceAll(sample.text, "\n", "\r\n"),
			"byte order":     "\ufeff" + sample.text,
			"no last end":    strings.TrimRight(sample.text, "\n"),
			"a last end":     strings.TrimRight(sample.text, "\n") + "\n",
			"blank lines":    strings.ReplaceAll(sample.text, "\n", "\n\n \n"),
			"blank at start": "\n\n" + sample.text,
		}
		for name, text := range spellings {
			t.Run(fmt.Sprint(format, " ", name), func(t *testing.T) {
				d := read(t, text, ReadOptions{Format: format})
				if !reflect.DeepEqual(d.Requests, sample.want) {
					t.Errorf("got  %+v\nwant %+v", d.Requests, sample.want)
				}
				if d.Timed != sample.want[0].Timed || d.Skipped != 0 {
					t.Errorf("timed %v, skipped %d", d.Timed, d.Skipped)
				}
				path := filepath.Join(t.TempDir(), "x")
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				fromFile, err := ReadFile(path, ReadOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if fromFile.Format != format || len(fromFile.Requests) != len(sample.want) {
					t.Errorf("detected %v with %d requests", fromFile.Format, len(fromFile.Requests))
				}
			})
		}
		t.Run(fmt.Sprint(format, " byte by byte"), func(t *testing.T) {
			d, err := Read(iotest.OneByteReader(strings.NewReader(sample.text)), "file", ReadOptions{Format: format})
			if err != nil || !reflect.DeepEqual(d.Requests, sample.want) {
				t.Errorf("%v, %v", d, err)
			}
		})
		t.Run(fmt.Sprint(format, " disk error"), func(t *testing.T) {
			broken := io.MultiReader(strings.NewReader(sample.text[:len(sample.text)/3]),
				iotest.ErrReader(errors.New("disk on fire")))
			if _, err := Read(broken, "file", ReadOptions{Format: format}); err == nil ||
				!strings.Contains(err.Error(), "disk on fire") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestLenient(t *testing.T) {
	text := `{"text_input":"a","timestamp":0}
nonsense
{"text_input":"b","timestamp":9}
{"text_input":"c","timestamp":5}
{"text_input":"d","timestamp":10}
{"text_in`
	d := read(t, text, ReadOptions{Format: Mooncake, Lenient: true})
	if len(d.Requests) != 3 || d.Skipped != 3 || d.Requests[2].Prompt.Text != "d" {
		t.Errorf("%d requests, %d skipped", len(d.Requests), d.Skipped)
	}
	var line *LineError
	if !errors.As(d.FirstSkip, &line) || line.Line != 2 || line.Name != "file" {
		t.Errorf("the first skip is %v", d.FirstSkip)
	}
	_, err := Read(strings.NewReader("x\ny\n"), "file", ReadOptions{Format: Mooncake, Lenient: true})
	if err == nil || !strings.Contains(err.Error(), "all 2 entries were skipped") {
		t.Errorf("nothing readable: %v", err)
	}
	half := `[{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]},{"conv`
	if d := read(t, half, ReadOptions{Format: ShareGPT, Lenient: true}); len(d.Requests) != 1 || d.Skipped != 1 {
		t.Errorf("half a ShareGPT file: %d requests, %d skipped", len(d.Requests), d.Skipped)
	}
}

func TestShareGPTAllTurns(t *testing.T) {
	d := read(t, samples()[ShareGPT].text, ReadOptions{Format: ShareGPT, AllTurns: true})
	if len(d.Requests) != 3 || d.Requests[1].Prompt.Text != "more" || d.Requests[1].Prompt.System != "sys" ||
		d.Requests[1].Turn != 1 {
		t.Errorf("%+v", d.Requests)
	}
}

// The first two requests are the session's, wherever its second row stands.
func TestReadLimitOfSessions(t *testing.T) {
	text := `{"text":"a","session_id":"s"}` + "\n" + `{"text":"b"}` + "\n" + `{"text":"c","session_id":"s"}`
	d := read(t, text, ReadOptions{Format: SingleTurn, Limit: 2, WholeSessions: true})
	if len(d.Requests) != 3 || d.Requests[1].Prompt.Text != "c" || d.RecordedTurns != 1 || d.Sessions != 2 {
		t.Errorf("%+v", d.Requests)
	}
}

func TestReadLimit(t *testing.T) {
	text := strings.Repeat(`{"text":"a"}`+"\n", 10) + "broken"
	if d := read(t, text, ReadOptions{Format: SingleTurn, Limit: 4}); len(d.Requests) != 4 {
		t.Errorf("%d requests", len(d.Requests))
	}
}

// FuzzRead feeds any bytes to every reader: no panic, and whatever is read is a
// well-formed plan.
func FuzzRead(f *testing.F) {
	for _, s := range samples() {
		f.Add([]byte(s.text))
	}
	for _, s := range []string{"[{", `{"data":[`, "TIMESTAMP,ContextTokens,GeneratedTokens\n,,", "null",
		`{"turns":[null]}`, `[null]`, "\ufeff{}",
		`{"text":[[["a"]]]}`, `{"messages":[null]}`, `{"text":"a","timestamp":1e18}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = detect(strings.NewReader(string(data)))
		for format := SingleTurn; format <= BurstGPT; format++ {
			strict, err := Read(strings.NewReader(string(data)), "f", ReadOptions{Format: format})
			lenient, lerr := Read(strings.NewReader(string(data)), "f",
				ReadOptions{Format: format, Lenient: true, AllTurns: true})
			if err == nil && lerr != nil {
				t.Fatalf("%v: lenient fails where strict does not: %v", format, lerr)
			}
			for _, d := range []*Dataset{strict, lenient} {
				if d == nil {
					continue
				}
				checkTurns(t, d.Requests)
				for _, r := range d.Requests {
					if r.At < 0 || r.Delay < 0 || r.OutputTokens < 0 || r.Prompt.kind() == "made" &&
						r.Prompt.Tokens == 0 {
						t.Fatalf("%v: %+v", format, r)
					}
				}
				if src, err := d.Fixed(Window{Speedup: 3}, 1); err == nil {
					collect(t, src)
				}
			}
		}
	})
}
