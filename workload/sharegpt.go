package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// shareTalk is one recorded conversation.
type shareTalk struct {
	ID            json.RawMessage `json:"id"`
	Conversations []struct {
		From  string  `json:"from"`
		Value *string `json:"value"`
	} `json:"conversations"`
}

// readShareGPT reads a JSON array of recorded conversations, or one a line.
//
// What a person asked becomes a turn; the recorded answer to it becomes its
// Reference, whose length bounds the reply. By default only the first question
// is asked, as aiperf 0.1 does it. A conversation in which nothing is asked and
// answered is passed over.
func readShareGPT(in *input) iter.Seq2[conversation, error] {
	return func(yield func(conversation, error) bool) {
		parse := func(n int, text []byte) (conversation, error) {
			return shareConversation(n, text, in.options.AllTurns)
		}
		s, err := in.stream()
		switch {
		case errors.Is(err, io.EOF):
			return // the collector says that there is nothing
		case err != nil:
			yield(conversation{}, in.broken(1, err))
			return
		case s.first != '[':
			eachJSON(&input{r: s.rest, name: in.name, options: in.options, before: s.line() - 1}, parse)(yield)
			return
		}
		if _, err := s.dec.Token(); err != nil || !s.elements(parse, yield) {
			return
		}
		if _, err := s.dec.Token(); !errors.Is(err, io.EOF) {
			yield(conversation{}, in.at(s.line(), errors.New("there is more after the end of the array")))
		}
	}
}

func shareConversation(number int, raw []byte, allTurns bool) (conversation, error) {
	var in shareTalk
	if err := json.Unmarshal(raw, &in); err != nil {
		return conversation{}, err
	}
	if in.Conversations == nil {
		return conversation{}, errors.New("the entry has no field conversations")
	}
	id, err := sessionName(in.ID)
	if err != nil {
		return conversation{}, err
	}
	talk := conversation{id: id}
	system, question := "", ""
	for i, m := range in.Conversations {
		if m.Value == nil {
			return conversation{}, fmt.Errorf("message %d has no value", i+1)
		}
		switch m.From {
		case "system":
			if len(talk.turns) == 0 {
				system = *m.Value
			}
		case "human", "user":
			question = *m.Value
		case "gpt", "assistant", "chatgpt", "bing", "bard", "model":
			if question == "" || *m.Value == "" {
				question = ""
				continue
			}
			talk.turns = append(talk.turns, turn{number, Request{
				Prompt: Prompt{System: system, Text: question, Reference: *m.Value},
			}})
			question = ""
		default: // tools and the like: what follows does not answer the question alone
			question = ""
		}
		if len(talk.turns) > 0 && !allTurns {
			break
		}
	}
	if len(talk.turns) == 0 {
		return conversation{}, errNothingAsked
	}
	return talk, nil
}
