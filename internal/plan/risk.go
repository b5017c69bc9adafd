package plan

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"headway/internal/twin"
	"headway/record"
)

// Risk is how probable it is that a plan loses a window of such a load.
type Risk struct {
	// Any is that of losing at least one window, 0 to 1, with its sampling error (90 %)
	// over the models drawn; Windows is how many windows are lost on average.
	Any     record.Number `json:"any_window"`
	Low     record.Number `json:"any_window_low"`
	High    record.Number `json:"any_window_high"`
	Windows record.Number `json:"windows_lost"`
	Of      int           `json:"windows"`
	// Replayed is how many loads were drawn and replayed, Models how many models were
	// drawn around the twin, and Resamples how often residuals were drawn for one of them.
	Replayed  int `json:"loads_replayed"`
	Models    int `json:"models"`
	Resamples int `json:"resamples"`
	// Basis says what it rests on, or why there is none.
	Basis string `json:"basis"`
}

const (
	resamples = 2000
	normal90  = 1.6449
)

// risks draws loads and models and replays them, for one plan and its neighbours.
type risks struct {
	asked *Asked
	trust *trust
	draw  *drawer
	part  part
	// like is for each window the one of the part that comes as near to a bound; itself
	// within the part.
	like []int
	// whole are the logarithms of the statistics of the recorded load, and recorded those
	// of a replay of the part by itself, by goal and window.
	whole, recorded [][]float64
	known           map[Candidate]Risk
}

// newRisks takes the replays of the recorded load and of its part; nil where nothing can
// be said of the risk.
func (a *Asked) newRisks(whole *outcome, t *trust) *risks {
	if t.why != "" {
		return nil
	}
	k := &risks{asked: a, trust: t, draw: newDrawer(a.Load), part: t.part, known: map[Candidate]Risk{}}
	k.whole, k.recorded = logarithms(whole.stats), logarithms(t.recorded.stats)
	near := make([]float64, len(a.Load.windows))
	for w := range near {
		for g := range a.goals {
			near[w] = max(near[w], whole.stats[g][w]/a.goals[g].Bound)
		}
	}
	for w := range near {
		best := min(max(w, k.part.first), k.part.end-1)
		for v := k.part.first; v < k.part.end && best != w; v++ {
			if math.Abs(near[v]-near[w]) < math.Abs(near[best]-near[w]) {
				best = v
			}
		}
		k.like = append(k.like, best)
	}
	return k
}

func logarithms(stats [][]float64) [][]float64 {
	all := make([][]float64, len(stats))
	for g := range stats {
		for _, v := range stats[g] {
			all[g] = append(all[g], math.Log(v))
		}
	}
	return all
}

// of is the risk of a candidate, by so many drawn loads, and at least one for each model.
func (k *risks) of(ctx context.Context, c Candidate, loads int) (r Risk, err error) {
	a := k.asked
	if r, known := k.known[c]; known {
		return r, nil
	}
	loads = max(loads, a.Draws)
	drawn := make([][][]float64, loads) // by load, goal and window of the part
	a.tell("the risk of %s: %d drawn loads", a.name(c), loads)
	models := a.Mappings[c.Mapping].Twin.Draw(a.Draws)
	err = a.each(loads, func(i int) error {
		st, err := a.Steps.of(fmt.Sprintf("drawn load %d: %s, mapping %d", i, a.name(c), c.Mapping),
			func() (*step, error) { return k.replay(ctx, c, i, models) })
		if err == nil {
			drawn[i] = k.numbers(st.Stats)
		}
		return err
	})
	if err != nil {
		return r, err
	}
	r = Risk{Of: len(a.Load.windows), Basis: k.basis(), Replayed: loads, Models: a.Draws, Resamples: resamples}
	k.count(&r, drawn)
	k.known[c] = r
	return r, nil
}

// replay replays a drawn load on a drawn model.
func (k *risks) replay(ctx context.Context, c Candidate, n int, models []*twin.Model) (*step, error) {
	a := k.asked
	st := &step{Full: true, Stats: make([][]record.Number, len(a.goals))}
	for g := range st.Stats {
		st.Stats[g] = make([]record.Number, k.part.end-k.part.first)
		for w := range st.Stats[g] {
			st.Stats[g][w] = record.Unknown() // nothing was drawn for it
		}
	}
	load := k.draw.draw(k.part, a.Seed, n)
	if load == nil {
		return st, nil
	}
	p := load.whole()
	p.first, _ = k.draw.place(load, k.part.first)
	if p.first == p.end {
		return st, nil
	}
	o, err := a.replayOf(ctx, load, c, models[n%len(models)], p, true, a.Seed+uint64(n)+1)
	if err != nil {
		return nil, err
	}
	for w := range k.part.end - k.part.first {
		at, ok := k.draw.place(load, k.part.first+w)
		for g := range st.Stats {
			if ok {
				st.Stats[g][w] = record.Number(min(o.stats[g][at-p.first], never))
			}
		}
	}
	return st, nil
}

