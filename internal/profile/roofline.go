package profile

import (
	"fmt"
	"math"
	"time"

	"headway/internal/interp"
	"headway/internal/model"
)

// RooflinePoint is one measured point of a profile beside what a roofline says
// of it. Times are in milliseconds.
type RooflinePoint struct {
	Phase Phase `json:"phase"`
	// Tokens is the prompt's length of a prefill point, and the mean context of
	// a decode point; Sequences is how many decode together.
	Tokens    float64 `json:"tokens"`
	Sequences float64 `json:"sequences,omitempty"`
	// Measured is TTFT or ITL; Predicted is the step's time by the roofline
	// with the efficiencies that were given, Fitted with those that fit best.
	Measured  float64 `json:"measured_ms"`
	Predicted float64 `json:"predicted_ms"`
	Fitted    float64 `json:"fitted_ms,omitempty"`
}

// RooflineComparison holds a profile against a roofline.
type RooflineComparison struct {
	// ComputeEfficiency and MemoryEfficiency are those that were given, from 0 to
	// 1: with them the points are predicted.
	ComputeEfficiency float64 `json:"compute_efficiency"`
	MemoryEfficiency  float64 `json:"memory_efficiency"`

	Points []RooflinePoint `json:"points"`
	// Fit has the efficiencies for which the relative errors are least; nil
	// when NoFit says why there are none.
	Fit   *RooflineFit `json:"fit,omitempty"`
	NoFit string       `json:"no_fit,omitempty"`
}

// RooflineFit are shares of a GPU's peak rates, from 0 to 1, and how well they
// explain what was measured.
type RooflineFit struct {
	Compute float64 `json:"compute_efficiency"`
	Memory  float64 `json:"memory_efficiency"`
	// RMS is the root mean square of the relative errors.
	RMS      float64  `json:"rms_relative_error"`
	Warnings []string `json:"warnings,omitempty"`
}

// CompareRoofline reads the points of a profile's folder, either half or both,
// and predicts them: a prompt as one step that computes all of it, a decode
// point as a step of its sequences at their mean context. What an engine adds,
// queues, host time and HTTP, is in the measurement alone.
func CompareRoofline(dir string, s model.Setup) (RooflineComparison, error) {
	prefill, noPrefill := interp.ReadHalf(dir, "prefill", "prefill_isl", "prefill_ttft")
	decode, noDecode := interp.ReadHalf(dir, "decode", "x_kv_usage", "y_context_length", "z_itl", "max_kv_tokens")
	if noPrefill != nil && noDecode != nil {
		return RooflineComparison{}, readError("prefill", dir, noPrefill)
	}
	c := RooflineComparison{ComputeEfficiency: s.Efficiency.Compute, MemoryEfficiency: s.Efficiency.Memory}
	for i, isl := range prefill["prefill_isl"] {
		c.Points = append(c.Points, RooflinePoint{Phase: Prefill, Tokens: isl, Measured: prefill["prefill_ttft"][i]})
	}
	for i, usage := range decode["x_kv_usage"] {
		context := decode["y_context_length"][i]
		c.Points = append(c.Points, RooflinePoint{Phase: Decode, Tokens: context, Measured: decode["z_itl"][i],
			Sequences: usage * decode["max_kv_tokens"][0] / context})
	}
	if err := c.predict(s, func(p *RooflinePoint) *float64 { return &p.Predicted }); err != nil {
		return RooflineComparison{}, err
	}
	fit, err := s.Fit(c.steps(s))
	if err != nil {
		c.NoFit = err.Error()
		return c, nil
	}
	c.Fit = &RooflineFit{Compute: fit.Efficiency.Compute, Memory: fit.Efficiency.Memory, RMS: fit.RMS,
		Warnings: fit.Warnings}
	s.Efficiency = fit.Efficiency
	return c, c.predict(s, func(p *RooflinePoint) *float64 { return &p.Fitted })
}

// predict fills in one field of every point.
func (c *RooflineComparison) predict(s model.Setup, field func(*RooflinePoint) *float64) error {
	r, err := s.Roofline()
	if err != nil {
		return fmt.Errorf("the roofline of %s on %s: %w", s.Mapping, s.GPU.Name, err)
	}
	for i, w := range c.steps(s) {
		took := r.StepTime(w.PrefillTokens, w.PrefillContextSum, w.DecodeSeqs, w.DecodeContextTokens)
		*field(&c.Points[i]) = took.Seconds() * 1000
	}
	return nil
}

// steps are the points as work of one attention rank.
func (c *RooflineComparison) steps(s model.Setup) []model.Point {
	ranks := float64(s.Mapping.AttentionDP())
	steps := make([]model.Point, len(c.Points))
	for i, p := range c.Points {
		w := &steps[i]
		w.Time = time.Duration(p.Measured * float64(time.Millisecond))
		if p.Phase == Prefill {
			w.PrefillTokens = int(p.Tokens)
			w.PrefillContextSum = model.PrefillContext(0, w.PrefillTokens)
			continue
		}
		w.DecodeSeqs = int(math.Ceil(p.Sequences/ranks - 1e-9))
		w.DecodeContextTokens = int(math.Round(float64(w.DecodeSeqs) * p.Tokens))
	}
	return steps
}
