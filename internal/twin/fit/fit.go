package fit

import (
	"context"
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"headway/internal/twin"
	"headway/metric"
)

// Point is a figure of a profile: the mean time per token of so many equal
// sequences that decode together, or the time to the first token of a prompt
// alone.
type Point struct {
	Sequences, ISL, OSL int
	TTFT, ITL           float64 // ms; 0 where it was not measured
}

// load is the prompt of the point, as a load to simulate.
func (p Point) load() *Load {
	return &Load{Name: "profile", Concurrency: 1, Requests: []Request{{ISL: p.ISL, OSL: 1}}}
}

// Data is what a fit has to go by.
type Data struct {
	Engine twin.Engine
	Loads  []*Load
	Points []Point
}

// ranks are the shares at which the times of a load are compared, in order of
// size: which request met which is chance, and two runs of one load differ in it.
var ranks = [...]float64{0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99}

// kinds of times, and what each counts. Gaps and latencies are known more
// exactly than times to the first token, and a plan rests on them.
const (
	kindTTFT = iota
	kindITL
	kindTotal
	kindAck
	kinds
)

var (
	atRank = [kinds]float64{1, 2, 1.5, 0.3}
	ofMean = [kinds]float64{2, 4, 3, 0.3}
)

// shape is a load's times of each kind: at the ranks, then the mean.
type shape [kinds][len(ranks) + 1]float64

// cold is how many requests from the first on are not compared: the first of each
// slot of a closed loop, which all come at once, on new connections, to a server
// that may be cold.
func (l *Load) cold() int {
	if 2*l.Concurrency > len(l.Requests) {
		return 0
	}
	return l.Concurrency
}

func shapeOf(l *Load, all []Times) shape {
	var times [kinds][]float64
	for i, t := range all {
		if i < l.cold() {
			continue
		}
		times[kindTTFT] = append(times[kindTTFT], float64(t.First))
		times[kindAck] = append(times[kindAck], float64(t.Ack))
		times[kindTotal] = append(times[kindTotal], float64(t.Total))
		if n := l.Requests[i].OSL; n > 1 {
			times[kindITL] = append(times[kindITL], t.Gap(n))
		}
	}
	var s shape
	for k, x := range times {
		if len(x) == 0 {
			continue
		}
		slices.Sort(x)
		for i, r := range ranks {
			s[k][i] = metric.Percentile(x, 100*r)
		}
		for _, v := range x {
			s[k][len(ranks)] += v / float64(len(x))
		}
	}
	return s
}

// residuals are how far a simulated shape is from the real one, in parts of the
// mean, weighed.
func (s *shape) residuals(real *shape, into []float64) []float64 {
	for k := range s {
		mean := real[k][len(ranks)]
		if mean <= 0 {
			continue
		}
		for i := range ranks {
			into = append(into, atRank[k]/float64(len(ranks))*(s[k][i]-real[k][i])/mean)
		}
		into = append(into, ofMean[k]*(s[k][len(ranks)]/mean-1))
	}
	return into
}

// fitting is a fit at work.
type fitting struct {
	*Data
	start twin.Model
	begin []float64
	real  []shape
}

