package workload

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// azureHeader is the first line of the Azure LLM inference traces.
const azureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens"

// readAzure reads the CSV of the Azure LLM inference traces (2023 and 2024):
// wall-clock times with up to nine digits after the second, with or without a
// zone, and two lengths. Times count from the first row. Columns may be in any
// order; others are passed over.
func readAzure(in *input) iter.Seq2[conversation, error] {
	return func(yield func(conversation, error) bool) {
		var columns [3]int
		var zero time.Time
		first := true
		for l, err := range in.lines() {
			if err != nil {
				yield(conversation{}, err)
				return
			}
			if first {
				first = false
				if columns, err = azureColumns(string(l.text)); err != nil {
					yield(conversation{}, in.broken(l.number, err))
					return
				}
				continue
			}
			at, r, err := azureRow(string(l.text), columns)
			if err != nil {
				if l.last {
					err = fmt.Errorf("%w (the last line, without a line end: half-written file?)", err)
				}
				err = in.at(l.number, err)
			} else if zero.IsZero() {
				zero = at
			}
			r.At, r.Timed = at.Sub(zero), true
			if !yield(conversation{turns: []turn{{l.number, r}}}, err) {
				return
			}
		}
	}
}

// azureColumns finds the places of the time and the two lengths in the header.
func azureColumns(header string) ([3]int, error) {
	var at [3]int
	names := strings.Split(strings.TrimSpace(header), ",")
	for i, want := range strings.Split(azureHeader, ",") {
		at[i] = -1
		for j, name := range names {
			if strings.EqualFold(unquote(name), want) {
				at[i] = j
			}
		}
		if at[i] < 0 {
			return at, fmt.Errorf("the header %.80q has no column %s", header, want)
		}
	}
	return at, nil
}

func azureRow(text string, columns [3]int) (time.Time, Request, error) {
	fields := strings.Split(text, ",")
	for _, c := range columns {
		if c >= len(fields) {
			return time.Time{}, Request{}, fmt.Errorf("%d fields, fewer than the header has", len(fields))
		}
	}
	at, err := wallClock(unquote(fields[columns[0]]))
	if err != nil {
		return time.Time{}, Request{}, err
	}
	var r Request
	var err1, err2 error
	r.Prompt.Tokens, err1 = tokenCount("ContextTokens", unquote(fields[columns[1]]))
	r.OutputTokens, err2 = tokenCount("GeneratedTokens", unquote(fields[columns[2]]))
	return at, r, errors.Join(err1, err2)
}

// wallClock reads a time; fractions of a second of any length are taken.
func wallClock(s string) (time.Time, error) {
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04:05Z07:00", time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("TIMESTAMP %q: must be like 2023-11-16 18:17:03.9799600", s)
}

// unquote trims space and one pair of quotation marks.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
