package workload

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// azureHead is an Azure trace with one request.
const azureHead = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,1,1\n"

// burstHead is a BurstGPT trace with one request.
const burstHead = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,m,1,1,2,l\n"

// readerFaultsCases are the cases of TestReaderFaults.
var readerFaultsCases = []struct {
	format Format
	text   string
	want   string
}{
	{SingleTurn, `{"text":"a"}` + "\n" + `{"text":"b"`, "file:2: the last line is cut off (half-written file?)"},
	{SingleTurn, `{"text":"a"` + "\n" + `{"text":"b"}`, "file:1: unexpected end"},
	{SingleTurn, "{\"text\":\"a\"}\r\n\r\nnot json\r\n", "file:3: invalid character"},
	{SingleTurn, `{"text":""}`, "file:1: no text"},
	{SingleTurn, `{"text":5}`, "file:1: text must be a string"},
	{SingleTurn, `{"text":"a","texts":["b"]}`, "both text and texts"},
	{SingleTurn, `{"text":"a","image":"x.png"}`, "file:1: image: prompts other than text: not built"},
	{SingleTurn, `{"text":"a","videos":["x"]}`, "videos: prompts other than text"},
	{SingleTurn, `{"text":"a","timestamp":1,"delay":1}`, "both timestamp and delay"},
	{SingleTurn, `{"text":"a","timestamp":-1}`, `timestamp "-1": must not be negative`},
	{SingleTurn, `{"text":"a","timestamp":NaN}`, "invalid character 'N'"},
	{SingleTurn, `{"text":"a","timestamp":1e300}`, "out of range"},
	{SingleTurn, `{"text":"a","timestamp":99999999999999999999}`, "out of range"},
	{SingleTurn, `{"text":"a","delay":true}`, "file:1: json: cannot unmarshal"},
	{SingleTurn, `{"text":"a","output_length":0}`, "output_length 0: must be from 1"},
	{SingleTurn, `{"text":"a","output_length":1.5}`, "whole number"},
	{SingleTurn, `{"text":"a","output_length":1e99}`, "must be from 1 to"},
	{SingleTurn, `{"text":"a","extra":[1]}`, "extra: must be a JSON object"},
	{SingleTurn, `{"text":"a","nvext":1}`, "nvext: must be a JSON object"},
	{SingleTurn, `{"text":"a","nvext":{},"extra":{"nvext":{}}}`, "both nvext and extra.nvext"},
	{SingleTurn, `{"text":"a","image_uuids":["x"]}`, "image_uuids: prompts other than text"},
	{Mooncake, `{"payload":{"prompt":"x"},"nvext":{}}`, "extra and nvext: a payload is sent as it is"},
	{SingleTurn, `{"text":"a","type":"multi_turn"}`, `type "multi_turn": this file is read as single_turn`},
	{SingleTurn, `{"text":"a","timestamp":5}` + "\n" + `{"text":"b","timestamp":4.5}`,
		"file:2: time goes backwards: 4.5 ms after 5 ms"},
	{MultiTurn, `{"turns":[{"text":"a","timestamp":5},{"text":"b","timestamp":4}]}`,
		"time goes backwards: 4 ms after 5 ms"},
	{MultiTurn, `{"turns":[]}`, "file:1: the conversation has no turns"},
	{MultiTurn, `{"turns":[{"text":"a"},{"text":""}]}`, "file:1: turn 2: no text"},
	{ShareGPT, "[\n{\"conversations\":[]},\n{\"id\":1}]", "file:3: the entry has no field conversations"},
	{ShareGPT,
		"[\n\n{\"conversations\":[{\"from\":\"human\",\"value\":\"a\"}," +
			"{\"from\":\"gpt\",\"value\":\"b\"}]},\n{\"conver",
		"file:4: the file is cut off"},
	{ShareGPT, `[{"conversations":[{"from":"human"}]}]`, "message 1 has no value"},
	{ShareGPT, `[{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}] x`,
		"more after the end"},
	{ShareGPT, `[{"conversations":[]}]`, "all 1 entries were skipped, the first for this: reading file:1: " +
		"nobody asks"},
	{ShareGPT, `[]`, "no requests in file: the file is empty"},
	{Azure, "a,b\n1,2\n", "file:1: the header \"a,b\" has no column TIMESTAMP"},
	{Azure, azureHead + "2023-11-16 19:1", "file:3: 1 fields, fewer than the header has (the last line, " +
		"without a line end"},
	{Azure, azureHead + "yesterday,1,1\n", `file:3: TIMESTAMP "yesterday": must be like`},
	{Azure, azureHead + "2023-11-16 18:17:03,-1,x\n", "ContextTokens -1: must be from 1"},
	{Azure, azureHead + "2023-11-16 18:17:03,-1,x\n", `GeneratedTokens "x": must be a whole number`},
	{Azure, azureHead + "2023-11-16 18:17:02,1,1\n", "file:3: time goes backwards: -1000 ms after 0 ms"},
	{Azure, "TIMESTAMP,ContextTokens,GeneratedTokens\n", "no requests in file"},
	{Mooncake, `{"timestamp":0}`, "needs exactly one of input_length, text_input, messages and payload; it has 0"},
	{Mooncake, `{"input_length":1,"text_input":"a"}`, "it has 2: input_length, text_input"},
	{Mooncake, `{"input_length":513,"hash_ids":[1]}`, "file:1: hash_ids: 1 ids do not match input_length 513: " +
		"with blocks of 512 tokens there must be 2; is the block size right?"},
	{Mooncake, `{"input_length":512,"hash_ids":[1,2]}`, "file:1: hash_ids: 2 ids do not match input_length 512"},
	{Mooncake, `{"input_length":5,"hash_ids":[-1]}`, "file:1: hash_ids: -1 is negative"},
	{Mooncake, `{"input_length":5,"hash_ids":[1.5]}`, `file:1: hash_ids: entry 1, "1.5": must be a whole number`},
	{Mooncake, `{"input_length":5,"hash_ids":1}`, "file:1: hash_ids: must be a list"},
	{Mooncake, `{"text_input":"a","hash_ids":[1]}`, "file:1: hash_ids: only with input_length"},
	{Mooncake, `{"input_length":-5,"hash_ids":[1]}`, "file:1: input_length -5: must be from 1"},
	{Mooncake, `{"input_length":5,"timestamp":-1,"hash_ids":[1]}`, `file:1: timestamp "-1": must not be negative`},
	{Mooncake, `{"timestamp":5,"input_length":5}` + "\n" + `{"timestamp":4.5,"input_length":5,"hash_ids":[1]}`,
		"file:2: time goes backwards: 4.5 ms after 5 ms"},
	{Mooncake, `{"timestamp":5,"input_length":5,"session_id":"a"}` + "\n" + `{"timestamp":5,"input_length":5,` +
		`"session_id":"a"}`, "file:2: the turn overlaps the one before it in its session: it is at 5 ms, that " +
		"one at 5 ms or later"},
	{Mooncake, `{"timestamp":5,"input_length":5,"session_id":"a"}` + "\n" + `{"delay":20,"input_length":5,` +
		`"session_id":"a"}` + "\n" + `{"timestamp":24,"input_length":5,"session_id":"a"}`,
		"file:3: the turn overlaps the one before it in its session: it is at 24 ms, that one at 25 ms or later"},
	{Mooncake, `{"messages":[{"role":"user"}],"message_mode":"both"}`,
		`file:1: message_mode "both": must be history or delta`},
	{MultiTurn, `{"turns":[{"text":"a","timestamp":5},{"text":"b","timestamp":5}]}`, "file:1: the turn overlaps"},
	{BurstGPT, "a,b\n1,2\n", "file:1: the header \"a,b\" has no column Timestamp"},
	{BurstGPT, burstHead + "x,m,1,1,2,l\n", `file:3: Timestamp "x": must be a number of seconds`},
	{BurstGPT, burstHead + "NaN,m,1,1,2,l\n", `Timestamp "NaN": must be a number of seconds`},
	{BurstGPT, burstHead + "-1,m,1,1,2,l\n", `Timestamp "-1": must not be negative`},
	{BurstGPT, burstHead + "1e300,m,1,1,2,l\n", `Timestamp "1e300": out of range`},
	{BurstGPT, burstHead + "4,m,1,1,2,l\n", "file:3: time goes backwards: 4000 ms after 5000 ms"},
	{BurstGPT, burstHead + "6,m,0,1,2,l\n", "file:3: Request tokens 0: must be from 1"},
	{BurstGPT, burstHead + "6,m,1,1", "file:3: 4 fields, fewer than the header has (the last line"},
	{Mooncake, `{"messages":[{"content":"a"}]}`, "message 1: must be an object with a role"},
	{Mooncake, `{"messages":[]}`, "messages is empty"},
	{Mooncake, `{"text_input":""}`, "text_input is empty"},
	{Mooncake, `{"text_input":"a","tools":[]}` + "\n" + `{"text_input":"a","tools":[1]}`,
		"file:2: tools: only with messages"},
	{Mooncake, `{"payload":[]}`, "needs exactly one"},
	{Mooncake, `{"payload":{},"extra":{"a":1}}`, "extra and nvext: a payload is sent as it is"},
	{Mooncake, `{"input_length":1,"session_id":{}}`, "session_id {}: must be a string"},
	{Inputs, `{"data":[{"payloads":[]}]}`, "file:1: the session has no payloads"},
	{Inputs, `{"data":[{"payloads":[3]}]}`, "payload 1: must be a JSON object"},
	{Inputs, `{"data":5}`, "data must be a list"},
	{Inputs, `{"a":1}`, "no field data"},
	{Inputs, `[]`, "not a JSON object"},
	{Inputs, "{\"data\":[\n{\"payloads\":[{}]}\n", "the file is cut off"},
	{Unknown, ``, "the format must be one of single_turn"},
}

