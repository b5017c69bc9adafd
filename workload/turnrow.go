package workload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// turnRow is a prompt of a single_turn file, and a turn of a multi_turn one.
type turnRow struct {
	Type         string          `json:"type"`
	SessionID    json.RawMessage `json:"session_id"`
	Text         json.RawMessage `json:"text"`
	Texts        json.RawMessage `json:"texts"`
	Role         string          `json:"role"`
	Timestamp    *json.Number    `json:"timestamp"`
	Delay        *json.Number    `json:"delay"`
	OutputLength *json.Number    `json:"output_length"`
	Extra        json.RawMessage `json:"extra"`
	NVExt        json.RawMessage `json:"nvext"`
	Image        json.RawMessage `json:"image"`
	Images       json.RawMessage `json:"images"`
	ImageUUIDs   json.RawMessage `json:"image_uuids"`
	Audio        json.RawMessage `json:"audio"`
	Audios       json.RawMessage `json:"audios"`
	Video        json.RawMessage `json:"video"`
	Videos       json.RawMessage `json:"videos"`
}

var turnFields = fieldsOf(turnRow{})

// readSingleTurn reads JSON lines, each one prompt:
//
//	{"text":"…"|["…"], "role":"user", "timestamp":ms | "delay":ms, "output_length":n, "extra":{…}, "nvext":{…},
//	 "session_id":"…"}
//
// Lines with one session_id are one conversation, wherever they stand: each is sent
// when the one before it was answered. As in aiperf a line is the whole prompt, so
// that nothing of what was said before is put before it; a conversation that grows
// is a line of a multi_turn file.
func readSingleTurn(in *input) iter.Seq2[conversation, error] {
	begun := map[string]bool{}
	return eachJSON(in, func(n int, text []byte) (conversation, error) {
		var row turnRow
		if err := in.decode(text, &row, turnFields); err != nil {
			return conversation{}, err
		}
		if err := checkType(row.Type, SingleTurn); err != nil {
			return conversation{}, err
		}
		id, err := sessionName(row.SessionID)
		if err != nil {
			return conversation{}, err
		}
		r, err := row.request()
		r.Prompt.Whole = begun[id]
		if err == nil && id != "" {
			begun[id] = true
		}
		return conversation{id: id, merge: true, turns: []turn{{n, r}}}, err
	})
}

// talkRow is a line of a multi_turn file.
type talkRow struct {
	Type      string            `json:"type"`
	SessionID json.RawMessage   `json:"session_id"`
	Turns     []json.RawMessage `json:"turns"`
}

var talkFields = fieldsOf(talkRow{})

// readMultiTurn reads JSON lines, each a conversation whose turns are as in
// single_turn files. A first turn in the role of the system is the system
// message of all that follow.
func readMultiTurn(in *input) iter.Seq2[conversation, error] {
	return eachJSON(in, func(n int, text []byte) (conversation, error) {
		var row talkRow
		if err := in.decode(text, &row, talkFields); err != nil {
			return conversation{}, err
		}
		if err := checkType(row.Type, MultiTurn); err != nil {
			return conversation{}, err
		}
		id, err := sessionName(row.SessionID)
		if err != nil {
			return conversation{}, err
		}
		talk := conversation{id: id}
		system := ""
		for i, raw := range row.Turns {
			var t turnRow
			var r Request
			err := in.decode(raw, &t, turnFields)
			if err == nil {
				r, err = t.request()
			}
			if err != nil {
				return conversation{}, fmt.Errorf("turn %d: %w", i+1, err)
			}
			if i == 0 && t.Role == "system" && len(r.Prompt.Messages) == 1 && r.Prompt.Messages[0].Raw == nil {
				system = r.Prompt.Messages[0].Content
				continue
			}
			r.Prompt.System = system
			talk.turns = append(talk.turns, turn{n, r})
		}
		if len(talk.turns) == 0 {
			return conversation{}, errors.New("the conversation has no turns")
		}
		return talk, nil
	})
}

func (t *turnRow) request() (Request, error) {
	for _, m := range []struct {
		name  string
		value json.RawMessage
	}{
		{"image", t.Image}, {"images", t.Images}, {"image_uuids", t.ImageUUIDs}, {"audio", t.Audio},
		{"audios", t.Audios}, {"video", t.Video}, {"videos", t.Videos},
	} {
		if !isEmpty(m.value) {
			return Request{}, fmt.Errorf("%s: prompts other than text: %w", m.name, ErrNotBuilt)
		}
	}
	prompt, err := t.prompt()
	if err != nil {
		return Request{}, err
	}
	r := Request{Prompt: prompt}
	if err := r.setTimes(t.Timestamp, t.Delay); err != nil {
		return Request{}, err
	}
	if r.OutputTokens, err = optionalTokens("output_length", t.OutputLength); err != nil {
		return Request{}, err
	}
	if r.Extra, err = extraFields(t.Extra, t.NVExt); err == nil {
		err = CheckHints(r.Extra)
	}
	return r, err
}

