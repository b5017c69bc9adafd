package workload

import (
	"errors"
	"fmt"
	"iter"
	"time"
)

// azureHeader is the first line of the Azure LLM inference traces.
const azureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens"

// readAzure reads the CSV of the Azure LLM inference traces (2023 and 2024):
// wall-clock times with up to nine digits after the second, with or without a
// zone, and two lengths. Times count from the first row.
func readAzure(in *input) iter.Seq2[conversation, error] {
	var zero time.Time
	return eachCSV(in, azureHeader, func(fields []string) (Request, error) {
		at, err := wallClock(fields[0])
		if err != nil {
			return Request{}, err
		}
		var r Request
		var err1, err2 error
		r.Prompt.Tokens, err1 = tokenCount("ContextTokens", fields[1])
		r.OutputTokens, err2 = tokenCount("GeneratedTokens", fields[2])
		if err := errors.Join(err1, err2); err != nil {
			return Request{}, err
		}
		if zero.IsZero() {
			zero = at
		}
		r.At, r.Timed = at.Sub(zero), true
		return r, nil
	})
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