func TestReaderFaults(t *testing.T) {
	for _, c := range readerFaultsCases {
		_, err := Read(strings.NewReader(c.text), "file", ReadOptions{Format: c.format})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v %q:\n got %v\nwant %s", c.format, c.text, err, c.want)
		}
	}
}

func TestEmptyFiles(t *testing.T) {
	for format := SingleTurn; format <= BurstGPT; format++ {
		for _, text := range []string{"", "\ufeff", "\n\r\n \n"} {
			_, err := Read(strings.NewReader(text), "file", ReadOptions{Format: format})
			if err == nil || !strings.Contains(err.Error(), "no requests in file") {
				t.Errorf("%v %q: %v", format, text, err)
			}
		}
	}
}

func TestDetectFaults(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "the file is empty"},
		{" \n", "the file is empty"},
		{"[]", "an empty array"},
		{"[1]", "not a JSON object"},
		{`{"foo":1,"bar":2}`, `["foo" "bar"] is of no type that is known; give the type, one of single_turn`},
		{`{"foo":`, "cut off or broken"},
		{"Timestamp,Model\n", `it begins with "Timestamp,Model\n"`},
		{"PAR1\x00", "neither JSON nor the header"},
	} {
		if _, err := detect(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
	// A line without an end is not read to tell that it is no header.
	endless := strings.NewReader(strings.Repeat("\x00", 1<<20))
	if _, err := detect(endless); err == nil || endless.Len() < 1<<19 {
		t.Errorf("%d bytes were left: %v", endless.Len(), err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "absent.jsonl"), ReadOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
	for f := Unknown; f <= BurstGPT; f++ {
		if got, err := ParseFormat(f.String()); got != f || err != nil {
			t.Errorf("%v: %v, %v", f, got, err)
		}
	}
}
