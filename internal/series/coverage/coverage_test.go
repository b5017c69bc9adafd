package coverage

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"headway/internal/router"
	"headway/internal/series"
)

// requests is the length of the runs that are judged; the stationary value is
// that of one a hundred times as long.
const requests = 5000

// printed has the figures judged that the product leads with, as its tables
// print them, and not those of the estimators alone.
var printed = os.Getenv("COVERAGE_OF") == "printed"

// repeats is how many runs the interval of a quantile's gain is from.
const repeats = 5

// score is what became of one figure over many runs.
type score struct {
	truth             float64
	runs, given, held int
	values, halves    []float64
}

// add judges an interval. Values are whole nanoseconds summed in floating point,
// so that equality of a figure without any spread is one of nine digits.
func (s *score) add(e series.Estimate) {
	s.runs++
	s.values = append(s.values, e.Value)
	if !e.Known() {
		return
	}
	s.given++
	s.halves = append(s.halves, e.HalfWidth())
	slack := 1e-9 * math.Abs(s.truth)
	if e.Low-slack <= s.truth && s.truth <= e.High+slack {
		s.held++
	}
}

func (s *score) covered() float64 { return 100 * float64(s.held) / float64(s.given) }
func (s *score) share() float64   { return 100 * float64(s.given) / float64(s.runs) }

// width is the mean half-width over 1.96 standard deviations between runs; NaN
// where runs do not differ.
func (s *score) width() float64 {
	half, spread := mean(s.halves), 0.0
	centre := mean(s.values)
	for _, v := range s.values {
		spread += (v - centre) * (v - centre)
	}
	spread = math.Sqrt(spread / float64(len(s.values)-1))
	if spread <= 1e-9*math.Abs(centre) {
		return math.NaN()
	}
	return half / (1.96 * spread)
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// faults are the bars that a figure misses.
func (s *score) faults(l load, figure string) []string {
	var list []string
	miss := func(bad bool, format string, args ...any) {
		if bad {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	if l.unsteady != nil && l.unsteady(figure) {
		miss(s.share() > 5, "given in %.1f %% of runs, of 5 allowed", s.share())
		return list
	}
	width := s.width()
	tail := strings.HasSuffix(figure, "p90") || strings.HasSuffix(figure, "p99")
	least, share := 90.0, 95.0
	if tail {
		least = 85
	}
	if strings.HasSuffix(figure, "p99") {
		share = 80
	}
	miss(s.covered() < least, "covered %.1f %%, below %.0f", s.covered(), least)
	miss(s.covered() > 99 && !math.IsNaN(width), "covered %.1f %%, above 99", s.covered())
	if l.narrow {
		miss(s.share() < share, "given in %.1f %% of runs, below %.0f", s.share(), share)
		miss(width > 1.5, "%.2f times as wide as needed, above 1.5", width)
	}
	return list
}

// study runs a load with so many seeds.
func (l load) study(seeds int) (map[string]*score, error) {
	scores := map[string]*score{}
	goal := math.Inf(1)
	groups := map[string][]float64{}
	for seed := -1; seed < seeds; seed++ {
		n := requests
		if seed < 0 && !(l.unsteady != nil && l.unsteady("TTFT mean")) {
			n *= 100
		}
		var a, b run
		if printed && seed >= 0 {
			a.collect(l, goal)
		}
		if err := l.replay(uint64(seed+1), n, router.RoundRobin, &a); err != nil {
			return nil, err
		}
		p := a.stationary(l.slots)
		if seed < 0 {
			goal = series.New(column(a.requests[p.from:p.to], latency), 1).Quantile(0.75).Value
		}
		all := a.estimates(p, goal)
		if a.collector != nil {
			all = a.printed()
		}
		if l.routed && a.collector == nil {
			if err := l.replay(uint64(seed+1), n, router.KV, &b); err != nil {
				return nil, err
			}
			maps.Copy(all, a.gains(p, &b, b.stationary(l.slots)))
		}
		if seed < 0 {
			for name, e := range all {
				scores[name] = &score{truth: e.Value}
			}
			continue
		}
		for name, e := range all {
			if strings.HasPrefix(name, "gain") && !strings.HasSuffix(name, "mean") {
				if groups[name] = append(groups[name], e.Value); len(groups[name]) < repeats {
					continue
				}
				e, groups[name] = series.Runs(groups[name]), nil
			}
			scores[name].add(e)
		}
	}
	return scores, nil
}

// TestCoverage judges every figure on every load, with as many seeds as
// COVERAGE says, and prints the table of docs/accuracy.md. COVERAGE_LOADS may
// name some of the loads by their beginnings, separated by semicolons.
func TestCoverage(t *testing.T) {
	seeds, err := strconv.Atoi(os.Getenv("COVERAGE"))
	if err != nil {
		t.Skip("COVERAGE=1000 runs it, as make coverage does")
	}
	fmt.Printf("%d seeds of %d requests: covered %% / given %% / half-width over 1.96 SD\n\n", seeds, requests)
	fmt.Println("| load | figure | mean | p50 | p90 | p99 |\n|---|---|---|---|---|---|")
	for _, l := range loads() {
		if !named(l.name) {
			continue
		}
		began := time.Now()
		scores, err := l.study(seeds)
		if err != nil {
			t.Fatalf("%s: %v", l.name, err)
		}
		fmt.Print(l.rows(scores))
		for _, name := range slices.Sorted(maps.Keys(scores)) {
			for _, fault := range scores[name].faults(l, name) {
				t.Errorf("%s, %s: %s", l.name, name, fault)
			}
		}
		t.Logf("%s: %.0f s", l.name, time.Since(began).Seconds())
	}
}

func named(name string) bool {
	some := os.Getenv("COVERAGE_LOADS")
	return some == "" || slices.ContainsFunc(strings.Split(some, ";"), func(s string) bool {
		return strings.HasPrefix(name, s)
	})
}

// rows are a load's part of the table.
func (l load) rows(scores map[string]*score) string {
	var b strings.Builder
	figures := []string{"TTFT", "latency", "ITL", "output tok/s", "goodput", "gain in TTFT", "gain in latency"}
	for _, figure := range figures {
		if scores[figure+" mean"] == nil {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s |", l.name, figure)
		for _, stat := range []string{"mean", "p50", "p90", "p99"} {
			fmt.Fprintf(&b, " %s |", scores[figure+" "+stat].cell())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// cell is what the table says of a figure; a dash stands for what there is not.
func (s *score) cell() string {
	switch {
	case s == nil:
		return ""
	case s.given == 0:
		return "none given"
	case math.IsNaN(s.width()):
		return fmt.Sprintf("%.1f / %.0f / –", s.covered(), s.share())
	}
	return fmt.Sprintf("%.1f / %.0f / %.2f", s.covered(), s.share(), s.width())
}

// Every load can be run, and its runs be read.
func TestLoads(t *testing.T) {
	for _, l := range loads() {
		var a run
		if err := l.replay(1, 400, router.RoundRobin, &a); err != nil {
			t.Errorf("%s: %v", l.name, err)
			continue
		}
		p := a.stationary(l.slots)
		if n := len(a.estimates(p, 1)); len(a.requests) != 400 || n != 14 || p.to <= p.from {
			t.Errorf("%s: %d requests, %d figures, %+v", l.name, len(a.requests), n, p)
		}
	}
}
