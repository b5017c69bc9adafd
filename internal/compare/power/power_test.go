package power

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"headway/internal/compare"
	"headway/metric"
	"headway/report"
)

const (
	// effect is the planted standard deviation from run to run, and planted the
	// planted change.
	effect, planted = 0.05, 1.05
	// short is how many requests a run of the pool has, long one that stands alone.
	short, long = 100, 500
	// pooled is how many runs the pool has.
	pooled = 600
	// mostFalse of a thousand are the most that may be called different where nothing
	// is: 5 % and two standard errors.
	mostFalse  = 0.064
	leastFound = 0.9
)

// count is how many of some pairs something was said of.
type count struct{ of, all int }

// String has Jeffreys' 95 % interval.
func (c count) String() string {
	b := distuv.Beta{Alpha: float64(c.of) + 0.5, Beta: float64(c.all-c.of) + 0.5}
	return fmt.Sprintf("%d of %d (%.1f–%.1f %%)", c.of, c.all, 100*b.Quantile(0.025), 100*b.Quantile(0.975))
}

func (c count) share() float64 { return float64(c.of) / float64(c.all) }

// more says that there is time for another pair: what was counted is printed, however
// many pairs fit into -timeout.
func more(t *testing.T) bool {
	end, bounded := t.Deadline()
	return !bounded || time.Until(end) > spare
}

// spare is what is left of -timeout for printing.
const spare = 5 * time.Second

// alike counts how often sides that are alike are called different, each figure by
// itself, and in all of them together after the correction.
func alike(t *testing.T, name string, pairs int, pair func(i int) (a, b, base []*report.Report)) {
	fmt.Print("| A against A | figure | called different |\n|---|---|---|\n")
	different := make([]count, len(figures))
	var any count
	for i := 0; i < pairs && more(t); i++ {
		a, b, base := pair(i)
		one := false
		for j, c := range compared(t, a, b, base, figures...) {
			different[j].all++
			if c.P < 0.05 {
				different[j].of++
			}
			one = one || c.Adjusted < 0.05
		}
		any.all++
		if one {
			any.of++
		}
	}
	for j, c := range different {
		fmt.Printf("| %s | %s | %s |\n", name, figures[j], c)
		if c.share() > mostFalse {
			t.Errorf("%s, %s: different in %s", name, figures[j], c)
		}
	}
	fmt.Printf("| %s | any of them, corrected | %s |\n", name, any)
	if any.share() > mostFalse {
		t.Errorf("%s: any different in %s", name, any)
	}
}

// TestPower counts false alarms and what is found of a planted change, over as many
// pairs as POWER says. Its parts can be run by themselves.
func TestPower(t *testing.T) {
	pairs, err := strconv.Atoi(os.Getenv("POWER"))
	if err != nil {
		t.Skip("POWER=1000 runs it, as make compare-power does")
	}
	t.Run("alike, runs", func(t *testing.T) { alikeRuns(t, pairs) })
	t.Run("found, runs", func(t *testing.T) { findRuns(t, newPool(t), pairs) })
	t.Run("alike, requests", func(t *testing.T) {
		alike(t, fmt.Sprintf("one run of %d requests a side, virtual time", long), pairs,
			func(i int) (a, b, base []*report.Report) {
				return []*report.Report{simulated(t, uint64(2*i+1), long)},
					[]*report.Report{simulated(t, uint64(2*i+2), long)}, nil
			})
	})
	t.Run("found, requests", func(t *testing.T) { findRequests(t, max(1, pairs/5)) })
}

// newPool are runs that are drawn from.
func newPool(t *testing.T) *pool {
	p := &pool{rng: rand.New(rand.NewPCG(1, 2))}
	for i := range pooled {
		p.runs = append(p.runs, simulated(t, uint64(1_000_000+i), short))
	}
	return p
}

// alikeRuns counts false alarms of runs that vary.
func alikeRuns(t *testing.T, pairs int) {
	p := newPool(t)
	for _, v := range []struct{ runs, base int }{{1, 0}, {1, 10}, {3, 0}, {10, 0}} {
		name := fmt.Sprintf("%d a side", v.runs)
		if v.base > 0 {
			name += fmt.Sprintf(", baseline of %d", v.base)
		}
		t.Run(name, func(t *testing.T) {
			alike(t, "runs that vary by 5 %, "+name, pairs, func(int) (a, b, base []*report.Report) {
				order := p.rng.Perm(len(p.runs))
				return p.take(order, v.runs, effect, 1), p.take(order[v.runs:], v.runs, effect, 1),
					p.take(order[2*v.runs:], v.base, effect, 1)
			})
		})
	}
}

// findRuns counts how often a planted change is found in as many runs as a pilot of
// three runs a side recommends.
func findRuns(t *testing.T, p *pool, pairs int) {
	fmt.Print("| a planted 5 % | figure | found |\n|---|---|---|\n")
	of := figures[0]
	var found count
	runs, capped := 0, 0
	for found.all < pairs && more(t) {
		order := p.rng.Perm(len(p.runs))
		pilot := compared(t, p.take(order, 3, effect, 1), p.take(order[3:], 3, effect, 1), nil, of)[0]
		n := pilot.Need.Runs
		if n == 0 {
			continue // a pilot that decides recommends nothing
		}
		if n > len(p.runs)/2 {
			n, capped = len(p.runs)/2, capped+1
		}
		order = p.rng.Perm(len(p.runs))
		c := compared(t, p.take(order, n, effect, 1), p.take(order[n:], n, effect, planted), nil, of)[0]
		runs += n
		found.all++
		if c.Word == compare.Worse {
			found.of++
		}
	}
	fmt.Printf("| runs vary by 5 %%, after a pilot of 3 and 3; %d runs a side on average | %s | %s |\n",
		runs/max(1, found.all), of, found)
	if found.share() < leastFound {
		t.Errorf("runs: found in %s", found)
	}
	if capped > 0 {
		t.Logf("%d of %d pilots recommended more runs than the pool has", capped, pairs)
	}
}

// findRequests counts the same in one run a side, as long as a pilot of one run a side
// recommends.
func findRequests(t *testing.T, pairs int) {
	fmt.Print("| a planted 5 % | figure | found |\n|---|---|---|\n")
	for _, of := range []metric.Figure{figures[0], figures[4]} {
		var found count
		requests := 0
		for seed := uint64(10_000_000); found.all < pairs && more(t); seed += 4 {
			pilot := compared(t, []*report.Report{simulated(t, seed, short)}, []*report.Report{
				simulated(t, seed+1, short)}, nil, of)[0]
			n := pilot.Need.Requests
			if n == 0 {
				continue
			}
			c := compared(t, []*report.Report{simulated(t, seed+2, n)},
				[]*report.Report{slowed(simulated(t, seed+3, n), planted, false)}, nil, of)[0]
			requests += n
			found.all++
			if c.Word == compare.Worse {
				found.of++
			}
		}
		fmt.Printf("| one run a side, virtual time, after a pilot of %d requests; %d a side on average | %s | %s |\n",
			short, requests/max(1, found.all), of, found)
		if found.share() < leastFound {
			t.Errorf("%s by requests: found in %s", of, found)
		}
	}
}
