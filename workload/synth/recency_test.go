package synth

import (
	"container/list"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"headway/workload"
)

// hitRate is the share of blocks that an LRU cache holds, as a list and a map: it
// shares nothing with measureReuse.
func hitRate(rows []workload.Row, size int) float64 {
	order, held := list.New(), map[int64]*list.Element{}
	hits, all := 0, 0
	for _, row := range rows {
		all += len(row.HashIDs)
		for _, id := range row.HashIDs {
			if held[id] == nil {
				break
			}
			hits++
		}
		for _, id := range slices.Backward(row.HashIDs) {
			if e := held[id]; e != nil {
				order.MoveToFront(e)
				continue
			}
			held[id] = order.PushFront(id)
			if order.Len() > size {
				delete(held, order.Remove(order.Back()).(int64))
			}
		}
	}
	return float64(hits) / float64(all)
}

var cacheSizes = []int{500, 1000, 2000, 5000, 10_000, 20_000, 50_000}

// talk makes rows of a trace: its sessions grow, and others branch off.
type talk struct {
	r    *rand.Rand
	next int64
	rows []workload.Row
	now  float64
}

func (w *talk) fresh(n int) []int64 {
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = w.next
		w.next++
	}
	return ids
}

func (w *talk) say(prompt []int64, reply int) {
	w.now += w.r.ExpFloat64() * 300
	w.rows = append(w.rows, workload.Row{
		Timestamp: math.Round(w.now), Timed: true, InputLength: len(prompt)*16 - w.r.IntN(16),
		OutputLength: reply, HashIDs: slices.Clone(prompt),
	})
}

// turn is a row that is said when so many others were.
type turn struct {
	due    int
	prompt []int64
	left   int
}

// sessions have many turns, pauses of very different length and one of three system
// prompts.
func sessions(seed uint64, n int) []workload.Row {
	w := &talk{r: rand.New(rand.NewPCG(seed, 1))}
	system := [][]int64{w.fresh(40), w.fresh(15), w.fresh(120)}
	var open []turn
	for len(w.rows) < n {
		at := slices.IndexFunc(open, func(t turn) bool { return t.due <= len(w.rows) })
		if at < 0 {
			s := system[min(int(w.r.ExpFloat64()), 2)]
			open = append(open, turn{len(w.rows), append(slices.Clone(s), w.fresh(1+w.r.IntN(20))...),
				1 + int(w.r.ExpFloat64()*6)})
			continue
		}
		t := open[at]
		open = slices.Delete(open, at, at+1)
		w.say(t.prompt, 50+w.r.IntN(400))
		if t.left--; t.left > 0 {
			t.prompt = append(t.prompt, w.fresh(1+int(w.r.ExpFloat64()*12))...)
			t.due = len(w.rows) + 1 + int(math.Exp(1+1.6*w.r.NormFloat64()+2))
			open = append(open, t)
		}
	}
	return w.rows
}

// agents call tools in bursts: steps follow at once, some fan out into subagents that
// share the context so far, and documents are in demand for a while.
func agents(seed uint64, n int) []workload.Row {
	w := &talk{r: rand.New(rand.NewPCG(seed, 2))}
	tools := w.fresh(200)
	var documents [][]int64
	var open []turn
	for len(w.rows) < n {
		if len(open) < 12 {
			if len(documents) == 0 || w.r.IntN(15) == 0 {
				documents = append(documents, w.fresh(30+w.r.IntN(300)))
			}
			d := documents[max(len(documents)-1-int(w.r.ExpFloat64()*4), 0)]
			open = append(open, turn{0, slices.Concat(tools, d, w.fresh(2)), 2 + w.r.IntN(25)})
		}
		at := w.r.IntN(len(open))
		t := &open[at]
		w.say(t.prompt, 20+w.r.IntN(100))
		if w.r.IntN(12) == 0 {
			for range 1 + w.r.IntN(4) {
				w.say(slices.Concat(t.prompt, w.fresh(5+w.r.IntN(40))), 300)
			}
		}
		t.prompt = append(t.prompt, w.fresh(1+w.r.IntN(10))...)
		if t.left--; t.left == 0 {
			open = slices.Delete(open, at, at+1)
		}
	}
	return w.rows
}

// popular rows take prompts of a fixed set, some much more often than others, with
// nothing of their own or little.
func popular(seed uint64, n int) []workload.Row {
	w := &talk{r: rand.New(rand.NewPCG(seed, 3))}
	z := rand.NewZipf(w.r, 1.1, 3, 3000)
	var prompts [][]int64
	for range 3001 {
		prompts = append(prompts, w.fresh(1+w.r.IntN(30)))
	}
	for len(w.rows) < n {
		p := prompts[z.Uint64()]
		if w.r.IntN(3) > 0 {
			p = slices.Concat(p, w.fresh(1+w.r.IntN(6)))
		}
		w.say(p, 100)
	}
	return w.rows
}

// drift is a service whose sessions become longer in the course of the trace, with a
// batch of long prompts in the middle.
func drift(seed uint64, n int) []workload.Row {
	w := &talk{r: rand.New(rand.NewPCG(seed, 4))}
	system := w.fresh(25)
	var open []turn
	for len(w.rows) < n {
		part := float64(len(w.rows)) / float64(n)
		if part > 0.4 && part < 0.6 && w.r.IntN(2) == 0 {
			w.say(slices.Concat(system, w.fresh(100+w.r.IntN(200))), 10)
		}
		at := slices.IndexFunc(open, func(t turn) bool { return t.due <= len(w.rows) })
		if at < 0 {
			open = append(open, turn{len(w.rows), slices.Concat(system, w.fresh(5)),
				1 + int(w.r.ExpFloat64()*(2+10*part))})
			continue
		}
		t := open[at]
		open = slices.Delete(open, at, at+1)
		w.say(t.prompt, 100)
		if t.left--; t.left > 0 {
			t.prompt = append(t.prompt, w.fresh(1+int(8*part*w.r.ExpFloat64()))...)
			t.due = len(w.rows) + 5 + w.r.IntN(100)
			open = append(open, t)
		}
	}
	return w.rows
}

