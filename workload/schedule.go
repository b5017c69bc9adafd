package workload

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Planned sums up a schedule that was written.
type Planned struct {
	Requests int
	Sessions int
	// Timed is how many requests have a planned time.
	Timed int
	// Arrivals describes those times.
	Arrivals Dispersion
}

// planLine is a line of schedule.jsonl; docs/format-schedule.md explains it.
type planLine struct {
	Index         int      `json:"index"`
	Phase         string   `json:"phase"`
	AtMs          *float64 `json:"at_ms"`
	DelayMs       float64  `json:"delay_ms,omitempty"`
	Session       string   `json:"session"`
	Turn          int      `json:"turn"`
	Turns         int      `json:"turns"`
	Prompt        string   `json:"prompt"`
	InputTokens   int      `json:"input_tokens,omitempty"`
	Key           string   `json:"key,omitempty"`
	PrefixTokens  int      `json:"prefix_tokens,omitempty"`
	Prefix        string   `json:"prefix,omitempty"`
	SystemTokens  int      `json:"system_tokens,omitempty"`
	BlockSize     int      `json:"block_size,omitempty"`
	BlockKey      string   `json:"block_key,omitempty"`
	HashIDs       []int64  `json:"hash_ids,omitempty"`
	Whole         bool     `json:"whole,omitempty"`
	OutputTokens  int      `json:"output_tokens,omitempty"`
	CancelAfterMs *float64 `json:"cancel_after_ms,omitempty"`
}

// WriteSchedule writes one line of JSON for every planned request and says what
// was planned. The Source must have an end; see [Limit].
func WriteSchedule(w io.Writer, src Source) (Planned, error) {
	buf := bufio.NewWriter(w)
	enc := json.NewEncoder(buf)
	sum, err := survey(src, func(r Request) error { return enc.Encode(lineOf(r)) })
	if err == nil {
		err = buf.Flush()
	}
	if err != nil {
		return sum, fmt.Errorf("writing the schedule: %w", err)
	}
	return sum, nil
}

// Survey says what is planned and writes nothing. The Source must have an end;
// see [Limit].
func Survey(src Source) (Planned, error) {
	sum, err := survey(src, func(Request) error { return nil })
	if err != nil {
		return sum, fmt.Errorf("measuring the schedule: %w", err)
	}
	return sum, nil
}

// survey sums up a Source and hands on every request of it.
func survey(src Source, each func(Request) error) (Planned, error) {
	var sum Planned
	var times []time.Duration
	for r, err := range src {
		if err != nil {
			return sum, fmt.Errorf("planning request %d: %w", sum.Requests, err)
		}
		if err := each(r); err != nil {
			return sum, err
		}
		sum.Requests++
		if r.Turn == 0 {
			sum.Sessions++
		}
		if r.Timed {
			times = append(times, r.At)
		}
	}
	sum.Timed = len(times)
	sum.Arrivals = Measure(times)
	return sum, nil
}

func lineOf(r Request) planLine {
	p := r.Prompt
	l := planLine{
		Index: r.Index, Phase: r.Phase.String(),
		Session: r.Session, Turn: r.Turn, Turns: r.Turns,
		DelayMs: milliseconds(r.Delay), Prompt: p.kind(),
		InputTokens: p.Tokens, SystemTokens: p.SystemTokens, OutputTokens: r.OutputTokens,
		HashIDs: p.Blocks, Whole: p.Whole,
	}
	if r.Timed {
		at := milliseconds(r.At)
		l.AtMs = &at
	}
	if p.Tokens > 0 {
		l.Key = fmt.Sprintf("%016x", uint64(p.Key))
	}
	if p.Prefix.Tokens > 0 {
		l.PrefixTokens, l.Prefix = p.Prefix.Tokens, fmt.Sprintf("%016x", uint64(p.Prefix.Key))
	}
	if len(p.Blocks) > 0 {
		l.BlockSize, l.BlockKey = p.BlockSize, fmt.Sprintf("%016x", uint64(p.BlockKey))
	}
	if r.Cancel {
		after := milliseconds(r.CancelAfter)
		l.CancelAfterMs = &after
	}
	return l
}

// kind names the field that a prompt was given in.
func (p Prompt) kind() string {
	switch {
	case p.Payload != nil:
		return "payload"
	case p.Messages != nil:
		return "messages"
	case p.Text != "":
		return "text"
	default:
		return "made"
	}
}

// milliseconds keeps nanoseconds exact up to 104 days.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
