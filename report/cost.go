package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Cost is what the measured phase of a run costs in dollars, by the prices that the
// user gave: of the hours of its GPUs, of their energy, or of both.
type Cost struct {
	// GPUHours and KWh are what is paid for; 0 of what has no price, or is not known.
	GPUHours, KWh float64
	Dollars       float64
	// MillionTokens, Request and Good are dollars for a million output tokens, for each
	// request that was answered, and for each that met the goodput objectives; NaN where
	// there are none.
	MillionTokens, Request, Good float64
}

const joulesOfKWh = 3.6e6

// Cost is that of the GPUs that the user declared, else of those that were read; ok says
// that there is a price, and something to pay for.
func (r *Report) Cost() (c Cost, ok bool) {
	p := r.Run.Prices
	if p == nil {
		return c, false
	}
	energy, known := r.Energy()
	gpus := r.Run.NumGPUs
	if gpus == 0 {
		gpus = len(r.gpuEnergies())
	}
	if p.GPUHour > 0 {
		c.GPUHours = float64(gpus) * time.Duration(r.Run.End-r.Run.Begin).Hours()
	}
	if p.KWh > 0 && known {
		c.KWh = energy.Joules / joulesOfKWh
	}
	c.Dollars = c.GPUHours*p.GPUHour + c.KWh*p.KWh
	good, _ := r.Result.Scalar("good_request_count")
	each := func(n float64) float64 {
		if n <= 0 {
			return math.NaN()
		}
		return c.Dollars / n
	}
	c.MillionTokens, c.Request, c.Good = 1e6*each(r.outputTokens()), each(float64(r.Result.OK)), each(good.Value)
	return c, c.Dollars > 0
}

// costLine says what a run costs, or why that is not known; "" where nothing has a price.
func (r *Report) costLine() string {
	p := r.Run.Prices
	c, ok := r.Cost()
	switch {
	case ok:
		return c.text()
	case p == nil:
		return ""
	case p.GPUHour > 0 && r.Run.NumGPUs == 0 && len(r.gpuEnergies()) == 0:
		return "Cost: not known, since no GPU was read; give their number with --num-gpus"
	case p.KWh > 0:
		return "Cost: not known, since the energy of the GPUs is not"
	}
	return ""
}

// costShare is a cost for one thing, by its name in files and in text.
type costShare struct {
	name, of string
	value    float64
}

func (c Cost) shares() (list []costShare) {
	for _, x := range []costShare{{"dollars_per_million_output_tokens", "for a million output tokens", c.MillionTokens},
		{"dollars_per_request", "for each request", c.Request},
		{"dollars_per_good_request", "for each good request", c.Good}} {
		if !math.IsNaN(x.value) {
			list = append(list, x)
		}
	}
	return list
}

// object is a cost in files.
func (c Cost) object() object {
	o := object{{"dollars", c.Dollars}}
	if c.GPUHours > 0 {
		o.add("gpu_hours", c.GPUHours)
	}
	if c.KWh > 0 {
		o.add("kwh", c.KWh)
	}
	for _, x := range c.shares() {
		o.add(x.name, x.value)
	}
	return o
}

// text says what is paid for, and what of it comes to each thing.
func (c Cost) text() string {
	var paid []string
	if c.GPUHours > 0 {
		paid = append(paid, digits(c.GPUHours)+" GPU hours")
	}
	if c.KWh > 0 {
		paid = append(paid, digits(c.KWh)+" kWh")
	}
	text := fmt.Sprintf("Cost: $%s for %s", digits(c.Dollars), strings.Join(paid, " and "))
	for _, x := range c.shares() {
		text += fmt.Sprintf("; $%s %s", digits(x.value), x.of)
	}
	return text
}

// digits has three digits that count, however small an amount is.
func digits(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
