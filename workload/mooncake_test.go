package workload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHashIDs(t *testing.T) {
	text := `{"timestamp": 0, "input_length": 1000, "output_length": 5, "hash_ids": [0, 1]}
{"timestamp": 7.5, "session_id": "a", "input_length": 1024, "hash_ids": [0, 2]}
{"session_id": "a", "delay": 20, "input_length": 1500, "hash_ids": [0, 2, 3]}
{"session_id": "a", "delay": 30, "input_length": 3, "hash_ids": [9], "message_mode": "delta", "extra": {"seed": 1}}
`
	want := []Request{
		{Session: "session_1", Turns: 1, Timed: true, OutputTokens: 5,
			Prompt: Prompt{Tokens: 1000, Blocks: []int64{0, 1}, BlockSize: 512}},
		{Index: 1, Session: "a", Turns: 3, Timed: true, At: 7500 * time.Microsecond,
			Prompt: Prompt{Tokens: 1024, Blocks: []int64{0, 2}, BlockSize: 512}},
		{Index: 2, Session: "a", Turn: 1, Turns: 3, Delay: 20 * ms,
			Prompt: Prompt{Tokens: 1500, Blocks: []int64{0, 2, 3}, BlockSize: 512, Whole: true}},
		{Index: 3, Session: "a", Turn: 2, Turns: 3, Delay: 30 * ms,
			Prompt: Prompt{Tokens: 3, Blocks: []int64{9}, BlockSize: 512}, Extra: json.RawMessage(`{"seed": 1}`)},
	}
	d := read(t, text, ReadOptions{Format: Mooncake})
	if !reflect.DeepEqual(d.Requests, want) {
		t.Errorf("got  %+v\nwant %+v", d.Requests, want)
	}
	if d.BlockSize != 512 || d.RecordedTurns != 1 || d.LiveTurns != 1 {
		t.Errorf("block size %d, %d recorded and %d live turns", d.BlockSize, d.RecordedTurns, d.LiveTurns)
	}
	if got := written(t, d.Source(0)); got != text {
		t.Errorf("written:\n%s", got)
	}
	if d := read(t, text, ReadOptions{Format: Mooncake, BlockSize: 500, Lenient: true}); len(d.Requests) != 3 ||
		d.Skipped != 1 || d.BlockSize != 500 {
		t.Errorf("with blocks of 500: %d requests, %d skipped", len(d.Requests), d.Skipped)
	}
	for _, size := range []int{-1, MaxTokens + 1} {
		if _, err := Read(strings.NewReader(text), "f", ReadOptions{Format: Mooncake, BlockSize: size}); err == nil ||
			!strings.Contains(err.Error(), "block size") {
			t.Errorf("block size %d: %v", size, err)
		}
	}
}

func TestPartialIDs(t *testing.T) {
	text := `{"timestamp":0,"input_length":1000,"hash_ids":[4]}`
	if _, err := Read(strings.NewReader(text), "f", ReadOptions{Format: Mooncake}); err == nil ||
		!strings.Contains(err.Error(), "f:1:") {
		t.Errorf("ids of a part are taken: %v", err)
	}
	d := read(t, text, ReadOptions{Format: Mooncake, PartialIDs: true})
	if !slices.Equal(d.Requests[0].Prompt.Blocks, []int64{4}) {
		t.Errorf("%+v", d.Requests[0])
	}
	if _, err := Read(strings.NewReader(`{"input_length":512,"hash_ids":[4,5]}`), "f",
		ReadOptions{Format: Mooncake, PartialIDs: true}); err == nil {
		t.Error("more ids than blocks are taken")
	}
}

// TestWorlds checks which text is the same: a block's in one round, a tail's never.
func TestWorlds(t *testing.T) {
	text := strings.Repeat(`{"input_length":600,"hash_ids":[1]}`+"\n", 3)
	d := read(t, text, ReadOptions{Format: Mooncake, PartialIDs: true})
	all := collect(t, Limit(d.Sample(Sequential, Seed(1)), 6))
	for i, r := range all {
		same := r.Prompt.BlockKey == all[0].Prompt.BlockKey
		if same != (i < 3) {
			t.Errorf("request %d: the block of round 1 is also its own: %v", i, same)
		}
		if i > 0 && r.Prompt.Key == all[i-1].Prompt.Key {
			t.Errorf("request %d has the tail of the one before", i)
		}
	}
	if a, b := collect(t, d.Source(Seed(1))), collect(t, d.Source(Seed(1))); !reflect.DeepEqual(a, b) {
		t.Error("the same key gives other requests")
	}
	if a, b := collect(t, d.Source(Seed(1))),
		collect(t, d.Source(Seed(2))); a[0].Prompt.BlockKey == b[0].Prompt.BlockKey {
		t.Error("two keys give the same blocks")
	}
}

