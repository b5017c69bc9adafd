package workload

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"time"
)

// recorded is a request as a log or a span tells of it, when it had ended.
type recorded struct {
	line          int
	at            time.Time // when it came
	input, output int       // tokens
	err           error     // what is wrong with it
}

// inOrderOfTime yields requests that stand in a file in the order of their ends. They
// count from the first that came. There is no text in them and nothing about what
// prompts share. missing says what a file without any lacks.
func inOrderOfTime(in *input, all []recorded, missing string) iter.Seq2[conversation, error] {
	return func(yield func(conversation, error) bool) {
		if len(all) == 0 {
			yield(conversation{}, in.broken(1, errors.New(missing)))
			return
		}
		slices.SortStableFunc(all, func(a, b recorded) int {
			return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.line, b.line))
		})
		var zero time.Time
		for _, r := range all {
			if r.err != nil {
				if !yield(conversation{}, in.at(r.line, r.err)) {
					return
				}
				continue
			}
			if zero.IsZero() {
				zero = r.at
			}
			q := Request{At: r.at.Sub(zero), Timed: true, OutputTokens: r.output, Prompt: Prompt{Tokens: r.input}}
			if !yield(conversation{turns: []turn{{r.line, q}}}, nil) {
				return
			}
		}
	}
}

// checked refuses lengths that no request has.
func (r recorded) checked() recorded {
	if r.err == nil && (r.input < 1 || r.input > MaxTokens || r.output < 0 || r.output > MaxTokens) {
		r.err = errors.New("its numbers of tokens are out of range")
	}
	if r.err == nil && r.output == 0 {
		r.err = errFailedThen
	}
	return r
}
