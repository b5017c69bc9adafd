package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// readInputs reads aiperf's inputs.json: whole request bodies, sent verbatim.
//
//	{"data":[{"session_id":"…","payloads":[{…},…]},…]}
func readInputs(in *input) iter.Seq2[conversation, error] {
	return func(yield func(conversation, error) bool) {
		s, err := in.stream()
		if errors.Is(err, io.EOF) {
			return // the collector says that there is nothing
		}
		if err != nil {
			yield(conversation{}, in.broken(1, err))
			return
		}
		if err := enterData(s.dec); err != nil {
			yield(conversation{}, in.broken(s.line(), err))
			return
		}
		s.elements(inputsSession, yield)
	}
}

// enterData moves the decoder into the array of the field data.
func enterData(dec *json.Decoder) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("the file is not a JSON object")
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		if key == "data" {
			if t, err := dec.Token(); err != nil || t != json.Delim('[') {
				return errors.New("data must be a list")
			}
			return nil
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
	}
	return errors.New("the object has no field data")
}

func inputsSession(number int, raw []byte) (conversation, error) {
	var in struct {
		SessionID json.RawMessage   `json:"session_id"`
		Payloads  []json.RawMessage `json:"payloads"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return conversation{}, err
	}
	id, err := sessionName(in.SessionID)
	if err != nil {
		return conversation{}, err
	}
	talk := conversation{id: id}
	for i, p := range in.Payloads {
		payload, err := objectField("payload", p)
		if err != nil || payload == nil {
			return conversation{}, fmt.Errorf("payload %d: must be a JSON object", i+1)
		}
		if err := CheckHints(payload); err != nil {
			return conversation{}, fmt.Errorf("payload %d: %w", i+1, err)
		}
		talk.turns = append(talk.turns, turn{number, Request{Prompt: Prompt{Payload: payload}}})
	}
	if len(talk.turns) == 0 {
		return conversation{}, errors.New("the session has no payloads")
	}
	return talk, nil
}
