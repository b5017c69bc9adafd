package probe

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headway/internal/engine"
	"headway/internal/profile"
	"headway/internal/study"
	"headway/internal/twin"
	"headway/internal/twin/fit"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// hidden is a server in virtual time whose numbers the calibration does not know.
type hidden struct {
	dir    string
	engine twin.Engine
	model  twin.Model
	runs   []string
	// spoil changes what is seen of a request; nil leaves all as it is.
	spoil func(probe string, r *record.Record)
	// before is called ahead of a probe; nil is not.
	before func(probe string)
}

type spoiler struct {
	next  record.Sink
	probe string
	spoil func(string, *record.Record)
}

func (s spoiler) Take(r *record.Record) error {
	if s.spoil != nil {
		s.spoil(s.probe, r)
	}
	return s.next.Take(r)
}

func (h *hidden) Run(ctx context.Context, p profile.Part, sink record.Sink) (profile.Ran, error) {
	h.runs = append(h.runs, p.Point)
	if h.before != nil {
		h.before(p.Point)
	}
	s := study.Simulation{Plan: p.Plan, Cluster: h.engine.Config(&h.model),
		Dir: filepath.Join(h.dir, p.Section, p.Point, p.Run), Names: report.FileNames(""),
		Metrics: metric.Options{Streaming: true}, Also: spoiler{sink, p.Point, h.spoil}}
	s.Header.Concurrency = p.Concurrency
	s.Cluster.Seed = workload.Seed(uint64(len(h.runs)))
	rep, err := s.Run(ctx)
	if err != nil {
		return profile.Ran{}, err
	}
	if rep.Run.Cancelled {
		return profile.Ran{}, context.Cause(ctx)
	}
	return profile.Ran{Span: time.Duration(rep.Run.End - rep.Run.Begin)}, nil
}

// server is one that is not the usual one.
func server(t *testing.T) *hidden {
	m := twin.Usual
	m.Weights, m.Compute, m.KV = 8, 50, 45
	m.LaunchDecode, m.Write, m.Prepare = 3.5, 35, 5
	return &hidden{dir: t.TempDir(), model: m,
		engine: twin.Engine{Type: engine.VLLM, MaxNumSeqs: 256, MaxNumBatchedTokens: 8192, Blocks: 40000,
			BlockSize: 16}}
}

func (h *hidden) calibration(t *testing.T, resume bool) *Calibration {
	t.Helper()
	j, err := OpenJournal(h.dir, Journal{URL: "virtual", Model: "m", Concurrency: 16, Context: 8192}, resume, false)
	if err != nil {
		t.Fatal(err)
	}
	return &Calibration{Subject: h, Journal: j, Engine: h.engine, Key: workload.Seed(7), Tell: t.Logf,
		Tokens: metric.TokensAuto,
		Limits: Limits{Concurrency: 16, Context: 8192, Load: 45 * time.Second}}
}

