package workload

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
	"time"
)

// burstHeader names the columns of the BurstGPT traces that are used; the files
// have more.
const burstHeader = "Timestamp,Model,Request tokens,Response tokens,Log Type"

// readBurstGPT reads the CSV of the BurstGPT traces: times in seconds, two
// lengths, the model, and whether a person or a program asked. A row without
// response tokens is a request that failed then; it has no length to ask for
// and is passed over.
func readBurstGPT(in *input) iter.Seq2[conversation, error] {
	o := in.options
	return eachCSV(in, burstHeader, func(fields []string) (Request, error) {
		switch {
		case o.Model != "" && fields[1] != o.Model, o.LogType != "" && fields[4] != o.LogType:
			return Request{}, errUnwanted
		case fields[3] == "0":
			return Request{}, errFailedThen
		}
		var r Request
		var errs [3]error
		r.At, errs[0] = parseSeconds("Timestamp", fields[0])
		r.Prompt.Tokens, errs[1] = tokenCount("Request tokens", fields[2])
		r.OutputTokens, errs[2] = tokenCount("Response tokens", fields[3])
		r.Timed = true
		return r, errors.Join(errs[:]...)
	})
}

// parseSeconds reads a time in seconds, not negative. A float64 holds the 10 days
// of these traces to a tenth of a nanosecond.
func parseSeconds(field, s string) (time.Duration, error) {
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || f != f:
		return 0, fmt.Errorf("%s %q: must be a number of seconds", field, s)
	case f < 0:
		return 0, fmt.Errorf("%s %q: must not be negative", field, s)
	case f > maxMillis/1000:
		return 0, fmt.Errorf("%s %q: out of range", field, s)
	}
	return time.Duration(math.Round(f * 1e9)), nil
}
