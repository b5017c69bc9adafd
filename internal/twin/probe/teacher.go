package probe

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"headway/internal/twin"
	"headway/internal/twin/fit"
	"headway/metric"
	"headway/workload"
)

// What the choice of probes takes for granted, as logarithms: by how much a
// parameter may be off before it is measured, and by how much a figure of a load is
// off for reasons that no parameter has.
const (
	priorSpread  = 0.7
	figureSpread = 0.05
	turned       = 0.2 // by how much a parameter is changed to see what follows
)

// teacher knows what probes say of the parameters, to first order around a model:
// the Fisher information of what was measured, and what a probe would add to it.
type teacher struct {
	engine twin.Engine
	model  *twin.Model
	info   *mat.SymDense
	// slopes are those of a probe's figures, a row a figure, a column a parameter.
	slopes map[string]*mat.Dense
	// judged are the probes whose figures are to be predicted well.
	judged []string
}

func newTeacher(e twin.Engine, m *twin.Model) *teacher {
	t := &teacher{engine: e, model: m, slopes: map[string]*mat.Dense{}}
	t.forget()
	return t
}

// forget leaves what is known before anything is measured.
func (t *teacher) forget() {
	n := len(twin.Parameters)
	t.info = mat.NewSymDense(n, nil)
	for i := range n {
		t.info.SetSym(i, i, 1/(priorSpread*priorSpread))
	}
}

// means is how many of a load's figures are means; the others are quantiles.
const means = 4

// figures of a load as logarithms: means first.
func figures(l *fit.Load, all []fit.Times) []float64 {
	var kinds [means][]float64
	for i, t := range all {
		kinds[0] = append(kinds[0], float64(t.First))
		kinds[2] = append(kinds[2], float64(t.Total))
		kinds[3] = append(kinds[3], float64(t.Ack))
		if n := l.Requests[i].OSL; n > 1 {
			kinds[1] = append(kinds[1], t.Gap(n))
		}
	}
	var mean, quantiles []float64
	for _, x := range kinds {
		slices.Sort(x)
		mean = append(mean, logOf(average(x)))
		quantiles = append(quantiles, logOf(metric.Percentile(x, 10)), logOf(metric.Percentile(x, 90)))
	}
	return append(mean, quantiles...)
}

func average(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(len(x), 1))
}

// logOf is of nanoseconds; what is shorter than a microsecond says nothing.
func logOf(ns float64) float64 {
	if math.IsNaN(ns) {
		return 0
	}
	return math.Log(max(ns, 1e3))
}

// know finds the slopes of a load's figures.
func (t *teacher) know(ctx context.Context, name string, l *fit.Load) error {
	if t.slopes[name] != nil {
		return nil
	}
	at := t.model.Vector()
	base, err := t.figuresAt(ctx, at, l)
	if err != nil {
		return err
	}
	d := mat.NewDense(len(base), len(at), nil)
	for i := range at {
		x := slices.Clone(at)
		x[i] += turned
		f, err := t.figuresAt(ctx, x, l)
		if err != nil {
			return err
		}
		for k := range f {
			d.Set(k, i, (f[k]-base[k])/turned)
		}
	}
	t.slopes[name] = d
	return nil
}

func (t *teacher) figuresAt(ctx context.Context, x []float64, l *fit.Load) ([]float64, error) {
	all, err := fit.Simulate(ctx, t.engine, t.model.At(x), l, 1)
	if err != nil {
		return nil, fmt.Errorf("choosing a probe: %w", err)
	}
	return figures(l, all), nil
}

// consider makes a probe one that may be asked about.
func (t *teacher) consider(ctx context.Context, p Probe) error {
	t.judged = append(t.judged, p.Name)
	return t.know(ctx, p.Name, p.load(workload.Seed(1)))
}

// learnt says that a probe was measured.
func (t *teacher) learnt(name string) { t.info = t.with(name) }

// with is the information that there is after a probe.
func (t *teacher) with(name string) *mat.SymDense {
	var part mat.Dense
	d := t.slopes[name]
	part.Mul(d.T(), d)
	n := len(twin.Parameters)
	sum := mat.NewSymDense(n, nil)
	for i := range n {
		for k := i; k < n; k++ {
			sum.SetSym(i, k, t.info.At(i, k)+part.At(i, k)/(figureSpread*figureSpread))
		}
	}
	return sum
}

// uncertain is by which share the means of all loads that are judged are uncertain,
// in the quadratic mean.
func (t *teacher) uncertain(info *mat.SymDense) float64 {
	var c mat.Cholesky
	if !c.Factorize(info) {
		return math.Inf(1)
	}
	sum, n := 0.0, 0
	var x mat.VecDense
	for _, name := range t.judged {
		for k := range means {
			row := t.slopes[name].RowView(k)
			if c.SolveVecTo(&x, row) == nil {
				sum += mat.Dot(row, &x)
				n++
			}
		}
	}
	return math.Sqrt(sum / float64(max(n, 1)))
}

// now is the uncertainty as things are, after what it would be with a probe more.
func (t *teacher) now() float64              { return t.uncertain(t.info) }
func (t *teacher) after(name string) float64 { return t.uncertain(t.with(name)) }
