package synth

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"headway/workload"
)

// The first four rows of the trace in the documents of Dynamo.
func TestAnalyzeVector(t *testing.T) {
	lengths, blocks := []int{6755, 7319, 7234, 2287}, []int{14, 15, 15, 5}
	var rows []workload.Row
	next := int64(1)
	for i, n := range lengths {
		r := workload.Row{InputLength: n, OutputLength: 10, Timed: true, HashIDs: []int64{0}}
		for len(r.HashIDs) < blocks[i] {
			r.HashIDs = append(r.HashIDs, next)
			next++
		}
		rows = append(rows, r)
	}
	a, err := Analyze(rows, 512)
	if err != nil {
		t.Fatal(err)
	}
	want := []Facts{{512, 6243, 0, 6755, 10}, {512, 6807, 1.0 / 15, 7319, 10}, {512, 6722, 1.0 / 15, 7234, 10},
		{512, 1775, 0.2, 2287, 10}}
	if !slices.Equal(a.Rows, want) {
		t.Errorf("%v, want %v", a.Rows, want)
	}
	m, err := Fit(rows, 512, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if p := m.plan(Options{}); !slices.Equal(p.leafLast.values, []int{66, 99, 151, 239}) {
		t.Errorf("tokens of last blocks %v", p.leafLast.values)
	}
}

func TestAnalyzeEdges(t *testing.T) {
	rows := []workload.Row{
		{InputLength: 9, HashIDs: []int64{1, 2, 3}},
		{InputLength: 9, OutputLength: 5, HashIDs: []int64{1, 2, 3}},
		{InputLength: 700},
	}
	a, err := Analyze(rows, 4)
	if err != nil {
		t.Fatal(err)
	}
	// All of the first two is repeated, the last block with one token only.
	if a.Rows[0].Context != 9 || a.Rows[1].Unique != 0 || a.Rows[1].HitRate != 1 || a.Rows[2].Unique != 700 ||
		!math.IsNaN(a.Rows[2].HitRate) {
		t.Errorf("%+v", a.Rows)
	}
	if a.HitRate.Count != 2 || a.Output.Count != 1 || a.Reuse.HitTokens != 0.5 || a.Reuse.Tokens != 18 ||
		a.Arrivals.Count != 0 {
		t.Errorf("%+v", a)
	}
	for _, c := range []struct {
		rows []workload.Row
		size int
		want string
	}{
		{nil, 512, "no rows"}, {rows, 0, "block size 0"}, {rows, 5, "row 1: hash_ids: 3 ids do not match"},
		{[]workload.Row{{More: true}}, 5, "row 1: needs input_length"},
	} {
		if _, err := Analyze(c.rows, c.size); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
		if _, err := Fit(c.rows, c.size, Limits{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("fit: error %v, want %q", err, c.want)
		}
	}
}

// randomRows makes rows that share prefixes, with the last block partly filled.
func randomRows(r *rand.Rand, n, blockSize int) []workload.Row {
	type key struct{ parent, branch int64 }
	ids := map[key]int64{}
	rows := make([]workload.Row, n)
	now := 0.0
	for i := range rows {
		at := int64(-1)
		for range 1 + r.IntN(8) {
			k := key{at, r.Int64N(3)}
			if _, there := ids[k]; !there {
				ids[k] = int64(len(ids))
			}
			at = ids[k]
			rows[i].HashIDs = append(rows[i].HashIDs, at)
		}
		rows[i].InputLength = len(rows[i].HashIDs)*blockSize - int(at)%blockSize
		rows[i].OutputLength = 1 + r.IntN(50)
		now += float64(r.IntN(3)) * 2.5
		rows[i].Timestamp, rows[i].Timed = now, true
	}
	return rows
}

// lru is a cache of blocks as a plain list, the latest used last.
func lruHits(rows []workload.Row, size, blockSize int) (blocks, tokens int) {
	var held []int64
	for _, row := range rows {
		for b, id := range row.HashIDs {
			if !slices.Contains(held, id) {
				break
			}
			blocks++
			tokens += min(blockSize, row.InputLength-b*blockSize)
		}
		for _, id := range slices.Backward(row.HashIDs) {
			held = append(slices.DeleteFunc(held, func(h int64) bool { return h == id }), id)
			held = held[max(len(held)-size, 0):]
		}
	}
	return blocks, tokens
}

func TestReuseIsThatOfAnLRU(t *testing.T) {
	for seed := range uint64(20) {
		rows := randomRows(rand.New(rand.NewPCG(seed, 1)), 60, 4)
		a, err := Analyze(rows, 4)
		if err != nil {
			t.Fatal(err)
		}
		for size := range a.Reuse.Distinct + 3 {
			blocks, tokens := lruHits(rows, size, 4)
			b, k := a.Reuse.At(size)
			if b != share(blocks, a.Reuse.Blocks) || k != share(tokens, a.Reuse.Tokens) {
				t.Fatalf("seed %d, %d blocks: %v and %v, a cache has %d of %d and %d of %d", seed, size, b, k, blocks,
					a.Reuse.Blocks, tokens, a.Reuse.Tokens)
			}
		}
	}
}

// numpy.percentile(xs, [25, 50, 75, 90, 99]) of NumPy 2.
func TestSummary(t *testing.T) {
	s := Summarize([]float64{4, 1, 3, 2})
	if want := (Summary{4, 2.5, math.Sqrt(5.0 / 3), 1, 1.75, 2.5, 3.25, 3.7, 3.9699999999999998, 4}); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	if one := Summarize([]float64{7}); one.SD != 0 || one.P99 != 7 {
		t.Errorf("%+v", one)
	}
	if none := Summarize(nil); none.Count != 0 || !math.IsNaN(none.Mean) || !math.IsNaN(none.Max) {
		t.Errorf("%+v", none)
	}
}

func TestRounding(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name string
		at   func(now float64) float64
		want float64
	}{
		{"exact", func(now float64) float64 { return now }, 0},
		{"seconds", func(now float64) float64 { return math.Floor(now/1000) * 1000 }, 1000},
		{"three seconds, about",
			func(now float64) float64 { return math.Floor(now/3000)*3000 + float64(int(now/3000)%3) }, 3000},
	} {
		var rows []workload.Row
		now := 0.0
		for range 20_000 {
			now += 200 * r.ExpFloat64()
			rows = append(rows, workload.Row{Timestamp: c.at(now), Timed: true, InputLength: 1})
		}
		a, err := Analyze(rows, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Arrivals.Step; math.Abs(got-c.want) > c.want/100 {
			t.Errorf("%s: step %v, want %v", c.name, got, c.want)
		}
		if v := a.Arrivals.VarianceOverMean; v < 0.6 || v > 1.5 {
			t.Errorf("%s: variance over mean %v of Poisson arrivals", c.name, v)
		}
	}
}