// A server of which nothing is known is calibrated in a minute of its own time,
// and the twin foretells the load that was held out.
func TestCalibration(t *testing.T) {
	h := server(t)
	m, err := h.calibration(t, false).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if k := m.Calibration; k.LoadSeconds > 90 || len(k.Doubts) > 0 || m.Seen.Failed > 0 {
		t.Errorf("%+v, seen %+v", k, m.Seen)
	}
	if h.runs[0] != "idle" || !slices.Equal(h.runs[len(h.runs)-2:], []string{"idle_again", "held_out"}) {
		t.Errorf("probes %v", h.runs)
	}
	f, err := fit.Make(t.Context(), fit.Asked{Data: fit.Data{Engine: h.engine, Loads: m.Loads},
		HeldOut: []*fit.Load{m.HeldOut}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.HeldOut[0].Figures {
		t.Logf("%s %.4g %.4g", c.Figure, c.Measured, c.Simulated)
		if math.Abs(c.Error()) > 0.15 {
			t.Errorf("%s: measured %.4g, foretold %.4g", c.Figure, c.Measured, c.Simulated)
		}
	}
	// The folder is results as others are.
	loads, _, err := fit.ReadFolders([]string{h.dir})
	if err != nil || len(loads) != m.Calibration.Probes {
		t.Errorf("%d loads in the folder of %d probes: %v", len(loads), m.Calibration.Probes, err)
	}
}

var errStop = errors.New("interrupted")

// What was measured before an interrupt is not measured again, and the next call
// sends other prompts.
func TestCalibrationGoesOn(t *testing.T) {
	h := server(t)
	ctx, stop := context.WithCancelCause(t.Context())
	h.before = func(string) {
		if len(h.runs) == 3 {
			stop(errStop)
		}
	}
	if _, err := h.calibration(t, false).Run(ctx); !errors.Is(err, errStop) {
		t.Fatalf("ended with %v", err)
	}
	before := slices.Clone(h.runs[:2])
	if _, err := OpenJournal(h.dir, Journal{URL: "virtual"}, false, false); err == nil {
		t.Error("an earlier call's probes are overwritten")
	}
	if _, err := OpenJournal(h.dir, Journal{URL: "other"}, true, false); !errors.Is(err, errChanged) {
		t.Errorf("goes on with another server: %v", err)
	}
	h.before = nil
	c := h.calibration(t, true)
	c.Load = 10 * time.Second // what is there is nearly enough
	m, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range before {
		if slices.Contains(h.runs[3:], p) {
			t.Errorf("%s is measured again: %v", p, h.runs)
		}
	}
	if m.Calibration.Probes != len(h.runs)-1 || m.HeldOut == nil {
		t.Errorf("%d probes of %v", m.Calibration.Probes, h.runs)
	}
}

// A server that is not fit for a twin is refused early, and one that suffers is let
// alone.
func TestCalibrationRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(probe string, r *record.Record)
		says  string
		most  int // probes until then
	}{
		"no usage": {func(_ string, r *record.Record) { r.Usage = nil }, "how many tokens the server counted", 1},
		"ignores max_tokens": {func(_ string, r *record.Record) { r.Usage["completion_tokens"] = 9 },
			"another length than was asked for", 1},
		"several tokens a chunk": {func(_ string, r *record.Record) { r.Arrivals = r.Arrivals[:5] },
			"tokens on average", 1},
		"dies": {func(p string, r *record.Record) {
			if p != "idle" {
				r.Outcome, r.Failure = record.Failed, &record.Failure{Class: record.ClassRefused, Message: "refused"}
			}
		}, "requests failed, the last: refused", 2},
		"gets slow": {func(p string, r *record.Record) {
			if p != "idle" {
				r.Arrivals = slices.Clone(r.Arrivals)
				for i := range r.Arrivals {
					r.Arrivals[i].At += 200e9
				}
			}
		}, "waited more than", 2},
		"drifts": {func(p string, r *record.Record) {}, "changed by", 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := server(t)
			h.spoil = tt.spoil
			c := h.calibration(t, false)
			if name == "drifts" {
				c.Load = 15 * time.Second
				h.before = func(p string) {
					if p == "idle_again" {
						h.model.Weights *= 2
					}
				}
			}
			_, err := c.Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.says) || len(h.runs) > tt.most {
				t.Errorf("after %v: %v", h.runs, err)
			}
		})
	}
}

// Where the Records of the first probe were removed the last one has nothing to be
// compared with, and the first is measured again.
func TestResumeWithoutTheFirstProbe(t *testing.T) {
	c := &Calibration{}
	p := Limits{Context: 1000}.last()
	l := &fit.Load{Requests: []fit.Request{{ISL: 100, OSL: 16}}, Seen: []fit.Times{{First: 1e7, Total: 1e8}}}
	if err := c.take(p, l); err != nil || len(c.doubts) > 0 {
		t.Errorf("%v, doubts %v", err, c.doubts)
	}
}

func TestDoubts(t *testing.T) {
	s := Seen{Requests: 20, Replies: 20, NoHead: 20, Counted: 120, Chunks: 100, NoUsage: 1}
	if got := s.doubts(); len(got) != 3 {
		t.Errorf("doubts %q", got)
	}
	if s.refuse(false) != nil || (Seen{}).refuse(true) == nil {
		t.Error("refused wrongly")
	}
	if doubt, err := drifted("x", []float64{1, 1.15, 1.05}); err != nil || doubt == "" {
		t.Errorf("%q, %v", doubt, err)
	}
}
