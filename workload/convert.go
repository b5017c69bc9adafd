package workload

import (
	"fmt"
	"io"
)

// Conversion makes a Mooncake trace of a file of any format. The zero value
// changes nothing but the format.
type Conversion struct {
	// Read says how the file is read. The ids of the trace that is written have
	// its BlockSize, too.
	Read ReadOptions
	// Spread moves timestamps that requests share.
	Spread Spread
	// Window chooses a part and divides its times; it needs times.
	Window Window
	// Bounds chooses requests by their lengths.
	Bounds Bounds
	// HashIDs gives each prompt of a length without ids ids of its own, drawn
	// from so many; 0 writes none. Dynamo's converter of BurstGPT draws them
	// from 10,000. They say nothing true about sharing: prompts meet in a block
	// by chance, whatever stands before it.
	HashIDs int
	// Count counts the tokens of a recorded answer. Without it a file that has
	// them cannot be converted.
	Count func(text string) int
	// Limit ends the trace after so many requests; 0 is no limit.
	Limit int
	// Key is where random draws come from.
	Key Key
}

// File reads the file and writes the trace. It returns what was read, and how many
// requests were written.
func (c Conversion) File(path string, w io.Writer) (*Dataset, int, error) {
	if err := c.Bounds.Validate(); err != nil {
		return nil, 0, fmt.Errorf("converting %s: %w", path, err)
	}
	if c.HashIDs < 0 {
		return nil, 0, fmt.Errorf("converting %s: %d ids to draw from: must not be negative", path, c.HashIDs)
	}
	d, err := ReadFile(path, c.Read)
	if err != nil {
		return nil, 0, err
	}
	src, err := c.source(d)
	if err != nil {
		return d, 0, err
	}
	n, err := WriteMooncake(w, src)
	if err != nil {
		return d, n, fmt.Errorf("converting %s: %w", path, err)
	}
	return d, n, nil
}

// source yields the requests as the trace will have them.
func (c Conversion) source(d *Dataset) (Source, error) {
	d.Spread(c.Spread, c.Key.Named("spread"))
	src := d.Source(c.Key)
	if c.Window != (Window{}) {
		var err error
		if src, err = d.Fixed(c.Window, c.Key); err != nil {
			return nil, err
		}
	}
	src = each(src, func(r *Request) {
		if p := &r.Prompt; p.Reference != "" && c.Count != nil {
			if r.OutputTokens == 0 {
				r.OutputTokens = max(1, c.Count(p.Reference))
			}
			p.Reference = ""
		}
	})
	src = Within(src, c.Bounds)
	if c.Limit > 0 {
		src = Limit(src, c.Limit)
	}
	block := c.Read.BlockSize
	if block == 0 {
		block = TraceBlock
	}
	ids := c.Key.Named("ids")
	return each(src, func(r *Request) {
		if p := &r.Prompt; c.HashIDs > 0 && p.Tokens > 0 && p.Blocks == nil {
			p.Blocks = drawIDs(ids.Index(r.Index), Blocks(p.Tokens, block), c.HashIDs)
			p.BlockSize = block
		}
	}), nil
}

// drawIDs draws n ids from so many.
func drawIDs(key Key, n, from int) []int64 {
	r := key.Rand()
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = r.Int64N(int64(from))
	}
	return ids
}
