package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"headway/internal/bound"
)

// TraceBlock is the block size of the public Mooncake traces in tokens.
const TraceBlock = 512

// Row is one line of a Mooncake trace: when a prompt came, how long it was, and
// which blocks it is made of. It is the form in which traces are analysed,
// fitted and written; a [Request] is made from it by the reader of the format
// [Mooncake].
type Row struct {
	// Timestamp is in milliseconds from the start of the trace; fractions are
	// kept. Timed says that the line has one: a later turn of a session may
	// have a Delay in its place.
	Timestamp float64
	Timed     bool
	// Delay in milliseconds is the pause after the previous turn's reply.
	Delay float64
	// Session names the conversation, "" for none. A number is kept as it is
	// written.
	Session string
	// InputLength is in tokens, at least 1. OutputLength is in tokens; 0 says
	// that the line has none.
	InputLength  int
	OutputLength int
	// HashIDs name the blocks of the prompt, from its start; nil when nothing is
	// known of them. An id stands for the content of a block and of all before
	// it. There are ceil(InputLength/block size) of them: the last block may be
	// partly filled.
	HashIDs []int64
	// More says that the line has fields that a Row does not hold (messages,
	// text_input, payload, tools, extra, …), for which a reader of requests has
	// to look again. InputLength is then 0 when the prompt is given otherwise.
	More bool
}

// TraceOptions say how a trace is read. The zero value reads blocks of
// [TraceBlock] tokens and takes any faulty line for an error.
type TraceOptions struct {
	// BlockSize is how many tokens an id stands for; 0 is TraceBlock.
	BlockSize int
	// Lenient skips faulty lines and counts them.
	Lenient bool
}

// Trace is the content of a Mooncake file, in its order.
type Trace struct {
	Name      string
	BlockSize int
	Rows      []Row
	// Skipped counts faulty lines that were passed over, FirstSkip is the
	// reason of the first.
	Skipped   int
	FirstSkip error
}

// ReadTraceFile is [ReadTrace] of a file.
func ReadTraceFile(path string, o TraceOptions) (*Trace, error) {
	f, err := bound.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading trace: %w", err)
	}
	defer f.Close()
	return ReadTrace(f, path, o)
}

// ReadTrace reads the rows of a Mooncake trace; name stands in messages. Every
// row must have an input_length, and timestamps must not go backwards. A fault of
// one line is a [LineError]; a file without a row is an error.
func ReadTrace(r io.Reader, name string, o TraceOptions) (*Trace, error) {
	t := &Trace{Name: name, BlockSize: o.BlockSize}
	if t.BlockSize == 0 {
		t.BlockSize = TraceBlock
	}
	in := &input{r: r, name: name}
	p := RowParser{BlockSize: t.BlockSize}
	last := 0.0
	for l, err := range in.lines() {
		if err != nil {
			return nil, err
		}
		row, err := p.Parse(l.text)
		switch {
		case err != nil:
			err = cutOff(err, l.last)
		case row.InputLength == 0:
			err = errors.New("needs input_length; only prompts given by their length can be taken as a row")
		case row.Timed && row.Timestamp < last:
			err = fmt.Errorf("time goes backwards: %s ms after %s ms; sort the file by time", decimal(row.Timestamp),
				decimal(last))
		}
		if err != nil {
			err = in.at(l.number, err)
			if !o.Lenient {
				return nil, err
			}
			if t.Skipped++; t.FirstSkip == nil {
				t.FirstSkip = err
			}
			continue
		}
		if row.Timed {
			last = row.Timestamp
		}
		t.Rows = append(t.Rows, row)
	}
	switch {
	case len(t.Rows) == 0 && t.FirstSkip != nil:
		return nil, fmt.Errorf("no requests in %s: all %d lines were skipped, the first for this: %w", name,
			t.Skipped, t.FirstSkip)
	case len(t.Rows) == 0:
		return nil, fmt.Errorf("no requests in %s: the file is empty", name)
	}
	return t, nil
}

// RowParser makes rows of lines. The usual line is scanned by hand, which is
// twenty times as fast as encoding/json; what the scan does not know (other
// fields, escapes, exponents) goes to encoding/json, so that both accept the same.
type RowParser struct {
	// BlockSize is how many tokens an id stands for; it must be positive.
	BlockSize int

	ids []int64 // what is left of the current piece of memory for ids
}

// Parse reads one line. The row keeps no part of text.
func (p *RowParser) Parse(text []byte) (Row, error) {
	s := rowScan{text: text, ids: p.ids[:0]}
	ok := s.object()
	if ok {
		p.ids = s.ids[len(s.ids):]
		s.row.HashIDs = s.ids[:len(s.ids):len(s.ids)]
	} else {
		var err error
		if s.row, err = parseRow(text); err != nil {
			return Row{}, err
		}
	}
	if len(s.row.HashIDs) == 0 {
		s.row.HashIDs = nil
	}
	return s.row, s.row.Check(p.BlockSize)
}