// residuals says how far the model at x is from what was measured, part by part.
func (f *fitting) residuals(ctx context.Context, x []float64) ([]float64, error) {
	m := f.start.At(x)
	var all []float64
	for i, l := range f.Loads {
		sim, err := Simulate(ctx, f.Engine, m, l, 1)
		if err != nil {
			return nil, err
		}
		s := shapeOf(l, sim)
		all = s.residuals(&f.real[i], all)
	}
	for _, p := range f.Points {
		r, err := f.atPoint(ctx, m, p)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	for i, p := range twin.Parameters {
		all = append(all, p.Weight*(x[i]-f.begin[i])*(x[i]-f.begin[i]))
	}
	return all, nil
}

func (f *fitting) atPoint(ctx context.Context, m *twin.Model, p Point) (float64, error) {
	if p.ITL > 0 {
		return math.Log(m.Gap(p.Sequences, p.ISL+p.OSL/2) / p.ITL), nil
	}
	sim, err := Simulate(ctx, f.Engine, m, p.load(), 1)
	if err != nil {
		return 0, err
	}
	return 0.5 * math.Log(float64(sim[0].First)/1e6/p.TTFT), nil
}

// distance adds up the residuals.
func distance(r []float64) float64 {
	sum := 0.0
	for _, v := range r {
		sum += math.Abs(v)
	}
	return sum
}

// groups are parameters that a search turns together, since what one takes the
// others can give: of the GPU and of tokens on their way out, of launches, and of
// the way in. All of them at once would take many times the simulations.
var groups = [][]string{
	{"weights_ms", "kv_ns_per_token", "kv_alone_ns_per_token", "sequence_us", "launch_decode_ms",
		"detokenize_us", "write_us"},
	{"compute_us_per_token", "attention_ns_per_pair", "launch_small_ms", "launch_prompt_ms", "launch_share", "jitter",
		"submit_ms"},
	{"accept_ms", "turn_ms", "tokenize_us_per_token", "prepare_ms", "submit_ms", "output_ms", "close_ms"},
}

// errNoLoad says that there is nothing to fit a twin on.
var errNoLoad = errors.New("fitting a twin: there is no load: give results of run or bench that are not held out; " +
	"points of a profile alone do not show the server in front of the engine")

// Fit finds the model under which simulated loads are nearest to those that were
// measured: first by slopes, from however far, then by turning groups of
// parameters, since a simulation is a staircase near its best. It returns the
// covariance of the parameters' logarithms, too.
func (d *Data) Fit(ctx context.Context) (*twin.Model, *mat.SymDense, error) {
	if len(d.Loads) == 0 {
		return nil, nil, errNoLoad
	}
	f := &fitting{Data: d, start: twin.UsualOf(d.Engine.Type)}
	for _, l := range d.Loads {
		f.real = append(f.real, shapeOf(l, l.Seen))
	}
	d.guess(&f.start)
	x := f.start.Vector()
	f.begin = slices.Clone(x)
	for range mostDescents {
		y, better, err := f.descend(ctx, x)
		if err != nil {
			return nil, nil, err
		}
		if !better {
			break
		}
		x = y
	}
	f.begin = slices.Clone(x)
	best, err := f.value(ctx, x)
	if err != nil {
		return nil, nil, err
	}
	size := 0.25
	for range 2 {
		for _, g := range groups {
			y, v, err := f.search(ctx, x, g, size, 80)
			if err != nil {
				return nil, nil, err
			}
			if v < best {
				x, best = y, v
			}
		}
		size /= 2
	}
	c, err := f.covariance(ctx, x)
	if err != nil {
		return nil, nil, err
	}
	return f.start.At(x), c, nil
}

func (f *fitting) value(ctx context.Context, x []float64) (float64, error) {
	r, err := f.residuals(ctx, x)
	return distance(r), err
}

// Descents by slopes: at most so many, with a parameter changed by slope to see
// what follows, and by at most stride at a time. They are logarithms. A smaller
// change would see one stair of the staircase that a simulation is.
const (
	mostDescents = 8
	slope        = 0.15
	stride       = 0.5
)

// descend goes one step of the method of Levenberg and Marquardt.
func (f *fitting) descend(ctx context.Context, x []float64) ([]float64, bool, error) {
	at, err := f.residuals(ctx, x)
	if err != nil {
		return nil, false, err
	}
	j, err := f.slopes(ctx, x, at)
	if err != nil {
		return nil, false, err
	}
	for damping := 0.003; damping < 100; damping *= 8 {
		y := downhill(x, at, j, damping)
		r, err := f.residuals(ctx, y)
		if err != nil {
			return nil, false, err
		}
		if squares(r) < 0.97*squares(at) {
			return y, true, nil
		}
	}
	return x, false, nil
}

// slopes are those of the residuals at x, where they are at.
func (f *fitting) slopes(ctx context.Context, x, at []float64) (*mat.Dense, error) {
	j := mat.NewDense(len(at), len(x), nil)
	for i := range x {
		y := slices.Clone(x)
		y[i] += slope
		r, err := f.residuals(ctx, y)
		if err != nil {
			return nil, err
		}
		for k := range r {
			j.Set(k, i, (r[k]-at[k])/slope)
		}
	}
	return j, nil
}

// downhill is where the slopes lead, the less far the more damping there is.
func downhill(x, at []float64, j *mat.Dense, damping float64) []float64 {
	var normal mat.Dense
	normal.Mul(j.T(), j)
	for i := range x {
		normal.Set(i, i, (normal.At(i, i)+1e-3)*(1+damping))
	}
	var down, move mat.VecDense
	down.MulVec(j.T(), mat.NewVecDense(len(at), at))
	if err := move.SolveVec(&normal, &down); err != nil {
		return x
	}
	y := slices.Clone(x)
	for i := range y {
		y[i] -= min(max(move.AtVec(i), -stride), stride)
	}
	return y
}

func squares(r []float64) float64 {
	sum := 0.0
	for _, v := range r {
		sum += v * v
	}
	return sum
}

// search turns the named parameters.
func (f *fitting) search(ctx context.Context, x []float64, names []string, size float64, calls int) ([]float64, float64,
	error) {
	var at []int
	for i, p := range twin.Parameters {
		if slices.Contains(names, p.Name) {
			at = append(at, i)
		}
	}
	put := func(part []float64) []float64 {
		y := slices.Clone(x)
		for k, i := range at {
			y[i] = part[k]
		}
		return y
	}
	var failed error
	value := func(part []float64) float64 {
		if failed != nil {
			return math.Inf(1)
		}
		v, err := f.value(ctx, put(part))
		if err != nil {
			failed = err
			return math.Inf(1)
		}
		return v
	}
	begin := make([]float64, len(at))
	for k, i := range at {
		begin[k] = x[i]
	}
	r, err := optimize.Minimize(optimize.Problem{Func: value}, begin,
		&optimize.Settings{FuncEvaluations: calls,
			Converger: &optimize.FunctionConverge{Absolute: 1e-3, Iterations: 30}},
		&optimize.NelderMead{SimplexSize: size})
	if failed != nil {
		return nil, 0, failed
	}
	if err != nil {
		return nil, 0, err
	}
	return put(r.X), r.F, nil
}
