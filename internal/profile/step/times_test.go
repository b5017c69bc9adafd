package step

import (
	"math"
	"strings"
	"testing"
	"time"
)

// server is one whose times follow a formula; times in seconds.
type server struct {
	weights, token, pair, kv, sequence, outside, write float64
}

var usual = server{weights: 4.7e-3, token: 21e-6, pair: 1.1e-9, kv: 27e-9, sequence: 10e-6, outside: 15e-3,
	write: 75e-6}

func (s server) prefill(lengths ...int) (points []Prefill) {
	for _, isl := range lengths {
		work := max(s.weights, s.token*float64(isl)) + s.pair*pairs(isl)
		points = append(points, Prefill{ISL: isl, TTFT: s.outside + work})
	}
	return points
}

func (s server) itl(n int, context float64) float64 {
	work := max(s.weights, s.token*float64(n)) + s.kv*float64(n)*context + s.sequence*float64(n)
	return max(work, s.write*float64(n))
}

func (s server) decode(loads ...[2]int) (points []Decode) {
	for _, l := range loads {
		points = append(points, Decode{Requests: l[0], Context: float64(l[1]), ITL: s.itl(l[0], float64(l[1]))})
	}
	return points
}

var (
	lengths = []int{100, 1363, 2626, 3889, 5152, 6415, 7678}
	loads   = [][2]int{{1, 350}, {199, 350}, {397, 350}, {1, 2273}, {51, 2273}, {102, 2273}, {1, 4196}, {29, 4196},
		{58, 4196}, {1, 6119}, {21, 6119}, {41, 6119}}
)

func near1(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if math.Abs(got-want) > share*want {
		t.Errorf("%s: %.5g, want %.5g within %g %%", what, got, want, 100*share)
	}
}

// What a server's times are made of is read from its points: the marginal cost of a
// prompt's tokens, one pass over the weights, the front end, and the rest outside.
func TestTimesOfAServer(t *testing.T) {
	m, err := New(usual.prefill(lengths...), usual.decode(loads...))
	if err != nil {
		t.Fatal(err)
	}
	near1(t, "outside", m.Outside.Seconds(), usual.outside, 0.1)
	near1(t, "of a token that is written", m.Front.PerToken, usual.write, 1e-9)
	near1(t, "alone", m.Pass(0, 0, 1, 2273).Seconds(), usual.itl(1, 2273), 0.02)
	near1(t, "together", m.Pass(0, 0, 60, 60*3000).Seconds(), usual.itl(60, 3000), 0.02)
	near1(t, "written", m.Pass(0, 0, 300, 300*350).Seconds(), 300*usual.write, 1e-6)
	// Weights are read once, for prompts and decoding alike.
	near1(t, "a prompt", m.Pass(2000, 2000*2001/2, 0, 0).Seconds(), 2000*usual.token+usual.pair*pairs(2000), 0.03)
	mixed := usual.token*(1034+10) + usual.pair*pairs(1034) + usual.kv*11000 + usual.sequence*10
	near1(t, "a prompt beside ten", m.Pass(1034, 1034*1035/2, 10, 11000).Seconds(), mixed, 0.03)
	if a, b := m.Pass(20, 210, 10, 11000), m.Pass(0, 0, 10, 11000); a-b > 10*time.Microsecond {
		t.Errorf("20 tokens beside ten that decode take %v more than none: they fit while the weights are read", a-b)
	}
}

// A longer prompt, more sequences and longer contexts never take less.
func TestTimesGrow(t *testing.T) {
	m, err := New(usual.prefill(lengths...), usual.decode(loads...))
	if err != nil {
		t.Fatal(err)
	}
	last := time.Duration(0)
	for tokens := range 4000 {
		d := m.Pass(tokens, tokens*(tokens+1)/2, 16, 16000)
		if d < last {
			t.Fatalf("%d prompt tokens take %v, one less %v", tokens, d, last)
		}
		last = d
	}
	for _, l := range []struct{ n, context int }{{1, 1}, {1, 200000}, {2000, 1}, {2000, 100000}} {
		if d := m.Pass(0, 0, l.n, l.n*l.context); d <= 0 || d > time.Minute {
			t.Errorf("%d sequences of %d tokens: %v", l.n, l.context, d)
		}
	}
}

// Times between points that lie beside the formula follow the points.
func TestTimesFollowThePoints(t *testing.T) {
	points := usual.decode(loads...)
	for i := range points {
		if points[i].Requests == 58 {
			points[i].ITL *= 1.1
		}
	}
	m, err := New(usual.prefill(lengths...), points)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		got := m.Pass(0, 0, p.Requests, int(float64(p.Requests)*p.Context)).Seconds()
		near1(t, "at a point", got, p.ITL, 0.03)
	}
}

// Points of one context make no surface; the formula is all there is then.
func TestTimesOfOneContext(t *testing.T) {
	m, err := New(usual.prefill(100, 3000), usual.decode([2]int{1, 1000}, [2]int{30, 1000}, [2]int{60, 1000}))
	if err != nil {
		t.Fatal(err)
	}
	near1(t, "between", m.Pass(0, 0, 45, 45000).Seconds(), usual.itl(45, 1000), 0.02)
}

func TestTimesRefused(t *testing.T) {
	good, fine := usual.prefill(100, 2000), usual.decode([2]int{1, 350}, [2]int{9, 350})
	for want, c := range map[string]struct {
		p []Prefill
		d []Decode
	}{
		"1 prompt lengths":                     {good[:1], fine},
		"prompt of 0 tokens":                   {[]Prefill{{0, 1}, good[0]}, fine},
		"TTFT of NaN":                          {[]Prefill{{1, math.NaN()}, good[0]}, fine},
		"0 requests of 350":                    {good, []Decode{{0, 350, 1}, fine[0]}},
		"with an ITL of -1 s":                  {good, []Decode{{1, 350, -1}, fine[1]}},
		"1 prompt lengths and 2 decode points": {[]Prefill{good[0], good[0]}, fine},
		"2 prompt lengths and 1 decode points": {good, []Decode{fine[0], fine[0]}},
	} {
		if _, err := New(c.p, c.d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