func TestMessageModes(t *testing.T) {
	text := `{"session_id":"s","messages":[{"role":"user","content":"a"}]}
{"session_id":"s","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]}
{"session_id":"s","messages":[{"role":"user","content":"d"}],"message_mode":"delta"}
{"session_id":"s","messages":[{"role":"user","content":"d"}],"message_mode":"history"}`
	d := read(t, text, ReadOptions{Format: Mooncake})
	var whole []bool
	for _, r := range d.Requests {
		whole = append(whole, r.Prompt.Whole)
	}
	if !slices.Equal(whole, []bool{false, true, false, true}) || d.RecordedTurns != 2 || d.LiveTurns != 1 {
		t.Errorf("whole %v, %d recorded, %d live", whole, d.RecordedTurns, d.LiveTurns)
	}
}

func TestOverlapLenient(t *testing.T) {
	d := read(t, `{"timestamp":0,"input_length":5,"session_id":"a"}
{"timestamp":1,"input_length":5,"session_id":"b"}
{"timestamp":1,"input_length":6,"session_id":"b"}
{"timestamp":2,"input_length":7,"session_id":"b"}`, ReadOptions{Format: Mooncake, Lenient: true})
	if len(d.Requests) != 3 || d.Skipped != 1 || d.Requests[2].Prompt.Tokens != 7 {
		t.Errorf("%d requests, %d skipped: %v", len(d.Requests), d.Skipped, d.FirstSkip)
	}
}

func written(t testing.TB, src Source) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := WriteMooncake(&b, src); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWriteMooncake writes every kind of prompt, interleaved sessions among them,
// and reads it back.
func TestWriteMooncake(t *testing.T) {
	text := `{"timestamp":0,"input_length":6758,"output_length":500}
{"timestamp":10,"text_input":"h<i\n\"","session_id":"a"}
{"timestamp":27.25,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function"}],"extra":{"seed":1}}
{"delay":40.000001,"input_length":12,"session_id":"a"}
{"timestamp":30,"payload":{"model":"m"}}
{"timestamp":31,"messages":[{"role":"user","content":"y"}],"session_id":"m"}
{"timestamp":32.125,"messages":[{"role":"user","content":"y"},{"role":"assistant","content":"y"}],"session_id":"m"}
{"timestamp":33,"input_length":3,"hash_ids":[7],"session_id":"session_9"}
{"delay":5,"messages":[{"role":"user","content":"z"}],"message_mode":"delta","session_id":"m"}
{"timestamp":60,"input_length":3,"hash_ids":[7],"session_id":"a"}
`
	d := read(t, text, ReadOptions{Format: Mooncake})
	out := written(t, d.Source(0))
	again := read(t, out, ReadOptions{Format: Mooncake})
	if !reflect.DeepEqual(again.Requests, d.Requests) {
		t.Errorf("read back:\n%+v\nwant\n%+v\nfile:\n%s", again.Requests, d.Requests, out)
	}
	if twice := written(t, again.Source(0)); twice != out {
		t.Errorf("written twice:\n%s\n%s", out, twice)
	}
	if !strings.Contains(out, `{"timestamp": 0, "input_length": 6758, "output_length": 500}`) {
		t.Errorf("a plain row is not written as in the public traces:\n%s", out)
	}
}

func TestWriteMooncakeFaults(t *testing.T) {
	for _, c := range []struct {
		request Request
		want    string
	}{
		{Request{Cancel: true, Prompt: Prompt{Tokens: 1}}, "cancelled"},
		{Request{Prompt: Prompt{Tokens: 1, Prefix: Prefix{Tokens: 1}}}, "prefix"},
		{Request{Prompt: Prompt{Tokens: 1, SystemTokens: 1}}, "system message that is only a length"},
		{Request{Prompt: Prompt{Tokens: 1, System: "s"}}, "its system message"},
		{Request{Prompt: Prompt{Text: "a", Reference: "b"}}, "tokenizer"},
		{Request{Index: 3, Session: "s"}, "request 3 (session s, turn 0): it has no prompt"},
	} {
		src := func(yield func(Request, error) bool) { yield(c.request, nil) }
		if _, err := WriteMooncake(&bytes.Buffer{}, src); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.request, err)
		}
	}
	failing := errors.New("source")
	if _, err := WriteMooncake(&bytes.Buffer{},
		func(yield func(Request, error) bool) { yield(Request{}, failing) }); !errors.Is(err, failing) {
		t.Errorf("a failing source: %v", err)
	}
}

