package workload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"time"
)

// readSGLangLog reads the log of an SGLang server (0.5.15) that was started with
// --log-requests, at any level and as text or JSON: of each request that finished when
// that was, how long it took, and its numbers of tokens. Texts in it are passed over.
// Times of the text form are whole seconds, so requests are up to a second off.
func readSGLangLog(in *input) iter.Seq2[conversation, error] {
	return func(yield func(conversation, error) bool) {
		var all []recorded
		for l, err := range in.lines() {
			if err != nil {
				yield(conversation{}, err)
				return
			}
			if r, ok := sglangLine(l.text); ok {
				r.line = l.number
				all = append(all, r.checked())
			}
		}
		inOrderOfTime(in, all, "no request that finished is in this log of SGLang: start the server with "+
			"--log-requests")(yield)
	}
}

// logPrefix is that of lines of SGLang's log: a time, and sometimes a rank.
var logPrefix = regexp.MustCompile(`^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[^\]]*\] `)

// sglangLine reads a line about a request that finished.
func sglangLine(text []byte) (r recorded, ok bool) {
	prefix := logPrefix.FindSubmatch(text)
	if prefix != nil {
		text = text[len(prefix[0]):]
	}
	switch {
	case bytes.HasPrefix(text, []byte("{")):
		return sglangJSON(text)
	case prefix != nil && bytes.HasPrefix(text, []byte("Finish: obj=")):
		return sglangText(string(prefix[1]), text)
	}
	return r, false
}

// sglangMeta is the part of a reply about it, in both forms.
type sglangMeta struct {
	Prompt     int     `json:"prompt_tokens"`
	Completion int     `json:"completion_tokens"`
	Latency    float64 `json:"e2e_latency"`
}

// take is the request, which ended at that time.
func (m sglangMeta) take(end time.Time) recorded {
	r := recorded{at: end.Add(-time.Duration(m.Latency * 1e9)), input: m.Prompt, output: m.Completion}
	if !(m.Latency >= 0 && m.Latency < 1e6) {
		r.err = fmt.Errorf("e2e_latency %v: must be from 0 to 1e6 s", m.Latency)
	}
	return r
}

func sglangJSON(text []byte) (r recorded, ok bool) {
	var line struct {
		Timestamp string `json:"timestamp"`
		Event     string `json:"event"`
		Out       struct {
			Meta sglangMeta `json:"meta_info"`
		} `json:"out"`
	}
	if err := json.Unmarshal(text, &line); err != nil {
		r.err = err
		return r, bytes.Contains(text, []byte(`"request.finished"`))
	}
	if line.Event != "request.finished" {
		return r, false
	}
	end, err := wallClock(line.Timestamp)
	if err != nil {
		return recorded{err: err}, true
	}
	return line.Out.Meta.take(end), true
}

// metaField is a number of meta_info as Python prints it.
var metaField = regexp.MustCompile(`'(prompt_tokens|completion_tokens|e2e_latency)': ([0-9.e+-]+)`)

func sglangText(at string, text []byte) (recorded, bool) {
	// What users wrote may be in the line; meta_info comes last.
	meta := bytes.LastIndex(text, []byte("'meta_info': {"))
	found := map[string]float64{}
	if meta >= 0 {
		for _, f := range metaField.FindAllSubmatch(text[meta:], -1) {
			if v, err := strconv.ParseFloat(string(f[2]), 64); err == nil {
				found[string(f[1])] = v
			}
		}
	}
	end, err := wallClock(at)
	if err != nil || len(found) < 3 {
		return recorded{err: fmt.Errorf("no prompt_tokens, completion_tokens and e2e_latency in it")}, true
	}
	m := sglangMeta{int(found["prompt_tokens"]), int(found["completion_tokens"]), found["e2e_latency"]}
	return m.take(end), true
}
