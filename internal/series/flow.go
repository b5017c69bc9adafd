package series

import "math"

// pieces is how many parts the time of a [Flow] has.
const pieces = 512

// Flow is what a run delivered in time: tokens or requests, in equal pieces of
// the time that is looked at, for a rate with an interval.
type Flow struct {
	begin, width float64 // seconds; of one piece
	amounts      []float64
}

// NewFlow makes an empty Flow from one time to another (s).
func NewFlow(begin, end float64) *Flow {
	return &Flow{begin: begin, width: (end - begin) / pieces, amounts: make([]float64, pieces)}
}

// Add counts an amount that came evenly from one time to another, which may be
// the same. What came outside the Flow's time is not counted.
func (f *Flow) Add(from, to, amount float64) {
	if !(f.width > 0) {
		return
	}
	a, b := (from-f.begin)/f.width, (to-f.begin)/f.width
	if b <= a {
		if a >= 0 && a < pieces {
			f.amounts[int(a)] += amount
		}
		return
	}
	for i := int(max(a, 0)); i < pieces && float64(i) < b; i++ {
		f.amounts[i] += amount * (min(b, float64(i+1)) - max(a, float64(i))) / (b - a)
	}
}

// Rate estimates the stationary rate (1/s). A request that is in flight across
// several pieces ties them together: flight is how long it is on average (s).
func (f *Flow) Rate(flight float64) Estimate {
	if !(f.width > 0) {
		return without(math.NaN(), TooShort)
	}
	e := Delivery(f.amounts, f.amounts, flight/f.width)
	e.Value, e.Low, e.High = e.Value/f.width, e.Low/f.width, e.High/f.width
	return e
}

// Delivery estimates the stationary mean of what came in equal pieces of time.
// Together is how many pieces a request is in flight for on average. Smooth is the
// same spread over the requests' times in flight, which has the same slow
// movements and none of the waves in which requests that go in step bring
// something; the mean and whether it drifts are of what came.
//
// No first-order process is fitted here, unlike for latencies. What a queue
// remembers delays what is delivered and adds nothing to it: in the long run as
// much comes out as went in. On shorter times more does than went in, since a
// server catches up, so that only cosines count that are several times as slow as
// a request.
func Delivery(came, smooth []float64, together float64) Estimate {
	e := New(came, together).Mean()
	if !e.Known() {
		return e
	}
	sp := slow(smooth)
	n := float64(len(smooth))
	used := sp.squares[:min(len(sp.squares), int(max(n/(slower*max(together, 1)), 5)))]
	sp.longRun = mean(used)
	half := student(len(used)) * math.Sqrt(sp.longRun/n)
	return Estimate{Value: e.Value, Low: e.Value - half, High: e.Value + half, Effective: sp.effective()}
}

// slower is how many times as long as a request half a period of a cosine is.
const slower = 6
