package synth

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"

	"headway/workload"
)

// Drawn is a row that was drawn.
type Drawn struct {
	workload.Row
	// Context is how many tokens of the prompt are of shared prefixes, Unique how
	// many are its own. They sum up to InputLength.
	Context, Unique int
}

// dropLimit is after how many dropped rows in a row the filters are taken to leave
// nothing.
const dropLimit = 1_000_000

// Draw yields rows in the order of their times; they follow from the model and the
// options alone. An error ends the sequence.
//
// Shared blocks have the lowest ids, those of the second copy of the tree come
// after those of the first, and blocks of one row only come after all; every row
// has fresh ones. (Dynamo's generator adds the copy's offset to all ids of a row
// at the end; which blocks are equal is the same.)
func (m *Model) Draw(o Options) iter.Seq2[Drawn, error] {
	return func(yield func(Drawn, error) bool) {
		if err := m.fault(o); err != nil {
			yield(Drawn{}, fmt.Errorf("synthesizing: %w", err))
			return
		}
		p := m.plan(o)
		s := p.streams("")
		ids := idMaker{next: p.shared * int64(o.roots())}
		left, dropped := o.requests(), 0
		for now := range m.Arrivals.times(o) {
			x := p.outcome(s)
			if x.input > workload.MaxTokens && (o.MaxISL == 0 || o.MaxISL > workload.MaxTokens) {
				yield(Drawn{}, fmt.Errorf("synthesizing: a row of %d tokens is longer than %d; use smaller "+
					"multipliers or a limit on the input", x.input, workload.MaxTokens))
				return
			}
			if !o.keeps(x.input) {
				if dropped++; dropped == dropLimit {
					yield(Drawn{}, fmt.Errorf("synthesizing: none of %d rows had an input from %d to %d tokens; "+
						"change the limits", dropLimit, o.MinISL, o.MaxISL))
					return
				}
				continue
			}
			dropped = 0
			if !yield(p.row(now, x, s, &ids), nil) {
				return
			}
			if left--; left == 0 {
				return
			}
		}
		yield(Drawn{}, fmt.Errorf("synthesizing: %d rows are missing when the times end; use a higher rate", left))
	}
}

func (m *Model) fault(o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	return m.Arrivals.fault(o)
}

func (p *plan) row(now float64, x outcome, s streams, ids *idMaker) Drawn {
	d := Drawn{Context: x.input - x.unique, Unique: x.unique}
	// To the nanosecond: the digits of a float beyond it are noise.
	d.Timestamp, d.Timed = math.Round(now*1e6)/1e6, true
	d.InputLength, d.OutputLength = x.input, x.output
	if !p.model.Prefixes {
		return d
	}
	offset := int64(0)
	if roots := p.o.roots(); roots > 1 {
		offset = s.root.Int64N(int64(roots)) * p.shared
	}
	if x.pass > ids.pass {
		ids.pass, ids.fresh = x.pass, ids.next
		ids.next += p.shared * int64(p.o.roots())
	}
	d.HashIDs = ids.make(workload.Blocks(x.input, p.model.BlockSize))
	p.path(d.HashIDs, p.terminals[x.terminal].node, offset, ids.fresh+offset)
	for b := x.context; b < len(d.HashIDs); b++ {
		d.HashIDs[b] = ids.next
		ids.next++
	}
	return d
}

// idMaker cuts lists of ids from large pieces of memory and counts fresh ids.
type idMaker struct {
	next int64
	free []int64
	// fresh is the first id of the shared prefixes that are of this pass only.
	pass  int
	fresh int64
}

func (m *idMaker) make(n int) []int64 {
	if n > len(m.free) {
		m.free = make([]int64, max(n, 1<<13))
	}
	ids := m.free[:n:n]
	m.free = m.free[n:]
	return ids
}

// Write writes rows as lines of a Mooncake trace, with the fields context_len and
// unique_user_prompt_len of Dynamo's generator, and returns how many. An error of
// the rows ends it; what was written until then stays.
func Write(w io.Writer, rows iter.Seq2[Drawn, error]) (int, error) {
	b := bufio.NewWriterSize(w, 1<<18)
	n := 0
	for d, err := range rows {
		if err != nil {
			b.Flush()
			return n, err
		}
		line := d.AppendJSON(b.AvailableBuffer())
		line = append(line[:len(line)-1], `, "context_len": `...)
		line = strconv.AppendInt(line, int64(d.Context), 10)
		line = append(line, `, "unique_user_prompt_len": `...)
		line = strconv.AppendInt(line, int64(d.Unique), 10)
		if _, err := b.Write(append(line, '}', '\n')); err != nil {
			return n, fmt.Errorf("writing the trace: %w", err)
		}
		n++
	}
	if err := b.Flush(); err != nil {
		return n, fmt.Errorf("writing the trace: %w", err)
	}
	return n, nil
}
