package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// tokenCount reads a length in tokens, from 1 to MaxTokens. Whole numbers that
// are written as floats are taken.
func tokenCount(field, s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(s, 64)
		if ferr != nil && !errors.Is(ferr, strconv.ErrRange) || f != math.Trunc(f) {
			return 0, fmt.Errorf("%s %q: must be a whole number of tokens", field, s)
		}
		n = int64(min(max(f, -1), MaxTokens+1))
	}
	if n < 1 || n > MaxTokens {
		return 0, fmt.Errorf("%s %s: must be from 1 to %d tokens", field, s, MaxTokens)
	}
	return int(n), nil
}

// optionalTokens is tokenCount of a field that may be absent, which is 0.
func optionalTokens(field string, n *json.Number) (int, error) {
	if n == nil {
		return 0, nil
	}
	return tokenCount(field, n.String())
}

// parseMillis reads a time in milliseconds, not negative, exact to the
// nanosecond: a time since 1970 as a float would be wrong by a quarter of a
// microsecond. Digits beyond nanoseconds are cut.
func parseMillis(field, s string) (time.Duration, error) {
	bad := func(why string) (time.Duration, error) {
		return 0, fmt.Errorf("%s %q: %s", field, s, why)
	}
	if strings.ContainsAny(s, "eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return bad("must be a number of milliseconds")
		}
		s = strconv.FormatFloat(f, 'f', -1, 64)
	}
	whole, fraction, _ := strings.Cut(s, ".")
	ms, err := strconv.ParseInt(whole, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || ms > math.MaxInt64/int64(time.Millisecond)-1:
		return bad("out of range")
	case err != nil:
		return bad("must be a number of milliseconds")
	case strings.HasPrefix(whole, "-"):
		if ms == 0 && strings.Trim(fraction, "0") == "" {
			return 0, nil
		}
		return bad("must not be negative")
	}
	ns, err := strconv.ParseUint((fraction + "000000")[:6], 10, 32)
	if err != nil || strings.Trim(fraction, "0123456789") != "" {
		return bad("must be a number of milliseconds")
	}
	return time.Duration(ms)*time.Millisecond + time.Duration(ns), nil
}

// optionalMillis is parseMillis of a field that may be absent; ok says whether
// it was there.
func optionalMillis(field string, n *json.Number) (d time.Duration, ok bool, err error) {
	if n == nil {
		return 0, false, nil
	}
	d, err = parseMillis(field, n.String())
	return d, err == nil, err
}

func formatMillis(d time.Duration) string {
	return decimal(float64(d) / float64(time.Millisecond))
}
