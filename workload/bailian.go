package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
)

// bailianBlock is how many tokens an id of the Bailian traces stands for.
const bailianBlock = 16

// readBailian reads the traces of Alibaba's Bailian (Qwen-Bailian usage traces): JSON
// lines with a time in seconds, two lengths and the ids of blocks of 16 tokens. Prompts are
// whole, so turns of a chat are requests of their own.
func readBailian(in *input) iter.Seq2[conversation, error] {
	return eachJSON(in, func(number int, text []byte) (conversation, error) {
		var line struct {
			Timestamp *json.Number `json:"timestamp"`
			Input     int          `json:"input_length"`
			Output    int          `json:"output_length"`
			HashIDs   []int64      `json:"hash_ids"`
		}
		if err := json.Unmarshal(text, &line); err != nil {
			return conversation{}, err
		}
		if line.Timestamp == nil {
			return conversation{}, errors.New("no timestamp")
		}
		at, err := parseSeconds("timestamp", line.Timestamp.String())
		if err != nil {
			return conversation{}, err
		}
		if err := lengths(line.Input, line.Output, line.HashIDs); err != nil {
			return conversation{}, err
		}
		r := Request{At: at, Timed: true, OutputTokens: line.Output,
			Prompt: Prompt{Tokens: line.Input, Blocks: line.HashIDs, BlockSize: bailianBlock}}
		if len(line.HashIDs) == 0 {
			r.Prompt.BlockSize = 0
		}
		return conversation{turns: []turn{{number, r}}}, nil
	})
}

// lengths refuses those that no request has. The last id may be missing where its block
// is not full: the rest of the prompt is then its own.
func lengths(input, output int, ids []int64) error {
	if n := len(ids); n > 0 && n != input/bailianBlock && n != Blocks(input, bailianBlock) {
		return fmt.Errorf("hash_ids: %d ids do not match input_length %d: with blocks of %d tokens there must be %d", n,
			input, bailianBlock, Blocks(input, bailianBlock))
	}
	switch {
	case input < 1 || input > MaxTokens:
		return fmt.Errorf("input_length %d: must be from 1 to %d tokens", input, MaxTokens)
	case output < 0 || output > MaxTokens:
		return fmt.Errorf("output_length %d: must be from 1 to %d tokens", output, MaxTokens)
	case output == 0:
		return errFailedThen
	}
	for _, id := range ids {
		if id < 0 {
			return fmt.Errorf("hash_ids: %d is negative", id)
		}
	}
	return nil
}