// never stands in files for the infinite time of a request that failed, seconds.
const never = 1e300

// numbers are the logarithms of statistics; where nothing was drawn nothing is late.
func (k *risks) numbers(stats [][]record.Number) [][]float64 {
	all := make([][]float64, len(stats))
	for g := range stats {
		for _, v := range stats[g] {
			if !v.Known() {
				all[g] = append(all[g], math.Inf(-1))
				continue
			}
			all[g] = append(all[g], math.Log(float64(v)))
		}
	}
	return all
}

// count draws one of the replayed loads, with its model, and a residual of the twin for
// each objective, which moves all windows alike. Statistics are proportional to the times
// that they are of, so a factor on all times is one on the statistic.
func (k *risks) count(r *Risk, drawn [][][]float64) {
	a := k.asked
	random := rand.New(rand.NewPCG(a.Seed, 0x7269736b))
	lost, of := make([]float64, a.Draws), make([]float64, a.Draws)
	sum := 0
	for i := range resamples {
		model := i % a.Draws
		same := (len(drawn) - model + a.Draws - 1) / a.Draws // loads that were replayed on it
		load := func() [][]float64 { return drawn[model+random.IntN(same)*a.Draws] }
		n := k.windowsLost(random, load)
		sum += n
		of[model]++
		if n > 0 {
			lost[model]++
		}
	}
	r.Windows = record.Number(float64(sum) / resamples)
	r.sum(lost, of)
}

// sum takes what share of the loads of each model were lost.
func (r *Risk) sum(lost, of []float64) {
	n, mean, square := float64(len(of)), 0.0, 0.0
	for i := range of {
		share := lost[i] / max(of[i], 1)
		mean, square = mean+share/n, square+share*share/n
	}
	half := normal90 * math.Sqrt(max(square-mean*mean, 0)/max(n-1, 1))
	r.Any = record.Number(mean)
	r.Low, r.High = record.Number(max(mean-half, 0)), record.Number(min(mean+half, 1))
}

// windowsLost counts those of one drawn load. Windows of the part are those of the same
// replay; each other one moves from what it was as one like it does in another replay.
func (k *risks) windowsLost(random *rand.Rand, load func() [][]float64) (lost int) {
	a := k.asked
	together := load()
	off := make([]float64, len(a.goals))
	for g := range a.goals {
		errors := k.trust.errors[g]
		off[g] = k.trust.widen * errors[random.IntN(len(errors))]
	}
	for w, like := range k.like {
		from := together
		if like != w {
			from = load()
		}
		for g := range a.goals {
			if math.IsNaN(k.whole[g][w]) {
				continue // no reply of it has the time
			}
			v := from[g][like-k.part.first]
			if shift := k.whole[g][w] - k.recorded[g][like-k.part.first]; like != w && !math.IsNaN(shift) {
				v += shift
			}
			if !a.goals[g].Holds(math.Exp(v + off[g])) {
				lost++
				break
			}
		}
	}
	return lost
}

// basis says what the risk rests on.
func (k *risks) basis() string {
	text := k.trust.basis()
	if k.part.end-k.part.first < len(k.like) {
		text += fmt.Sprintf("; the part from %s is replayed, and the other windows are taken to vary as those of it "+
			"do that come as near to their bounds", clock(k.asked.Load.windows[k.part.first].begin))
	}
	return text
}

// negligible is a risk from which on that of more replicas is not drawn for.
const negligible = 0.005

// neighbours completes the prices by the risks of one replica less than the plan's, of the
// plan, and of more, by half as many drawn loads.
func (k *risks) neighbours(ctx context.Context, static Candidate, prices []Price) error {
	if k == nil {
		return nil
	}
	before := 1.0
	for i := range prices {
		p := &prices[i]
		if p.Replicas < static.Replicas-1 || p.Replicas > static.Replicas && before < negligible {
			continue
		}
		c := static
		c.Replicas = p.Replicas
		r, err := k.of(ctx, c, k.asked.Loads/2)
		if err != nil {
			return err
		}
		p.Risk, before = r.Any, float64(r.Any)
	}
	return nil
}

// unknownRisk says why there is none.
func unknownRisk(why string, windows int) Risk {
	return Risk{Any: record.Unknown(), Low: record.Unknown(), High: record.Unknown(), Windows: record.Unknown(),
		Of: windows, Basis: why}
}
