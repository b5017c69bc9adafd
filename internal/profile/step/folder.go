package step

import (
	"errors"
	"fmt"
	"io/fs"
	"math"

	"headway/internal/interp"
)

// Profile is what a profile's folder says of steps, and how far it can be trusted.
type Profile struct {
	*Times
	Trust Trust
}

// Read reads the results of a profiler in dir: the arrays that Dynamo's planner reads,
// and the tables of points where headway wrote them, which say how sure they are.
//
// Where an earlier version counted tokens by its client and a table says that the
// server counted others, ITL is turned into times per token of the server.
func Read(dir string) (*Profile, error) {
	p := &Profile{}
	prefill, err := p.prefill(dir)
	if err != nil {
		return nil, fmt.Errorf("prefill: %w", err)
	}
	decode, err := p.decode(dir)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	if p.Times, err = New(prefill, decode); err != nil {
		return nil, err
	}
	p.Trust.Flat = p.Times.Flat()
	for _, b := range p.Front.Bound {
		if b {
			p.Trust.FrontBound++
		}
	}
	return p, nil
}

func (p *Profile) prefill(dir string) ([]Prefill, error) {
	a, err := interp.ReadHalf(dir, "prefill", "prefill_isl", "prefill_ttft")
	if err != nil {
		return nil, err
	}
	isl, ttft := a["prefill_isl"], a["prefill_ttft"]
	if len(isl) != len(ttft) {
		return nil, fmt.Errorf("prefill_ttft has %d values: must be %d, as prefill_isl has", len(ttft), len(isl))
	}
	rows, err := table(dir, "prefill")
	if err != nil {
		return nil, err
	}
	var points []Prefill
	for i, x := range isl {
		if !(x >= 1 && x < 1e9) {
			return nil, fmt.Errorf("prefill_isl: value %d is %v: must be from 1 to a billion", i, x)
		}
		points = append(points, Prefill{ISL: int(x), TTFT: ttft[i] / 1e3})
		p.Trust.ISL.add(x)
		p.Trust.add(find(rows, func(r Row) bool { return r.Count("isl") == int(x) }), "ttft_ms")
	}
	return points, nil
}

func (p *Profile) decode(dir string) ([]Decode, error) {
	a, err := interp.ReadHalf(dir, "decode", "x_kv_usage", "y_context_length", "z_itl", "max_kv_tokens")
	if err != nil {
		return nil, err
	}
	usage, context, itl := a["x_kv_usage"], a["y_context_length"], a["z_itl"]
	if len(usage) != len(context) || len(usage) != len(itl) || len(a["max_kv_tokens"]) != 1 {
		return nil, fmt.Errorf("x_kv_usage, y_context_length and z_itl have %d, %d and %d values, max_kv_tokens %d: "+
			"must be equally many, and 1", len(usage), len(context), len(itl), len(a["max_kv_tokens"]))
	}
	rows, err := table(dir, "decode")
	if err != nil {
		return nil, err
	}
	var points []Decode
	for i, share := range usage {
		n := share * a["max_kv_tokens"][0] / context[i]
		if !(n > 0.5 && n < 1e6) {
			return nil, fmt.Errorf("point %d: x_kv_usage %v of %v tokens at y_context_length %v: must be one request "+
				"or more", i, share, a["max_kv_tokens"][0], context[i])
		}
		row := find(rows, func(r Row) bool {
			return near(r.Number("kv_usage"), share) && near(r.Number("context"), context[i])
		})
		d := Decode{Requests: int(math.Round(n)), Context: context[i], ITL: itl[i] / 1e3 / clientTokens(row)}
		points = append(points, d)
		p.Trust.Context.add(d.Context)
		p.Trust.Requests = max(p.Trust.Requests, d.Requests)
		p.Trust.add(row, "itl_ms")
	}
	return points, nil
}

// clientTokens is how many of the server's tokens are one of those that a point's
// array is of; 1 where these are the server's.
func clientTokens(r Row) float64 {
	if _, server := r[FrontColumn]; server {
		return 1
	}
	return ServerTokens(r["warnings"])
}

// table is that of a phase's points, empty where there is none.
func table(dir, phase string) ([]Row, error) {
	rows, err := ReadTable(dir, phase)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return rows, err
}

// find is the first row that is meant and did not fail, nil where there is none.
func find(rows []Row, meant func(Row) bool) Row {
	for _, r := range rows {
		if !r.Failed() && meant(r) {
			return r
		}
	}
	return nil
}

// near allows for the nine digits of a table.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Abs(b) }
