package fit

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"headway/internal/twin"
)

// unknown is the standard deviation of a parameter's logarithm that no load says
// anything of: what it is on hosts and GPUs of one kind.
const unknown = 0.3

// covariance is that of the parameters' logarithms around a fit. The residuals at
// the ranks of one distribution move together, so each distribution counts as
// one residual, not as many.
func (f *fitting) covariance(ctx context.Context, x []float64) (*mat.SymDense, error) {
	at, err := f.residuals(ctx, x)
	if err != nil {
		return nil, err
	}
	j, err := f.slopes(ctx, x, at)
	if err != nil {
		return nil, err
	}
	measured := len(at) - len(twin.Parameters)
	j = mat.DenseCopyOf(j.Slice(0, measured, 0, len(x)))
	independent := float64(int(kinds)*len(f.Loads) + len(f.Points))
	variance := max(squares(at[:measured])/independent, 1e-6)
	var normal mat.Dense
	normal.Mul(j.T(), j)
	precision := mat.NewSymDense(len(x), nil)
	for i := range x {
		for k := i; k < len(x); k++ {
			precision.SetSym(i, k, normal.At(i, k)/variance)
		}
		precision.SetSym(i, i, precision.At(i, i)+1/(unknown*unknown))
	}
	var c mat.Cholesky
	c.Factorize(precision) // it is positive definite: the prior is on its diagonal
	var inverse mat.SymDense
	return &inverse, c.InverseTo(&inverse)
}

// uncertainty is what calibrates the intervals of a twin: the loads that were held
// out, or where they have too few blocks, all of them.
func (a *Asked) uncertainty(ctx context.Context, f *twin.File, c *mat.SymDense) (*twin.Uncertainty, error) {
	u := &twin.Uncertainty{HeldOut: true, Parameters: twin.ParameterNames()}
	for i := range c.SymmetricDim() {
		row := make([]float64, i+1)
		for k := range row {
			row[k] = rounded(c.At(i, k))
		}
		u.Covariance = append(u.Covariance, row)
	}
	loads := a.HeldOut
	if blocksOf(loads) < fewestBlocks {
		loads, u.HeldOut = append(append([]*Load(nil), a.HeldOut...), a.Loads...), false
	}
	u.Residuals = map[string][]float64{}
	for _, l := range loads {
		sim, err := Simulate(ctx, f.Engine, &f.Model, l, 1)
		if err != nil {
			return nil, err
		}
		l.addResiduals(sim, u.Residuals)
	}
	return u, nil
}

func rounded(v float64) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

// logSpread is the standard deviation of the logarithms.
func logSpread(x []float64) float64 {
	sum, square := 0.0, 0.0
	for _, v := range x {
		l := math.Log(max(v, math.SmallestNonzeroFloat64))
		sum, square = sum+l, square+l*l
	}
	n := float64(len(x))
	return math.Sqrt(max(square-sum*sum/n, 0) / max(n-1, 1))
}