// Check reports whether the lengths are in range and fit the ids.
func (r *Row) Check(blockSize int) error {
	switch n := len(r.HashIDs); {
	case r.InputLength == 0 && (n > 0 || !r.More):
		return errors.New("needs input_length, the number of tokens of the prompt")
	case r.InputLength > MaxTokens || r.InputLength < 0:
		return fmt.Errorf("input_length %d: must be from 1 to %d tokens", r.InputLength, MaxTokens)
	case r.OutputLength < 0 || r.OutputLength > MaxTokens:
		return fmt.Errorf("output_length %d: must be from 1 to %d tokens", r.OutputLength, MaxTokens)
	case n > 0 && n != Blocks(r.InputLength, blockSize):
		return fmt.Errorf("hash_ids: %d ids do not match input_length %d: with blocks of %d tokens there must be "+
			"%d; is the block size right?",
			n, r.InputLength, blockSize, Blocks(r.InputLength, blockSize))
	}
	for _, ms := range [2]float64{r.Timestamp, r.Delay} {
		if !(ms >= 0 && ms <= maxMillis) {
			return fmt.Errorf("time %v ms: must be from 0 to %g", ms, float64(maxMillis))
		}
	}
	for _, id := range r.HashIDs {
		if id < 0 {
			return fmt.Errorf("hash_ids: %d is negative", id)
		}
	}
	return nil
}

// maxMillis keeps every time inside a Duration.
const maxMillis = math.MaxInt64/1_000_000 - 1

// Blocks is how many blocks a prompt of so many tokens has, the last one counted
// however little is in it.
func Blocks(tokens, blockSize int) int { return (tokens + blockSize - 1) / blockSize }

// AppendJSON appends the row as a line of the public traces has it, spaces after
// colons and commas included, without a line end. Fields that a Row does not hold
// are lost.
func (r *Row) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if r.Timed {
		b = append(b, `"timestamp": `...)
		b = appendMillis(b, r.Timestamp)
		b = append(b, ", "...)
	}
	if r.Session != "" {
		b = append(b, `"session_id": `...)
		b = appendString(b, r.Session)
		b = append(b, ", "...)
	}
	if r.Delay > 0 {
		b = append(b, `"delay": `...)
		b = appendMillis(b, r.Delay)
		b = append(b, ", "...)
	}
	b = append(b, `"input_length": `...)
	b = strconv.AppendInt(b, int64(r.InputLength), 10)
	if r.OutputLength > 0 {
		b = append(b, `, "output_length": `...)
		b = strconv.AppendInt(b, int64(r.OutputLength), 10)
	}
	if len(r.HashIDs) > 0 {
		b = append(b, `, "hash_ids": [`...)
		for i, id := range r.HashIDs {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = strconv.AppendInt(b, id, 10)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// appendMillis writes the shortest decimal that reads back as ms, never with an
// exponent.
func appendMillis(b []byte, ms float64) []byte {
	if ms == math.Trunc(ms) && ms < 1<<53 {
		return strconv.AppendInt(b, int64(ms), 10)
	}
	return strconv.AppendFloat(b, ms, 'f', -1, 64)
}

// appendString writes a JSON string.
func appendString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		// A string always has a JSON form: what is not UTF-8 is replaced.
		return append(b, `""`...)
	}
	return append(b, quoted...)
}

// parseRow is the general reader of a line.
func parseRow(text []byte) (Row, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return Row{}, err
	}
	var line struct {
		Timestamp    *json.Number    `json:"timestamp"`
		Delay        *json.Number    `json:"delay"`
		SessionID    json.RawMessage `json:"session_id"`
		InputLength  *json.Number    `json:"input_length"`
		OutputLength *json.Number    `json:"output_length"`
		HashIDs      []json.Number   `json:"hash_ids"`
	}
	if err := json.Unmarshal(text, &line); err != nil {
		return Row{}, err
	}
	var r Row
	for key := range all {
		r.More = r.More || !isRowField(key)
	}
	var errs [5]error
	r.Timestamp, r.Timed, errs[0] = rowMillis("timestamp", line.Timestamp)
	r.Delay, _, errs[1] = rowMillis("delay", line.Delay)
	r.InputLength, errs[2] = optionalTokens("input_length", line.InputLength)
	r.OutputLength, errs[3] = optionalTokens("output_length", line.OutputLength)
	r.Session, errs[4] = sessionName(line.SessionID)
	for i, n := range line.HashIDs {
		id, err := strconv.ParseInt(n.String(), 10, 64)
		if err != nil {
			return Row{}, fmt.Errorf("hash_ids: entry %d, %q: must be a whole number", i+1, n.String())
		}
		r.HashIDs = append(r.HashIDs, id)
	}
	return r, errors.Join(errs[:]...)
}

// isRowField says whether a Row holds the field, or needs not to: the lengths that
// synthesised traces carry follow from the ids.
func isRowField(key string) bool {
	switch key {
	case "timestamp", "delay", "session_id", "input_length", "output_length", "hash_ids",
		"context_len", "unique_user_prompt_len":
		return true
	}
	return false
}

func rowMillis(field string, n *json.Number) (ms float64, ok bool, err error) {
	if n == nil {
		return 0, false, nil
	}
	ms, err = strconv.ParseFloat(n.String(), 64)
	switch {
	case err != nil:
		return 0, false, fmt.Errorf("%s %q: must be a number of milliseconds", field, n.String())
	case !(ms >= 0 && ms <= maxMillis):
		return 0, false, fmt.Errorf("%s %s: must be from 0 to %g ms", field, n.String(), float64(maxMillis))
	}
	return ms, true, nil
}
