package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// SequencePair is one kind of request of a [SequenceDist].
type SequencePair struct {
	ISL, OSL Length
	// Percent of the requests that are of this kind, from 0 to 100.
	Percent float64
}

// SequenceDist is a mixture of input and output lengths that belong together.
// The percentages sum to 100.
type SequenceDist []SequencePair

// percentTolerance lets thirds be written as 33.333.
const percentTolerance = 0.01

// Draw picks a kind by its share and then both lengths.
func (d SequenceDist) Draw(r *rand.Rand) (isl, osl int) {
	var total float64
	for _, p := range d {
		total += p.Percent
	}
	x := r.Float64() * total
	pick := d[len(d)-1]
	for _, p := range d {
		if x < p.Percent {
			pick = p
			break
		}
		x -= p.Percent
	}
	return pick.ISL.Draw(r), pick.OSL.Draw(r)
}

// Validate reports every fault of every pair.
func (d SequenceDist) Validate() error {
	if len(d) == 0 {
		return errors.New("sequence distribution: no pairs; write ISL,OSL:percent;…")
	}
	var faults []error
	var total float64
	for i, p := range d {
		faults = append(faults,
			p.ISL.Validate(fmt.Sprintf("pair %d: input length", i+1)),
			p.OSL.Validate(fmt.Sprintf("pair %d: output length", i+1)))
		if !(p.Percent >= 0 && p.Percent <= 100) {
			faults = append(faults, fmt.Errorf("pair %d: %v percent: must be from 0 to 100", i+1, p.Percent))
		}
		total += p.Percent
	}
	if !(math.Abs(total-100) <= percentTolerance) {
		faults = append(faults, fmt.Errorf("percentages sum to %s: must be 100", decimal(total)))
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("sequence distribution: %w", err)
	}
	return nil
}

// String is "ISL|sd,OSL|sd:percent;…", as [ParseSequenceDist] reads it.
func (d SequenceDist) String() string {
	parts := make([]string, len(d))
	for i, p := range d {
		parts[i] = p.ISL.String() + "," + p.OSL.String() + ":" + decimal(p.Percent)
	}
	return strings.Join(parts, ";")
}

// ParseSequenceDist reads one of three spellings:
//
//	256|10,128|5:40;512,256:60
//	[(256|10,128|5):40,(512,256):60]
//	{"pairs":[{"isl":256,"isl_stddev":10,"osl":128,"osl_stddev":5,"prob":40},…]}
//
// The error lists every fault.
func ParseSequenceDist(s string) (SequenceDist, error) {
	s = strings.TrimSpace(s)
	var d SequenceDist
	var err error
	switch {
	case strings.HasPrefix(s, "{"):
		d, err = parseSequenceJSON(s)
	case strings.HasPrefix(s, "["):
		d, err = parsePairs(bracketPairs(s))
	default:
		d, err = parsePairs(strings.Split(strings.TrimSuffix(s, ";"), ";"), nil)
	}
	if err != nil {
		return nil, fmt.Errorf("sequence distribution: %w", err)
	}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	return d, nil
}

// parsePairs reads "ISL,OSL:percent" of each part.
func parsePairs(parts []string, err error) (SequenceDist, error) {
	if err != nil {
		return nil, err
	}
	var d SequenceDist
	var faults []error
	for i, part := range parts {
		p, err := parsePair(part)
		if err != nil {
			faults = append(faults, fmt.Errorf("pair %d %q: %w", i+1, strings.TrimSpace(part), err))
			continue
		}
		d = append(d, p)
	}
	return d, errors.Join(faults...)
}

func parsePair(s string) (SequencePair, error) {
	lengths, percent, ok := strings.Cut(s, ":")
	isl, osl, ok2 := strings.Cut(lengths, ",")
	if !ok || !ok2 {
		return SequencePair{}, errors.New("must be ISL,OSL:percent")
	}
	var p SequencePair
	var err1, err2, err3 error
	p.ISL, err1 = parseLength(isl, "input length")
	p.OSL, err2 = parseLength(osl, "output length")
	if p.Percent, err3 = parseNumber(percent); err3 != nil {
		err3 = fmt.Errorf("percent %q: not a number", strings.TrimSpace(percent))
	}
	return p, errors.Join(err1, err2, err3)
}

// bracketPairs turns "[(a,b):p,(c,d):q]" into "a,b:p", "c,d:q".
func bracketPairs(s string) ([]string, error) {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(s, "["), "]")
	if !ok {
		return nil, errors.New("the closing ] is missing")
	}
	var parts []string
	for rest := strings.TrimSpace(inner); rest != ""; {
		open, after, found := strings.Cut(rest, "(")
		if strings.Trim(open, " ,;") != "" || !found {
			return nil, fmt.Errorf("%q: expected (ISL,OSL):percent", rest)
		}
		lengths, tail, found := strings.Cut(after, ")")
		if !found {
			return nil, fmt.Errorf("%q: the closing ) is missing", rest)
		}
		end := strings.IndexByte(tail, '(')
		if end < 0 {
			end = len(tail)
		}
		parts = append(parts, lengths+strings.TrimRight(tail[:end], " ,;"))
		rest = tail[end:]
	}
	return parts, nil
}

func parseSequenceJSON(s string) (SequenceDist, error) {
	var in struct {
		Pairs []struct {
			ISL   float64 `json:"isl"`
			ISLSD float64 `json:"isl_stddev"`
			OSL   float64 `json:"osl"`
			OSLSD float64 `json:"osl_stddev"`
			Prob  float64 `json:"prob"`
		} `json:"pairs"`
	}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return nil, fmt.Errorf("reading the JSON form: %w", err)
	}
	if dec.More() {
		return nil, errors.New("reading the JSON form: text after the object")
	}
	var d SequenceDist
	for _, p := range in.Pairs {
		d = append(d, SequencePair{ISL: Length{p.ISL, p.ISLSD}, OSL: Length{p.OSL, p.OSLSD}, Percent: p.Prob})
	}
	return d, nil
}
