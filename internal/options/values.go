package options

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"headway/internal/config"
	"headway/internal/fault"
)

// Seconds is a time whose bare number means seconds, because the option has
// that unit in aiperf. A suffix (500ms, 2m) says another; "inf" is no limit
// and is kept as -1.
type Seconds time.Duration

// Milliseconds is a time whose bare number means milliseconds.
type Milliseconds time.Duration

// UnmarshalText reads a bare number of seconds, a Go duration, or inf.
func (s *Seconds) UnmarshalText(b []byte) error {
	d, err := parseTime(string(b), time.Second)
	*s = Seconds(d)
	return err
}

// UnmarshalText reads a bare number of milliseconds, a Go duration, or inf.
func (m *Milliseconds) UnmarshalText(b []byte) error {
	d, err := parseTime(string(b), time.Millisecond)
	*m = Milliseconds(d)
	return err
}

// MarshalJSON writes seconds, and "inf" for no limit.
func (s Seconds) MarshalJSON() ([]byte, error) { return marshalTime(time.Duration(s), time.Second) }

// MarshalJSON writes milliseconds, and "inf" for no limit.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return marshalTime(time.Duration(m), time.Millisecond)
}

func marshalTime(d, unit time.Duration) ([]byte, error) {
	if d < 0 {
		return []byte(`"inf"`), nil
	}
	return json.Marshal(float64(d) / float64(unit))
}

func parseTime(text string, unit time.Duration) (time.Duration, error) {
	if strings.Contains(text, ",") {
		return 0, listNotBuilt(text)
	}
	if t := strings.ToLower(strings.TrimSpace(text)); t == "inf" || t == "infinity" {
		return -1, nil
	}
	if err := config.Decimal(text); err != nil {
		return 0, fmt.Errorf("%q: %w", text, err)
	}
	if x, err := strconv.ParseFloat(text, 64); err == nil {
		d := x * float64(unit)
		if math.IsNaN(d) || d < 0 || d > math.MaxInt64/2 {
			return 0, fmt.Errorf("%q is not a time of zero or more", text)
		}
		return time.Duration(d), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a time: give a number (of %s) or a number with a suffix, such as 500ms, 2s, 1m",
			text, unitName(unit))
	}
	return d, nil
}

func unitName(unit time.Duration) string {
	if unit == time.Second {
		return "seconds"
	}
	return "milliseconds"
}

// Levels is a list of concurrency levels: "1,2,5" or "1 2 5".
type Levels []int

// UnmarshalText reads numbers separated by commas or blanks.
func (l *Levels) UnmarshalText(b []byte) error {
	*l = nil
	for _, f := range strings.FieldsFunc(string(b), func(r rune) bool { return r == ',' || r == ' ' }) {
		if err := config.Decimal(f); err != nil {
			return fmt.Errorf("%q: %w", f, err)
		}
		n, err := strconv.Atoi(f)
		if err != nil {
			return fmt.Errorf("%q is not a whole number; levels look like 1,2,5,10", f)
		}
		*l = append(*l, n)
	}
	if len(*l) == 0 {
		return fmt.Errorf("no level given; levels look like 1,2,5,10")
	}
	return nil
}

// One is a number of an option that aiperf also takes as a list, which sweeps.
type One[T int | float64] struct {
	Value T
	Set   bool
}

// UnmarshalText reads one number and says what to use for several.
func (o *One[T]) UnmarshalText(b []byte) error {
	text := string(b)
	if strings.Contains(text, ",") {
		return listNotBuilt(text)
	}
	if err := config.Decimal(text); err != nil {
		return fmt.Errorf("%q: %w", text, err)
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("%q is not a number", text)
	}
	if o.Value = T(x); float64(o.Value) != x {
		return fmt.Errorf("%q is not a whole number", text)
	}
	o.Set = true
	return nil
}

// MarshalJSON writes the number, and null where none was given.
func (o One[T]) MarshalJSON() ([]byte, error) {
	if !o.Set {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}

func listNotBuilt(text string) error {
	return fault.NotBuilt{What: fmt.Sprintf("a list (%s) sweeps several values in one call", text),
		Instead: "use `headway bench --concurrencies` for concurrency, or one call for each value"}
}

// Given is a number that was given.
func Given[T int | float64](n T) One[T] { return One[T]{Value: n, Set: true} }
