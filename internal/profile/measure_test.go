package profile

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"headway/record"
	"headway/workload"
)

func TestPrefillPoint(t *testing.T) {
	e := plain()
	var steps []string
	s := sweep()
	s.Progress = func(p Step) { steps = append(steps, fmt.Sprintf("%d/%d %d %v", p.Point, p.Points, p.Repeat, p.Done)) }
	c, err := MeasurePrefill(t.Context(), e, s)
	if err != nil {
		t.Fatal(err)
	}
	// 1488 tokens are the longest prompt: steps of (1488−100)/3.
	if want := []string{"3×100→5@1", "4×100→5@1", "4×100→5@1", "4×100→5@1", "3×562→5@1"}; !slices.Equal(e.plans[:5],
		want) || len(e.plans) != 16 {
		t.Errorf("plans %v, want %v…", e.plans, want)
	}
	if want := []string{"1/4 0 false", "1/4 1 false", "1/4 2 false", "1/4 3 false", "1/4 0 true",
		"2/4 0 false"}; !slices.Equal(steps[:6], want) {
		t.Errorf("progress %v, want %v…", steps, want)
	}
	p := c.Points[1]
	if p.ISL != 562 || math.Abs(p.TTFT.Mean-0.01562) > 1e-8 || p.TTFT.N != 3 ||
		math.Abs(p.Throughput.Mean-562/0.01562/2) > 0.1 || p.Cached != 0 || p.ServerISL != 562 || len(p.Warnings) > 0 {
		t.Errorf("%+v", p)
	}
	if len(e.known) != 4*(3+3*4) {
		t.Errorf("%d different prompts, want 60: none may come twice", len(e.known))
	}
}

// The first prompt of a repeat meets a GPU that was idle, and is not part of its figure.
func TestPrefillIsMeasuredHot(t *testing.T) {
	e := plain()
	hot := e.ttft
	e.ttft = func(run, i, isl int) float64 {
		if i == 0 {
			return hot(run, i, isl) / 2
		}
		return hot(run, i, isl) * []float64{0, 0.9, 1, 1.1}[i]
	}
	c, err := MeasurePrefill(t.Context(), e, sweep())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Points {
		if want := hot(0, 0, p.ISL); math.Abs(p.TTFT.Mean-want) > 1e-8 || p.TTFT.N != 3 {
			t.Errorf("%s: %v, want %v", p.Name(), p.TTFT, want)
		}
	}
}

// With several ranks a burst's largest TTFT is divided as in the formula.
func TestPrefillRanks(t *testing.T) {
	e := plain()
	e.facts.AttentionDP = 4
	const pass, itl = 0.2, 0.006
	e.itl = func(int, int) float64 { return itl }
	// Each rank computes its four prompts one after the other, each with its
	// tokens.
	e.ttft = func(_, i, _ int) float64 { return pass*float64(1+i/4) + itl*4*float64(i/4) }
	c, err := MeasurePrefill(t.Context(), e, sweep())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(e.plans[:2], []string{"12×100→5@4", "16×100→5@16"}) {
		t.Errorf("plans %v", e.plans[:2])
	}
	for _, p := range c.Points {
		if math.Abs(p.TTFT.Mean-pass) > 1e-6 || math.Abs(p.Throughput.Mean-float64(p.ISL)*4/pass/2) > 0.1 {
			t.Errorf("%+v, want a TTFT of %v", p, pass)
		}
	}
}

// Prompts that were found in a cache are no measurement; as much as a chat
// template is only said.
func TestPrefillCached(t *testing.T) {
	for hit, want := range map[int]string{1000: "were found in the prefix cache though every prompt is new",
		96: "as those of a chat template are"} {
		e := plain()
		e.spoil = func(_ int, r *record.Record) {
			r.Usage["prompt_cache_read_tokens"] = min(hit, r.Usage["prompt_tokens"])
		}
		c, err := MeasurePrefill(t.Context(), e, sweep())
		if hit > 96 {
			if err == nil || !strings.Contains(err.Error(), "0 of 4 points") && !strings.Contains(err.Error(), want) {
				t.Errorf("%d tokens: %v", hit, err)
			}
			if p := c.Points[3]; !strings.Contains(p.Failed, want) {
				t.Errorf("%d tokens: %+v", hit, p)
			}
			continue
		}
		if p := c.Points[3]; err != nil || len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], want) ||
			p.TTFT.N != 3 {
			t.Errorf("%d tokens: %v, %+v", hit, err, p)
		}
	}
}

