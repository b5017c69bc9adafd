package power

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"headway/internal/cluster"
	"headway/internal/compare"
	"headway/internal/duel"
	"headway/metric"
	"headway/report"
	"headway/workload"
)

const (
	// pooled runs of short requests are drawn from; most is the blocks of a duel.
	pooled, short, most = 300, 32, 60
	// effect is the planted standard deviation of a run (logarithm): clocks, neighbours.
	effect = 0.03
	// mostFalse is 5 % and two standard errors of 2,000.
	mostFalse = 0.06
)

// run is a run of the pool, its times longer by a factor.
type run struct {
	of *report.Report
	by float64
}

func (r run) Figure(tag, stat string) report.Figure {
	e := r.of.Figure(tag, stat)
	if e.Value *= r.by; tag == "output_token_throughput" {
		e.Value /= r.by * r.by
	}
	return e
}

func (r run) Samples(tag string) (all []float64) {
	for _, s := range r.of.Result.Samples[tag] {
		all = append(all, s.Value*r.by)
	}
	return all
}

func (r run) Requests() int { return r.of.Result.OK }

func (r run) Failed() int { return 0 }

func simulated(t *testing.T, seed uint64) *report.Report {
	t.Helper()
	c := cluster.Defaults()
	c.Workers, c.TokenArrivals, c.Seed = 1, false, workload.Seed(seed)
	s := workload.Synthetic{Key: workload.Seed(seed), Requests: short, ISL: workload.Length{Mean: 500, SD: 150},
		OSL: workload.Length{Mean: 30, SD: 9}}
	got := metric.NewCollector(metric.Options{Streaming: true, Concurrency: 8, Samples: true})
	if _, _, err := cluster.Replay(context.Background(), c, workload.Plan{Source: s.Source(), Concurrency: 8},
		got); err != nil {
		t.Fatal(err)
	}
	return &report.Report{Result: got.Result()}
}

type pool struct {
	runs []*report.Report
	rng  *rand.Rand
}

func newPool(t *testing.T, n int) *pool {
	p := &pool{rng: rand.New(rand.NewPCG(1, 2))}
	for i := range n {
		p.runs = append(p.runs, simulated(t, uint64(1+i)))
	}
	return p
}

func (p *pool) draw(change float64) run {
	return run{p.runs[p.rng.IntN(len(p.runs))], change * math.Exp(effect*p.rng.NormFloat64())}
}

// ended is how a duel of one figure ended.
type ended struct {
	word   compare.Word
	blocks int
}

// duelOf makes a duel of figures, one of whose sides is slower by the change.
func (p *pool) duelOf(t *testing.T, change float64, texts ...string) []ended {
	t.Helper()
	rules := duel.Rules{Margin: 0.02, Points: 0.02, Level: 0.95, Most: most}
	for _, text := range texts {
		f, err := duel.ParseFigure(text)
		if err != nil {
			t.Fatal(err)
		}
		rules.Figures = append(rules.Figures, f)
	}
	r := duel.NewReferee(rules)
	for n := 0; n < most && !r.Decided(); n++ {
		r.Add(n, n%2 == 1, p.draw(1), p.draw(change))
	}
	var all []ended
	for _, x := range r.Rulings {
		all = append(all, ended{x.Word, x.Blocks})
	}
	return all
}

var figures = []string{"time_to_first_token avg", "inter_token_latency avg", "request_latency avg",
	"output_token_throughput", "request_latency p90"}

func differs(e ended) bool { return e.word == compare.Better || e.word == compare.Worse }

// interval is Jeffreys' of a share, in percent.
func interval(of, all int) string {
	b := distuv.Beta{Alpha: float64(of) + 0.5, Beta: float64(all-of) + 0.5}
	return fmt.Sprintf("%d of %d (%.1f–%.1f %%)", of, all, 100*b.Quantile(0.025), 100*b.Quantile(0.975))
}

// alike is the share of duels of sides that are alike in which one differs at any
// number of blocks.
func alike(t *testing.T, p *pool, n int, texts ...string) float64 {
	t.Helper()
	false1 := 0
	for range n {
		for _, e := range p.duelOf(t, 1, texts...) {
			if differs(e) {
				false1++
				break
			}
		}
	}
	fmt.Printf("| A against A | %v | %s |\n", texts, interval(false1, n))
	return float64(false1) / float64(n)
}

// fixed is how many blocks a paired t-test needs to find the change nine times in ten.
func fixed(p *pool, figure string, change float64) int {
	f, _ := metric.ParseFigure(figure)
	var sum, squares float64
	const n = 4000
	for range n {
		d := math.Log(p.draw(1).Figure(f.Tag, f.Stat).Value / p.draw(1).Figure(f.Tag, f.Stat).Value)
		sum, squares = sum+d, squares+d*d
	}
	sd := math.Sqrt(squares/n - sum/n*sum/n)
	for k := 3; ; k++ {
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(k - 1)}
		if (t.Quantile(0.975)+t.Quantile(0.9))*sd/math.Sqrt(float64(k)) <= math.Log(change) {
			return k
		}
	}
}

// TestPower counts as many duels as POWER says.
func TestPower(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("POWER"))
	if err != nil {
		t.Skip("POWER=2000 runs it, as make duel-power does")
	}
	p := newPool(t, pooled)
	for _, texts := range append([][]string{figures}, singles()...) {
		if share := alike(t, p, n, texts...); share > mostFalse {
			t.Errorf("%v: different in %.3f", texts, share)
		}
	}
	for _, change := range []float64{1.02, 1.05, 1.10} {
		found(t, p, n, "request_latency avg", change)
	}
}

func singles() (all [][]string) {
	for _, f := range figures {
		all = append(all, []string{f})
	}
	return all
}

// found prints how often and how soon a planted change is found.
func found(t *testing.T, p *pool, n int, figure string, change float64) {
	t.Helper()
	worse, better, blocks := 0, 0, 0
	for range n {
		e := p.duelOf(t, change, figure)[0]
		blocks += e.blocks
		switch e.word {
		case compare.Worse:
			worse++
		case compare.Better:
			better++
		}
	}
	size := fixed(p, figure, change)
	mean := float64(blocks) / float64(n)
	fmt.Printf("| planted %.0f %% | %s | worse in %s, better in %d | %.1f blocks | %d to find this, %d to find 2 %% | "+
		"%.0f %% |\n", 100*(change-1), figure, interval(worse, n), better, mean, size, fixed(p, figure, 1.02),
		100*(1-mean/float64(fixed(p, figure, 1.02))))
}

// A hundred duels of sides that are alike, and of sides that are not.
func TestSmall(t *testing.T) {
	p := newPool(t, 40)
	if share := alike(t, p, 100, figures...); share > 0.15 {
		t.Errorf("alike and called different in %.2f of 100", share)
	}
	worse := 0
	for range 50 {
		e := p.duelOf(t, 1.2, "request_latency avg")[0]
		if e.word == compare.Worse {
			worse++
		}
	}
	if worse < 45 {
		t.Errorf("20 %% slower, found in %d of 50", worse)
	}
}