// FuzzWriteMooncake: what can be read can be written, and reads the same.
func FuzzWriteMooncake(f *testing.F) {
	f.Add([]byte(samples()[Mooncake].text))
	f.Add([]byte(`{"timestamp":1.000001,"input_length":513,"hash_ids":[1,2],` +
		`"session_id":"session_2"}` + "\n" + `{"timestamp":1e3,"text_input":"\u0000"}`))
	f.Add([]byte(`{"timestamp":5,"input_length":5,"session_id":1}` + "\n" + `{"input_length":5}` + "\n" +
		`{"delay":2,"input_length":5,"session_id":1,"hash_ids":[3]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.ContainsRune(data, '\r') {
			return // inside an object it is space, which is not kept
		}
		d, err := Read(bytes.NewReader(data), "f", ReadOptions{Format: Mooncake})
		if err != nil {
			return
		}
		out := written(t, d.Source(0))
		again, err := Read(strings.NewReader(out), "f", ReadOptions{Format: Mooncake})
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if !reflect.DeepEqual(again.Requests, d.Requests) {
			t.Fatalf("got  %+v\nwant %+v\nfile %s", again.Requests, d.Requests, out)
		}
	})
}

func TestConversion(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := dir + "/" + name
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	burst := file("burst.csv", "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"+
		"5,ChatGPT,300,18,318,Conversation log\n5,ChatGPT,9,0,9,API log\n6,GPT-4,100,2,102,API "+
		"log\n8,GPT-4,1,2000,2001,Conversation log\n")
	all := func(text string) int { return len(strings.Fields(text)) }
	for name, c := range map[string]struct {
		path string
		with Conversion
		want string
		err  string
	}{
		"burst": {burst, Conversion{Window: Window{Speedup: 2, KeepOffset: true}},
			`{"timestamp": 2500, "input_length": 300, "output_length": 18}
{"timestamp": 3000, "input_length": 100, "output_length": 2}
{"timestamp": 4000, "input_length": 1, "output_length": 2000}
`, ""},
		"one model": {burst, Conversion{Read: ReadOptions{Model: "GPT-4", LogType: "API log"}},
			`{"timestamp": 6000, "input_length": 100, "output_length": 2}` + "\n", ""},
		"no model": {burst, Conversion{Read: ReadOptions{Model: "GPT-5"}}, "",
			`4 rows are of another model or log type than model "GPT-5"`},
		"ids": {burst, Conversion{Read: ReadOptions{Model: "ChatGPT", BlockSize: 128}, HashIDs: 10_000, Key: Seed(1)},
			`{"timestamp": 5000, "input_length": 300, "output_length": 18, "hash_ids": [6035, 6557, 5857]}` + "\n", ""},
		"bounds": {burst, Conversion{Bounds: Bounds{MinISL: 50, MaxISL: 200, MinOSL: 30}, Limit: 1},
			`{"timestamp": 6000, "session_id": "session_2", "input_length": 100, "output_length": 30}` + "\n", ""},
		"bad": {burst, Conversion{Bounds: Bounds{MinISL: 5, MaxISL: 2}, HashIDs: -1}, "",
			"least input tokens 5: must not be above the most, 2"},
		"sharegpt": {file("s.json", samples()[ShareGPT].text), Conversion{Count: all},
			`{"messages": [{"role": "system", "content": "sys"}, {"role": "user", "content": "hi"}], "output_length": 2, "session_id": "x"}
{"text_input": "q", "output_length": 1, "session_id": "7"}
`, ""},
		"sharegpt uncounted": {file("s2.json", samples()[ShareGPT].text), Conversion{}, "", "needs a tokenizer"},
		"inputs": {file("i.json", "{\"data\":[{\"payloads\":[{\"a\":\n1}]}]}"), Conversion{},
			`{"payload": {"a":1}}` + "\n", ""},
		"absent": {dir + "/absent", Conversion{}, "", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			_, n, err := c.with.File(c.path, &b)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || n != strings.Count(c.want, "\n") {
				t.Fatalf("%d requests, %v", n, err)
			}
			// The order of fields is fixed by other tests.
			got, want := read(t, b.String(), ReadOptions{Format: Mooncake, BlockSize: c.with.Read.BlockSize}),
				read(t, c.want, ReadOptions{Format: Mooncake, BlockSize: c.with.Read.BlockSize})
			if !reflect.DeepEqual(got.Requests, want.Requests) {
				t.Errorf("got\n%swant\n%s", b.String(), c.want)
			}
		})
	}
}

func TestScheduleOfBlocks(t *testing.T) {
	d := read(t, `{"timestamp":0,"input_length":5,"hash_ids":[3],`+
		`"session_id":"a"}`+"\n"+`{"input_length":6,"hash_ids":[3],"session_id":"a"}`, ReadOptions{Format: Mooncake})
	var b strings.Builder
	if _, err := WriteSchedule(&b, d.Source(1)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	world := collect(t, d.Source(1))[0].Prompt.BlockKey
	if want := fmt.Sprintf(`"block_size":512,"block_key":"%016x","hash_ids":[3]`,
		uint64(world)); !strings.Contains(lines[0], want+"}") || !strings.Contains(lines[1], want+`,"whole":true}`) {
		t.Errorf("%s\nwant %s", b.String(), want)
	}
}
