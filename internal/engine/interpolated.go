package engine

import (
	"errors"
	"fmt"
	"math"
	"time"

	"headway/internal/interp"
)

// Interpolated is measured step times: those of prompts by their tokens, those
// of decoding by how full the KV cache is and by the mean context. It is read
// with [ReadInterpolated]. Between the measured values it is linear, and beyond
// them it goes on as the last two do, but never below 1 ms or the least
// measured value, whichever is less.
type Interpolated struct{ table *stepTable }

// stepTable is what Interpolated reads from. Times are in milliseconds.
type stepTable struct {
	isl, ttft   []float64
	kv, context []float64 // tokens
	itl         []float64 // of kv[i] and context[j] at i·len(context) + j

	leastTTFT, leastITL float64
}

// Prefill is the time of a pass over so many prompt tokens, and nothing for no
// tokens.
func (m Interpolated) Prefill(tokens int) time.Duration {
	if tokens <= 0 {
		return 0
	}
	t := m.table
	i := interp.Interval(t.isl, float64(tokens))
	share := (float64(tokens) - t.isl[i]) / (t.isl[i+1] - t.isl[i])
	return milliseconds(max(t.ttft[i]+share*(t.ttft[i+1]-t.ttft[i]), t.leastTTFT))
}

// Decode is the time of a pass that adds one token to every running sequence,
// with so many active tokens in the KV cache and contexts of that mean length.
func (m Interpolated) Decode(kvTokens int, context float64) time.Duration {
	t := m.table
	i, j := interp.Interval(t.kv, float64(kvTokens)), interp.Interval(t.context, context)
	u := (float64(kvTokens) - t.kv[i]) / (t.kv[i+1] - t.kv[i])
	v := (context - t.context[j]) / (t.context[j+1] - t.context[j])
	row, next := t.itl[i*len(t.context)+j:], t.itl[(i+1)*len(t.context)+j:]
	ms := (1-u)*((1-v)*row[0]+v*row[1]) + u*((1-v)*next[0]+v*next[1])
	return milliseconds(max(ms, t.leastITL))
}

func (m Interpolated) validate() []error {
	if m.table == nil {
		return []error{errors.New("planner-profile-data: no measurements were read")}
	}
	return nil
}

func (m Interpolated) pace(c Config) pace { return newLockstep(m, c) }

func (m Interpolated) stepTime(l load) time.Duration {
	d := m.Prefill(l.prefillTokens)
	if l.drafts > 0 {
		d = withDrafts(m.Prefill, l)
	}
	if l.decodeSeqs > 0 {
		d += m.Decode(l.active, float64(l.decodeContext)/float64(l.decodeSeqs))
	}
	return d
}

// newInterpolated checks a table and takes it.
func newInterpolated(t stepTable) (Interpolated, error) {
	err := errors.Join(
		axis("prefill_isl", t.isl), axis("decode_active_kv_tokens", t.kv), axis("decode_context_length", t.context),
		times1D("prefill_ttft_ms", t.ttft, len(t.isl)), times1D("decode_itl", t.itl, len(t.kv)*len(t.context)))
	if err != nil {
		return Interpolated{}, err
	}
	t.leastTTFT, t.leastITL = least(t.ttft), least(t.itl)
	return Interpolated{&t}, nil
}

// axis checks that values grow and that there are two at least.
func axis(name string, x []float64) error {
	if len(x) < 2 {
		return fmt.Errorf("%s: %d values: at least 2 are needed to interpolate", name, len(x))
	}
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			return fmt.Errorf("%s: value %d is %v: must be finite and 0 or more", name, i, v)
		}
		if i > 0 && v <= x[i-1] {
			return fmt.Errorf("%s: value %d is %v after %v: must grow", name, i, v, x[i-1])
		}
	}
	return nil
}

// times1D checks that there are n times.
func times1D(name string, ms []float64, n int) error {
	if len(ms) != n {
		return fmt.Errorf("%s: %d values: its axes ask for %d", name, len(ms), n)
	}
	for i, v := range ms {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 || v > 1e9 {
			return fmt.Errorf("%s: value %d is %v: must be milliseconds from 0 to a billion", name, i, v)
		}
	}
	return nil
}

func least(ms []float64) float64 {
	v := 1.0
	for _, m := range ms {
		v = min(v, m)
	}
	return v
}