// prompt makes one text a plain prompt, and several the parts of one message.
func (t *turnRow) prompt() (Prompt, error) {
	raw := t.Text
	if !isEmpty(t.Texts) {
		if !isEmpty(raw) {
			return Prompt{}, errors.New("both text and texts: give one of them")
		}
		raw = t.Texts
	}
	texts, err := textList(raw)
	if err != nil {
		return Prompt{}, err
	}
	role := t.Role
	if role == "" {
		role = "user"
	}
	switch {
	case len(texts) == 0 || strings.Join(texts, "") == "":
		return Prompt{}, errors.New("no text: text must be a string, or a list of strings, that is not empty")
	case len(texts) > 1:
		raw, err := partsMessage(role, texts)
		return Prompt{Messages: []Message{{Raw: raw}}}, err
	case role != "user":
		return Prompt{Messages: []Message{{Role: role, Content: texts[0]}}}, nil
	}
	return Prompt{Text: texts[0]}, nil
}

// partsMessage is a chat message of several text parts.
func partsMessage(role string, texts []string) (json.RawMessage, error) {
	type part struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	message := struct {
		Role    string `json:"role"`
		Content []part `json:"content"`
	}{Role: role}
	for _, t := range texts {
		message.Content = append(message.Content, part{"text", t})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(message); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// textList reads a string, a list of strings, or named lists as
// {"name":…,"contents":[…]}.
func textList(raw json.RawMessage) ([]string, error) {
	if isEmpty(raw) {
		return nil, nil
	}
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return []string{s}, err
	case '{':
		var named struct {
			Contents []string `json:"contents"`
		}
		err := json.Unmarshal(raw, &named)
		return named.Contents, err
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
		var all []string
		for _, item := range list {
			if len(item) > 0 && item[0] == '[' {
				return nil, errors.New("text: a list inside a list")
			}
			texts, err := textList(item)
			if err != nil {
				return nil, err
			}
			all = append(all, texts...)
		}
		return all, nil
	}
	return nil, errors.New("text must be a string or a list of strings")
}

// setTimes fills At or Delay of a row that has one of them.
func (r *Request) setTimes(timestamp, delay *json.Number) error {
	if timestamp != nil && delay != nil {
		return errors.New("both timestamp and delay: give one of them")
	}
	var err error
	if r.At, r.Timed, err = optionalMillis("timestamp", timestamp); err != nil {
		return err
	}
	r.Delay, _, err = optionalMillis("delay", delay)
	return err
}

// checkType compares the optional field "type" with the format that is read.
func checkType(got string, want Format) error {
	if got != "" && got != want.String() {
		return fmt.Errorf("type %q: this file is read as %s", got, want)
	}
	return nil
}

// sessionName reads a session_id, a string or a number.
func sessionName(raw json.RawMessage) (string, error) {
	if isEmpty(raw) {
		return "", nil
	}
	switch c := raw[0]; {
	case c == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case c == '-' || c >= '0' && c <= '9':
		return string(raw), nil
	}
	return "", fmt.Errorf("session_id %s: must be a string", raw)
}

// objectField returns a field that must be a JSON object or absent.
func objectField(name string, raw json.RawMessage) (json.RawMessage, error) {
	if isEmpty(raw) {
		return nil, nil
	}
	if raw[0] != '{' {
		return nil, fmt.Errorf("%s: must be a JSON object", name)
	}
	return raw, nil
}

// extraFields are the members that a row adds to its request's body: those of
// extra, and nvext, which Dynamo's scripts write beside them.
func extraFields(extra, nvext json.RawMessage) (json.RawMessage, error) {
	extra, err := objectField("extra", extra)
	if err != nil {
		return nil, err
	}
	nvext, err = objectField("nvext", nvext)
	if err != nil || nvext == nil {
		return extra, err
	}
	all := map[string]json.RawMessage{}
	if extra != nil {
		if err := json.Unmarshal(extra, &all); err != nil {
			return nil, fmt.Errorf("extra: %w", err)
		}
	}
	if _, there := all["nvext"]; there {
		return nil, errors.New("both nvext and extra.nvext: give one of them")
	}
	all["nvext"] = nvext
	return json.Marshal(all)
}

// isEmpty says that a field is absent, null or an empty list.
func isEmpty(raw json.RawMessage) bool {
	s := string(bytes.TrimSpace(raw))
	return s == "" || s == "null" || s == "[]"
}
