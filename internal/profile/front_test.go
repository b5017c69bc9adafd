package profile

import (
	"bytes"
	"encoding/csv"
	"math"
	"slices"
	"strings"
	"testing"

	"headway/internal/fault"
	"headway/metric"
	"headway/record"
	"headway/report"
)

// A client that counts other tokens than the server has both in its points, and the
// arrays for the planner are the server's.
func TestArraysAreOfTheServersTokens(t *testing.T) {
	e := plain()
	e.spoil = func(_ int, r *record.Record) {
		if r.TokensOut > 1 {
			r.Usage["completion_tokens"] = r.TokensOut
			r.TokensOut += 50 // and the client counts more
		}
	}
	s := sweep()
	s.Tokens = metric.TokensClient
	s.Name = func(f fault.Field) string { return string(f) }
	d, err := MeasureDecode(t.Context(), e, s)
	if err != nil {
		t.Fatal(err)
	}
	itl := array(t, d, "z_itl")
	rate := array(t, d, "z_thpt_per_gpu")
	for i, p := range d.Usable() {
		want := e.itl(0, p.Requests)
		if math.Abs(itl[i]/1e3-want) > 1e-6*want || math.Abs(p.ITL.Mean-want*499/549) > 1e-6*want {
			t.Errorf("%s: ITL %v, and %v ms in the arrays: want %v s per token of the server", p.Name(), p.ITL,
				itl[i], want)
		}
		if got := rate[i] / p.Throughput.Mean; math.Abs(got-500.0/550) > 1e-9 {
			t.Errorf("%s: %v times the throughput of the client's tokens", p.Name(), got)
		}
	}
	s.Tokens = metric.TokensServer
	if d, err = MeasureDecode(t.Context(), e, s); err != nil || d.Points[0].ServerITL.N != 0 {
		t.Errorf("the server's counts anyhow: %v, %+v", err, d.Points)
	}
}

// Points of earlier versions say in a warning what the server counted.
func TestArraysOfEarlierPoints(t *testing.T) {
	p := DecodePoint{ITL: Figure{Mean: 0.009, N: 1}, Throughput: Figure{Mean: 100, N: 1}}
	p.warn("the server counted 0.9 times as many reply tokens as the tokenizer here: ITL is per token as counted here")
	if itl, rate := p.Served(); math.Abs(itl-0.01) > 1e-12 || math.Abs(rate-90) > 1e-9 {
		t.Errorf("%v s, %v tokens/s", itl, rate)
	}
}

// array is one of those for the planner.
func array(t *testing.T, s DecodeSurface, name string) []float64 {
	t.Helper()
	for _, a := range s.Arrays() {
		if a.Name == name {
			return a.Values
		}
	}
	t.Fatalf("no %s", name)
	return nil
}

// Points that the front end bounds are marked wherever they are shown.
func TestMarked(t *testing.T) {
	dir := t.TempDir()
	curve := PrefillCurve{Facts: Facts{GPUs: 1}}
	for _, isl := range []int{100, 1000, 2000, 4000} {
		curve.Points = append(curve.Points, PrefillPoint{ISL: isl, Throughput: Figure{Mean: 1, N: 1},
			TTFT: Figure{Mean: 0.015 + max(0.0047, 21e-6*float64(isl)), N: 1}})
	}
	if err := curve.WriteFiles(dir, ""); err != nil {
		t.Fatal(err)
	}
	s := DecodeSurface{Facts: Facts{GPUs: 1, KVTokens: 400000}}
	for _, at := range [][2]int{{1, 350}, {199, 350}, {397, 350}, {1, 2273}, {51, 2273}, {102, 2273}} {
		n, context := float64(at[0]), float64(at[1])
		itl := max(0.0047+27e-9*n*context+1e-5*n, 75e-6*n)
		s.Points = append(s.Points, DecodePoint{ISL: at[1] - 250, OSL: 500, Requests: at[0], Context: context,
			KVUsage: n * context / 400000, ITL: Figure{Mean: itl, N: 3}, Throughput: Figure{Mean: n / itl, N: 3}})
	}
	if known := Marked(s, t.TempDir()).(DecodeSurface); known.Points[2].FrontBound {
		t.Error("without a prefill profile an engine's arithmetic may be what it is")
	}
	m := Marked(s, dir).(DecodeSurface)
	if s.Points[2].FrontBound || len(s.Points[2].Warnings) > 0 {
		t.Error("the surface itself was changed")
	}
	if got := array(t, m, "front_end_bound"); !slices.Equal(got, []float64{0, 0, 0, 1, 0, 1}) &&
		!slices.Equal(got, []float64{0, 1, 1, 0, 0, 0}) {
		t.Errorf("marked %v", got)
	}
	said := FrontBound(m)
	if len(said) != 2 || !strings.Contains(said[1], "397 requests of 100 tokens: the front end") ||
		!strings.Contains(said[1], "about 75 µs") {
		t.Errorf("%q", said)
	}
	var text, table bytes.Buffer
	if err := m.csv(&table); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&table).ReadAll()
	if err != nil || rows[0][len(rows[0])-1] != "front_end_bound" || rows[3][len(rows[3])-1] != "true" {
		t.Errorf("%v: %q", err, rows)
	}
	err = m.Document().Write(&text, report.ConsoleOptions{})
	if err != nil || strings.Count(text.String(), "front end") != 2 {
		t.Errorf("%v\n%s", err, text.String())
	}
	if h := Marked(curve, dir); len(FrontBound(h)) != 0 {
		t.Error("prefill has no such points")
	}
}
