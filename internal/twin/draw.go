package twin

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Draw gives n models that the server may as well be: drawn around the fit by the
// covariance of the parameters, the same ones in each call. Without a covariance each
// is the fit itself.
func (f *File) Draw(n int) []*Model {
	drawn := make([]*Model, n)
	root := f.Uncertainty.root()
	random := rand.New(rand.NewPCG(1, 0x7477696e))
	for i := range drawn {
		if drawn[i] = &f.Model; root == nil {
			continue
		}
		z := mat.NewVecDense(len(Parameters), nil)
		for k := range len(Parameters) {
			z.SetVec(k, random.NormFloat64())
		}
		var off mat.VecDense
		off.MulVec(root, z)
		x := f.Model.Vector()
		for k := range x {
			x[k] += off.AtVec(k)
		}
		drawn[i] = f.Model.At(x)
	}
	return drawn
}

// root is a matrix whose product with its own transpose is the covariance; nil where
// there is none.
func (u *Uncertainty) root() mat.Matrix {
	if u == nil {
		return nil
	}
	covariance := u.symmetric()
	var c mat.Cholesky
	if c.Factorize(covariance) {
		var lower mat.TriDense
		c.LTo(&lower)
		return &lower
	}
	// Digits that the file leaves out may turn a direction that is known well into one
	// of a variance just below 0. Drawing none would leave out the others with it.
	var e mat.EigenSym
	if !e.Factorize(covariance, true) {
		return nil
	}
	var directions mat.Dense
	e.VectorsTo(&directions)
	variances := e.Values(nil)
	directions.Apply(func(_, k int, v float64) float64 { return v * math.Sqrt(max(variances[k], 0)) }, &directions)
	return &directions
}

// symmetric is the whole covariance.
func (u *Uncertainty) symmetric() *mat.SymDense {
	covariance := mat.NewSymDense(len(Parameters), nil)
	for i, row := range u.Covariance {
		for k := range min(i+1, len(row)) {
			covariance.SetSym(i, k, row[k])
		}
	}
	return covariance
}

// cut is the largest share by which a variance may lie below 0 for the digits that the
// file leaves out.
const cut = 1e-4

// isCovariance says whether no direction has a variance below 0, but for cut digits.
func (u *Uncertainty) isCovariance() bool {
	var e mat.EigenSym
	if !e.Factorize(u.symmetric(), false) {
		return false
	}
	values := e.Values(nil) // rising
	return values[0] >= -cut*values[len(values)-1]
}