// A point whose interval is too wide is measured again, up to the limit, and
// flagged when that did not help.
func TestSpread(t *testing.T) {
	for _, v := range []struct {
		noise   []float64
		repeats int
		wide    bool
	}{
		{[]float64{1, 1.001, 0.999}, 3, false},
		{[]float64{1, 1.08, 0.98, 1, 1, 1, 1, 1, 1}, 5, false},
		{[]float64{1, 2, 0.5, 1.7, 1, 0.6, 2, 0.4, 1.5}, 9, true},
	} {
		e, n := plain(), 0
		e.ttft = func(run, i, _ int) float64 {
			if e.plans[len(e.plans)-1][0] != '4' {
				n = 0 // a warm-up
				return 0.02
			}
			if i == 0 {
				n++
			}
			return 0.02 * v.noise[n-1]
		}
		s := sweep()
		c, err := MeasurePrefill(t.Context(), e, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range c.Points {
			if p.TTFT.N != v.repeats || p.Wide != v.wide || (len(p.Warnings) > 0) != v.wide {
				t.Errorf("%v: %+v", v.noise, p)
			}
		}
		s.Repeats, s.Key = 1, workload.Seed(2)
		if c, err = MeasurePrefill(t.Context(), e, s); err != nil || c.Points[0].TTFT.N != 1 || c.Points[0].Wide {
			t.Errorf("one repeat: %+v, %v", c.Points, err)
		}
	}
}

func TestDecodePoints(t *testing.T) {
	e := plain()
	d, err := MeasureDecode(t.Context(), e, sweep())
	if err != nil {
		t.Fatal(err)
	}
	// 19800 tokens hold 29 requests of 100+500+64: 1, 15, 29 at a time. The
	// first plan fills the cache.
	if want := []string{"1×100→1@1", "1×100→500@1", "1×100→500@1", "1×100→500@1",
		"15×100→1@15"}; !slices.Equal(e.plans[:5], want) {
		t.Errorf("plans %v, want %v…", e.plans[:5], want)
	}
	if len(d.Points) != 9 {
		t.Fatalf("%d points", len(d.Points))
	}
	p := d.Points[2]
	if p.Requests != 29 || p.Context != 350 || math.Abs(p.KVUsage-29*350/20000.0) > 1e-12 ||
		math.Abs(p.ITL.Mean-0.034) > 1e-7 || len(p.Warnings) > 0 || !(p.Cached > 0.6) {
		t.Errorf("%+v", p)
	}
	if want := 29 * 500 / (0.011 + 499*0.034) / 2; math.Abs(p.Throughput.Mean-want) > 0.01 {
		t.Errorf("%v tokens/s/GPU, want %v", p.Throughput.Mean, want)
	}
}

// What makes a decode's ITL something else is said: cold prompts, requests that
// do not run at once, replies of another length, another count of tokens.
func TestDecodeWarnings(t *testing.T) {
	for want, spoil := range map[string]func(*played){
		"prefill is part of what was measured": func(e *played) {
			e.spoil = func(_ int, r *record.Record) { r.Usage["prompt_cache_read_tokens"] = 0 }
		},
		"not all requests ran at once": func(e *played) {
			e.ttft = func(_, i, _ int) float64 { return 0.01 + 20*float64(i/10) }
		},
		"times as many reply tokens": func(e *played) {
			e.spoil = func(_ int, r *record.Record) { r.Usage["completion_tokens"] *= 2 }
		},
		"replies have 250 tokens where 500": func(e *played) {
			e.spoil = func(_ int, r *record.Record) {
				r.TokensOut, r.Usage["completion_tokens"] = (r.TokensOut+1)/2, (r.TokensOut+1)/2
			}
		},
		"the server counted 10 prompt tokens": func(e *played) {
			e.spoil = func(_ int, r *record.Record) { r.Usage["prompt_tokens"] = 10 }
		},
	} {
		e := plain()
		spoil(e)
		d, err := MeasureDecode(t.Context(), e, sweep())
		if err != nil {
			t.Fatal(err)
		}
		if last := d.Points[len(d.Points)-1]; !strings.Contains(strings.Join(last.Warnings, "\n"), want) {
			t.Errorf("%+v, want %s", last, want)
		}
	}
	e := plain()
	e.silent = true
	if d, err := MeasureDecode(t.Context(), e, sweep()); err != nil || d.Points[0].Cached != -1 ||
		len(d.Points[0].Warnings) > 0 {
		t.Errorf("a server that says nothing: %v, %+v", err, d.Points)
	}
}

// A repeat that fails is made again; a point that keeps failing is left out; an
// engine that died ends the sweep at once, with what was measured.
func TestMeasureFailures(t *testing.T) {
	fail := func(_ int, r *record.Record) {
		r.Outcome, r.Failure = record.Failed, &record.Failure{Class: record.ClassHTTP5, Message: "the server broke"}
	}
	e := plain()
	e.spoil = func(run int, r *record.Record) {
		if run == 2 || run > 4 && r.PlannedISL == 562 {
			fail(run, r)
		}
	}
	c, err := MeasurePrefill(t.Context(), e, sweep())
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Points[0]; p.TTFT.N != 3 || p.Failed != "" || len(p.Warnings) != 1 ||
		!strings.Contains(p.Warnings[0], "4 of 4 requests failed: the server broke") {
		t.Errorf("a repeat that failed: %+v", p)
	}
	if p := c.Points[1]; !strings.Contains(p.Failed, "the server broke") || len(c.Usable()) != 3 {
		t.Errorf("a point that failed: %+v", p)
	}
	for _, end := range []error{&DeadError{Reason: ReasonCrash, Message: "gone"}, context.Canceled} {
		e = plain()
		e.before = func(run int) error {
			if run == 6 {
				return end
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		s := sweep()
		if end == context.Canceled {
			s.Progress = func(Step) {
				if e.runs == 6 {
					cancel()
				}
			}
		}
		c, err = MeasurePrefill(ctx, e, s)
		cancel()
		if !errors.Is(err, end) || len(c.Points) != 1 || !strings.Contains(err.Error(), "prompt of 562 tokens") {
			t.Errorf("%v: %v with %d points", end, err, len(c.Points))
		}
	}
	e = plain()
	e.spoil = fail
	if _, err := MeasureDecode(t.Context(), e, sweep()); err == nil ||
		!strings.Contains(err.Error(), "0 of 9 points were measured") ||
		!strings.Contains(err.Error(), "filling the cache") {
		t.Errorf("everything fails: %v", err)
	}
	e.facts.KVTokens = 0
	if _, err := MeasureDecode(t.Context(), e, sweep()); err == nil || !strings.Contains(err.Error(), "max-kv-tokens") {
		t.Errorf("no size of the cache: %v", err)
	}
	e.facts.KVTokens = 500
	if _, err := MeasureDecode(t.Context(), e, sweep()); err == nil ||
		!strings.Contains(err.Error(), "does not hold one request") {
		t.Errorf("a small cache: %v", err)
	}
	if err := (Grid{MaxContext: 300, Granularity: 1, Repeats: -1, MaxShare: 2}).Validate(Decode); err == nil ||
		!strings.Contains(err.Error(), "granularity 1") || !strings.Contains(err.Error(), "repeats -1") ||
		!strings.Contains(err.Error(), "max-spread 200") {
		t.Errorf("%v", err)
	}
}

// What has no pace and what nobody counted is said as such, and not as a reply
// that is too short.
func TestRepliesWithoutFigures(t *testing.T) {
	for want, spoil := range map[string]func(r *record.Record){
		"too few reads to tell their pace": func(r *record.Record) { r.Sparse = false },
		"nobody counted the tokens":        func(r *record.Record) { r.TokensOut, r.TokensReasoning = -1, -1 },
		"fewer than two tokens":            func(r *record.Record) { r.TokensOut = 1 },
	} {
		e := plain()
		e.spoil = func(_ int, r *record.Record) { spoil(r) }
		if _, err := MeasureDecode(t.Context(), e, sweep()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	e := plain()
	e.spoil = func(_ int, r *record.Record) { r.Sparse, r.Arrivals = false, r.Arrivals[:1] }
	c, err := MeasurePrefill(t.Context(), e, sweep())
	if err != nil || c.Points[0].Failed != "" || c.Points[0].TTFT.N == 0 || c.Points[0].ITL.N != 0 {
		t.Errorf("a prefill whose five tokens came in one read: %v, %+v", err, c.Points)
	}
}
