package synth

import (
	"errors"
	"fmt"
	"math"

	"headway/workload"
)

// Facts are what one row says, in tokens.
type Facts struct {
	// Context is how much of the prompt other rows of the trace, earlier or
	// later, share: all of it when all its blocks are repeated, else the repeated
	// blocks times the block size. Unique is the rest.
	Context, Unique int
	// HitRate is the share of leading blocks that earlier rows had, from 0 to 1;
	// NaN for a row without blocks.
	HitRate       float64
	Input, Output int
}

// Analysis describes a trace.
type Analysis struct {
	BlockSize int
	// Rows has the facts of each row, in its order.
	Rows []Facts
	// The summaries are over rows; HitRate leaves out rows without blocks, Output
	// those without a length.
	Context, Unique, HitRate, Input, Output Summary
	Reuse                                   Reuse
	Arrivals                                ArrivalFacts
}

// Analyze computes the statistics of `datagen analyze` and those of reuse and
// arrivals. The block size is that of the trace's ids, in tokens.
func Analyze(rows []workload.Row, blockSize int) (*Analysis, error) {
	if err := checkRows("analysing the trace", rows, blockSize); err != nil {
		return nil, err
	}
	f := newForest(rows)
	a := &Analysis{
		BlockSize: blockSize,
		Rows:      rowFacts(rows, f, blockSize),
		Reuse:     measureReuse(rows, f, blockSize),
		Arrivals:  measureArrivals(rows),
	}
	n := len(rows)
	columns := [5][]float64{}
	for i := range columns {
		columns[i] = make([]float64, 0, n)
	}
	for _, r := range a.Rows {
		columns[0] = append(columns[0], float64(r.Context))
		columns[1] = append(columns[1], float64(r.Unique))
		columns[2] = append(columns[2], float64(r.Input))
		if !math.IsNaN(r.HitRate) {
			columns[3] = append(columns[3], r.HitRate)
		}
		if r.Output > 0 {
			columns[4] = append(columns[4], float64(r.Output))
		}
	}
	for i, s := range []*Summary{&a.Context, &a.Unique, &a.Input, &a.HitRate, &a.Output} {
		*s = Summarize(columns[i])
	}
	return a, nil
}

func rowFacts(rows []workload.Row, f *forest, blockSize int) []Facts {
	facts := make([]Facts, len(rows))
	seen := int32(-1) // nodes are numbered as they appear: the newest so far
	for i, path := range f.paths {
		r := &facts[i]
		r.Input, r.Output = rows[i].InputLength, rows[i].OutputLength
		shared := f.shared(path)
		r.Context = min(shared*blockSize, r.Input)
		r.Unique = r.Input - r.Context
		r.HitRate = math.NaN()
		if len(path) == 0 {
			continue
		}
		hits := 0
		for hits < len(path) && path[hits] <= seen {
			hits++
		}
		r.HitRate = share(hits, len(path))
		seen = max(seen, path[len(path)-1])
	}
	return facts
}

// checkRows refuses what the arithmetic does not hold for. Rows that were read
// from a file have passed the same checks there.
func checkRows(doing string, rows []workload.Row, blockSize int) error {
	if blockSize < 1 {
		return fmt.Errorf("%s: block size %d: must be at least 1 token", doing, blockSize)
	}
	if len(rows) == 0 {
		return fmt.Errorf("%s: %w", doing, errors.New("it has no rows"))
	}
	for i := range rows {
		if err := rows[i].Check(blockSize); err != nil {
			return fmt.Errorf("%s: row %d: %w", doing, i+1, err)
		}
		if rows[i].InputLength == 0 {
			return fmt.Errorf("%s: row %d: needs input_length", doing, i+1)
		}
	}
	return nil
}

// Rows makes rows of planned requests whose prompts are given by their length, as
// the reader of Azure's CSV makes them.
func Rows(requests []workload.Request) ([]workload.Row, error) {
	rows := make([]workload.Row, len(requests))
	for i, q := range requests {
		tokens := q.Prompt.Tokens + q.Prompt.Prefix.Tokens
		if tokens < 1 {
			return nil, fmt.Errorf("request %d has no length in tokens: only prompts given by their length can be "+
				"taken as rows", q.Index+1)
		}
		rows[i] = workload.Row{
			Timestamp: float64(q.At) / 1e6, Timed: q.Timed, Delay: float64(q.Delay) / 1e6,
			InputLength: tokens, OutputLength: q.OutputTokens, HashIDs: q.Prompt.Blocks,
		}
		if q.Turns > 1 {
			rows[i].Session = q.Session
		}
	}
	return rows, nil
}