// farthest is how far the hits of caches are from those of the trace, in percent of
// them, where that is most.
func farthest(t *testing.T, rows []workload.Row, trace *Analysis) (worst float64) {
	t.Helper()
	got, err := Analyze(rows, trace.BlockSize)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range cacheSizes {
		is, _ := got.Reuse.At(size)
		was, _ := trace.Reuse.At(size)
		if off := percent(is, was); math.Abs(off) > math.Abs(worst) {
			worst = off
		}
	}
	return worst
}

// What is drawn hits LRU caches of every size as the trace does, whatever the trace:
// within 10 % of the hits, from a full and from a compact model, with lengths drawn
// together or apart, once through the trace and beyond.
func TestRecency(t *testing.T) {
	for _, trace := range []struct {
		name string
		rows []workload.Row
	}{
		{"sessions", sessions(1, 4000)}, {"agents", agents(1, 2500)}, {"popular", popular(1, 5000)},
		{"drift", drift(1, 4000)},
	} {
		t.Run(trace.name, func(t *testing.T) { keepsRecency(t, trace.rows, 16) })
	}
	t.Run("conversation", func(t *testing.T) { keepsRecency(t, conversation(t), 512) })
}

func keepsRecency(t *testing.T, trace []workload.Row, blockSize int) {
	n := len(trace)
	source, err := Analyze(trace, blockSize)
	if err != nil {
		t.Fatal(err)
	}
	for _, limits := range []Limits{{}, Compact()} {
		m, err := Fit(trace, blockSize, limits)
		if err != nil {
			t.Fatal(err)
		}
		all, seeds := []Options{{Requests: n, KeepCorrelation: true}, {Requests: n},
			{Requests: 2*n + n/3, KeepCorrelation: true}}, uint64(2)
		if raced {
			all, seeds = all[1:2], 1 // nothing here runs side by side
		}
		for _, o := range all {
			for o.Seed = range seeds {
				worst := farthest(t, draw(t, m, o), source)
				t.Logf("%d nodes, %d rows, together %v, seed %d: farthest %+.1f %%", len(m.nodes), o.Requests,
					o.KeepCorrelation, o.Seed, worst)
				if math.Abs(worst) > 10 {
					t.Errorf("%d nodes, %d rows, together %v, seed %d: hits differ by %+.1f %%", len(m.nodes),
						o.Requests, o.KeepCorrelation, o.Seed, worst)
				}
			}
		}
	}
}

// The same by a cache that is a list and a map; and drawn at random, as without an
// order, a cache loses a third of its hits.
func TestRecencyOfACache(t *testing.T) {
	trace := sessions(2, 3000)
	m, err := Fit(trace, 16, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Requests: len(trace), Seed: 5, KeepCorrelation: true}
	kept := draw(t, m, o)
	o.Independent = true
	random := draw(t, m, o)
	for _, size := range []int{500, 2000, 10_000} {
		was := hitRate(trace, size)
		off, without := percent(hitRate(kept, size), was), percent(hitRate(random, size), was)
		t.Logf("%d blocks: %.1f %%, %+.1f %% of it, without recency %+.1f %%", size, 100*was, off, without)
		if math.Abs(off) > 10 {
			t.Errorf("%d blocks: hits differ by %+.1f %%", size, off)
		}
		if size == 2000 && without > -33 {
			t.Errorf("%d blocks: without recency hits differ by %+.1f %% only: the test says nothing", size, without)
		}
	}
}

// Sessions change places from seed to seed and pass to pass, each with its distances.
func TestPassesDiffer(t *testing.T) {
	trace := sessions(3, 1000)
	m, err := Fit(trace, 16, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p := m.plan(Options{})
	next := (&sequence{p: p, key: p.o.key("path")}).draw
	var passes [2][]int
	for k := range passes {
		counts := make([]int, len(p.terminals))
		for range m.Rows {
			terminal, pass := next()
			if pass != k {
				t.Fatalf("row of pass %d in pass %d", pass, k)
			}
			passes[k] = append(passes[k], terminal)
			counts[terminal]++
		}
		if !slices.Equal(counts, p.weights) {
			t.Fatalf("pass %d does not have every row once", k)
		}
	}
	same := 0
	for i := range passes[0] {
		if passes[0][i] == passes[1][i] {
			same++
		}
	}
	if same > m.Rows/2 {
		t.Errorf("%d of %d rows are the same in both passes", same, m.Rows)
	}
}

// In another pass a system prompt is the same and a session is another.
func TestLasting(t *testing.T) {
	var lists [][]int64
	for i := range int64(12) {
		lists = append(lists, []int64{0, 100 + i/3, 200 + i})
	}
	m, err := Fit(rowsOf(8, lists...), 8, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	before := map[int64]bool{}
	for i, row := range draw(t, m, Options{Requests: 24, KeepCorrelation: true}) {
		if i > 0 && !before[row.HashIDs[0]] {
			t.Errorf("row %d has another system prompt", i)
		}
		if i == 12 && before[row.HashIDs[1]] {
			t.Errorf("the session of row %d was there before", i)
		}
		for _, id := range row.HashIDs {
			before[id] = true
		}
	}
	sessions := 0
	for id := range before {
		if id != 0 {
			sessions++
		}
	}
	if sessions != 2*4+24 {
		t.Errorf("%d ids, want 4 sessions in each of 2 passes and a block of each of 24 rows", sessions)
	}
}
