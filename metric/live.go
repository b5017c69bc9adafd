package metric

import (
	"math"

	"headway/record"
)

// Live is a glance at a run that is under way, warm-up left out of all but its
// own count. Its quantiles are those of a histogram whose cells are 2 % wide;
// the result's are exact.
type Live struct {
	Warmup                         int // warm-up requests that ended
	OK, Failed, Cancelled, Dropped int
	// TTFT50 … ITL99 are medians and 99th percentiles so far, in seconds; NaN
	// before the first value.
	TTFT50, TTFT99, ITL50, ITL99 float64
	// RequestRate (requests/s) and TokenRate (output tokens/s) are those of
	// replies that ended in the last ten seconds, or since the first start
	// where that is less; the latter is NaN where nobody counted the tokens.
	RequestRate, TokenRate float64
}

// Live is the state of the run now. It may be called from any goroutine.
func (c *Collector) Live() Live {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.live.counts
	l.TTFT50, l.TTFT99 = c.live.ttft.quantile(0.50), c.live.ttft.quantile(0.99)
	l.ITL50, l.ITL99 = c.live.itl.quantile(0.50), c.live.itl.quantile(0.99)
	now := record.Time(0)
	if clock := c.options.Clock; !clock.Origin().IsZero() {
		now = clock.Now()
	}
	l.RequestRate, l.TokenRate = c.live.rates(now)
	return l
}

// recent is the window of the live rates, in seconds.
const recent = 10

// tally is what Live needs; the Collector's lock guards it.
type tally struct {
	counts    Live
	ttft, itl histogram
	first     record.Time // earliest start
	last      record.Time // latest end
	cells     [recent]struct {
		second   int64
		requests int
		tokens   float64 // NaN once one of the replies was not counted
	}
}

func (t *tally) add(r *record.Record) {
	if r.Warmup {
		t.counts.Warmup++
		return
	}
	if r.Start.Known() && (t.first == 0 || r.Start < t.first) {
		t.first = r.Start
	}
	switch {
	case r.Outcome == record.Dropped:
		t.counts.Dropped++
		return
	case r.Outcome == record.Cancelled:
		t.counts.Cancelled++
		return
	case !Valid(r):
		t.counts.Failed++
		return
	}
	t.counts.OK++
	if v, ok := TTFT(r); ok {
		t.ttft.add(v)
	}
	if v, ok := ITL(r); ok {
		t.itl.add(v)
	}
	t.ended(r)
}

// ended counts a reply in the second of its end.
func (t *tally) ended(r *record.Record) {
	t.last = max(t.last, r.Done)
	second := int64(r.Done) / 1e9
	cell := &t.cells[second%recent]
	switch {
	case cell.second > second:
		return // older than the window
	case cell.second < second:
		cell.second, cell.requests, cell.tokens = second, 0, 0
	}
	tokens, _ := OSL(r)
	if !countedOut(r) {
		tokens = math.NaN()
	}
	cell.requests++
	cell.tokens += tokens
}

// rates are those of the window that ends now, or with the last reply where
// the run's clock is ahead of ours, as in virtual time, or is not known.
func (t *tally) rates(now record.Time) (requests, tokens float64) {
	now = max(now, t.last)
	if t.first == 0 || now <= t.first {
		return 0, 0
	}
	second := int64(now) / 1e9
	var n int
	for _, c := range t.cells {
		if c.second > second-recent {
			n += c.requests
			tokens += c.tokens
		}
	}
	// The window's oldest cell is whole and its newest is not.
	begin := max(t.first, record.Time((second-recent+1)*1e9))
	width := max(seconds(now-begin), 1e-3)
	return float64(n) / width, tokens / width
}

// histogram counts values in cells that are 2 % wide, from a microsecond to
// about four hours; values outside count in the end cells.
type histogram struct {
	cells [1200]int
	n     int
}

const (
	least = 1e-6
	ratio = 1.02
)

func (h *histogram) add(v float64) {
	i := int(math.Log(max(v, least)/least) / math.Log(ratio))
	h.cells[min(max(0, i), len(h.cells)-1)]++
	h.n++
}

// quantile is the middle of the cell that holds the quantile q, NaN where
// there are no values.
func (h *histogram) quantile(q float64) float64 {
	if h.n == 0 {
		return math.NaN()
	}
	rank := int(q * float64(h.n-1))
	for i, c := range h.cells {
		rank -= c
		if rank < 0 {
			return least * math.Pow(ratio, float64(i)+0.5)
		}
	}
	return math.NaN()
}
