package plan

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"slices"
	"time"

	"headway/internal/twin"
)

// Bound is the least number of replicas that any router could do with.
type Bound struct {
	Mapping  string `json:"mapping"`
	Replicas int    `json:"replicas"`
	// Prefill and Decode are the least where prompts and replies are computed on
	// replicas of their own.
	Prefill int `json:"prefill_replicas"`
	Decode  int `json:"decode_replicas"`
	// Window is the one that needs them, seconds from the start of the load.
	Window float64 `json:"window_s"`
	// Impossible says why no number of replicas is enough; empty where that is not known.
	Impossible string `json:"impossible,omitempty"`
}

// bounds are those of a mapping, by window.
//
// The system they are of is perfect: work is spread over the GPUs without a remainder,
// none of them waits, weights are read for nobody, and prompts meet a cache that holds
// everything that any replica has computed. It needs a GPU as long as the work of the
// requests takes that come between two times and have to be done by the second (the
// demand criterion of Baruah, Rosier and Howell, 1990), without those that may miss the
// objectives: those with most work are left out. No simulated cluster needs less, since a
// step takes no less than its tokens' work.
//
// Of replicas that only compute prompts it needs as many as the work of the prompts takes,
// and of those that only decode as many as the rest.
func (a *Asked) bounds(mapping int) (n needs, b Bound) {
	b = Bound{Mapping: a.Mappings[mapping].Name, Replicas: 1, Prefill: 1, Decode: 1}
	windows := len(a.Load.windows)
	n = needs{all: make([]int, windows), prefill: make([]int, windows), decode: make([]int, windows)}
	for _, strict := range a.stricter() {
		strict.raise(&n, mapping)
	}
	for i, w := range a.Load.windows {
		if n := n.all[i]; n > b.Replicas {
			b.Replicas, b.Window = n, w.begin.Seconds()
		}
		b.Prefill, b.Decode = max(b.Prefill, n.prefill[i]), max(b.Decode, n.decode[i])
		if text := a.tooSlow(mapping, w); text != "" && b.Impossible == "" {
			b.Impossible = text
		}
	}
	return n, b
}

// needs are the replicas that each window needs at least: of those that compute prompts
// and replies, and of those that compute prompts alone and replies alone.
type needs struct{ all, prefill, decode []int }

// stricter asks for the objectives that spare the fewest requests, then for those that
// spare more, too, up to all of them. Each has a bound, and all bounds hold: with a mean,
// half of a window's requests are spared, and what a p99 asks of the others is lost.
func (a *Asked) stricter() (all []*Asked) {
	goals := slices.Clone(a.goals)
	slices.SortStableFunc(goals, func(x, y goal) int { return cmp.Compare(x.spares(), y.spares()) })
	for i := range goals {
		if i+1 == len(goals) || goals[i].spares() < goals[i+1].spares() {
			all = append(all, &Asked{Load: a.Load, Mappings: a.Mappings, goals: goals[:i+1]})
		}
	}
	return all
}

// raise raises the replicas of each window to what the objectives need.
func (a *Asked) raise(n *needs, mapping int) {
	prompts, replies, decodes := a.jobs(mapping)
	for i, w := range a.Load.windows {
		n.prefill[i] = max(n.prefill[i], a.demand(prompts[w.from:w.to]))
		n.decode[i] = max(n.decode[i], 1)
		n.all[i] = max(n.all[i], n.prefill[i])
		if replies != nil {
			n.all[i] = max(n.all[i], a.demand(replies[w.from:w.to]))
			n.decode[i] = max(n.decode[i], a.demand(decodes[w.from:w.to]))
		}
	}
}

// job is a request's work on a GPU, and by when it has to be done.
type job struct {
	at, due time.Duration
	work    float64 // seconds
}

// jobs are the requests' work: that of the prompts, due with the first token, and where
// the objectives bound the reply's end that of all, and that without the prompts, due with
// the last one.
func (a *Asked) jobs(mapping int) (prompts, replies, decodes []job) {
	m := &a.Mappings[mapping].Twin.Model
	due := a.deadlines()
	for i, r := range a.Load.requests {
		length, more := float64(r.Prompt.Length()), float64(r.OutputTokens-1)
		ms := a.prompt(m, i)
		first, end := due(r.OutputTokens)
		prompts = append(prompts, job{at: r.At, due: r.At + seconds(first), work: ms / 1e3})
		rest := more*(m.Compute+m.Sequence)/1e3 + m.KV/1e6*(more*length+more*more/2)
		replies = append(replies, job{at: r.At, due: r.At + seconds(end), work: (ms + rest) / 1e3})
		decodes = append(decodes, job{at: r.At, due: r.At + seconds(end), work: rest / 1e3})
	}
	if _, end := due(2); math.IsInf(end, 1) {
		return prompts, nil, nil
	}
	return prompts, replies, decodes
}

// prompt is the least time of a GPU that a prompt takes, ms: of its tokens that nobody
// has computed before.
func (a *Asked) prompt(m *twin.Model, request int) float64 {
	length, fresh := float64(a.Load.requests[request].Prompt.Length()), float64(a.Load.fresh[request])
	return m.Compute/1e3*fresh + m.Attention/1e6*(fresh*length-fresh*fresh/2)
}

// deadlines says by when the first and the last token of a reply have to be there when
// all bounds are kept, seconds from the request; infinite where nothing is asked.
func (a *Asked) deadlines() func(outputTokens int) (first, end float64) {
	bound := map[string]float64{}
	for _, g := range a.goals {
		_, multiple := g.late(1)
		if old, there := bound[g.Tag]; !there || multiple*g.Bound < old {
			bound[g.Tag] = multiple * g.Bound
		}
	}
	of := func(tag string) float64 {
		if v, there := bound[tag]; there {
			return v
		}
		return math.Inf(1)
	}
	ttft, itl, latency := of("time_to_first_token"), of("inter_token_latency"), of("request_latency")
	return func(outputTokens int) (first, end float64) {
		end = latency
		if outputTokens > 1 {
			end = min(end, ttft+float64(outputTokens-1)*itl)
		}
		return min(ttft, latency), end
	}
}

// seconds is a duration, a very long one where there is no bound.
func seconds(s float64) time.Duration {
	if s > 1e9 {
		return 1e18
	}
	return time.Duration(s * 1e9)
}

// starts are how many times of a window demand begins at, at most; fewer only make the
// bound lower.
const starts = 128

// demand is the replicas that the jobs of a window need: over all spans that begin with
// one of them, the work of those that come and are due in it, over its length.
func (a *Asked) demand(jobs []job) int {
	allowed := a.allowed(len(jobs))
	most := 0.0
	last := time.Duration(-1)
	for i := 0; i < len(jobs); i += max(len(jobs)/starts, 1) {
		if jobs[i].at == last {
			continue
		}
		last = jobs[i].at
		most = max(most, demandFrom(jobs[i:], allowed))
	}
	return max(int(math.Ceil(most*(1-1e-9))), 1)
}

// allowed is how many requests of a window may miss any objective, at most.
func (a *Asked) allowed(n int) (k int) {
	for i := range a.goals {
		one, _ := a.goals[i].late(n)
		k += one
	}
	return k
}

// demandFrom is the largest demand of the spans that begin with the first of the jobs.
func demandFrom(jobs []job, allowed int) (most float64) {
	var spared heapOfWork
	due, sum := time.Duration(0), 0.0
	for _, j := range jobs {
		due, sum = max(due, j.due), sum+j.work
		heap.Push(&spared, j.work)
		sum -= spared.keep(allowed)
		if span := (due - jobs[0].at).Seconds(); span > 0 {
			most = max(most, sum/span)
		}
		sum += spared.sum
	}
	return most
}

// heapOfWork holds the largest works, the least of them first.
type heapOfWork struct {
	works []float64
	sum   float64
}

func (h *heapOfWork) Len() int           { return len(h.works) }
func (h *heapOfWork) Less(i, j int) bool { return h.works[i] < h.works[j] }
func (h *heapOfWork) Swap(i, j int)      { h.works[i], h.works[j] = h.works[j], h.works[i] }

// Push takes a work in.
func (h *heapOfWork) Push(x any) { h.works, h.sum = append(h.works, x.(float64)), h.sum+x.(float64) }

// Pop gives the last one out.
func (h *heapOfWork) Pop() any {
	last := len(h.works) - 1
	x := h.works[last]
	h.works = h.works[:last]
	h.sum -= x
	return x
}

// keep leaves the n largest, and is their sum.
func (h *heapOfWork) keep(n int) float64 {
	for len(h.works) > n {
		heap.Pop(h)
	}
	return h.sum
}

// tooSlow says where a window has more requests than may miss whose prompts alone take
// longer than a bound, on a GPU with nothing else to do.
func (a *Asked) tooSlow(mapping int, w window) string {
	m := &a.Mappings[mapping].Twin.Model
	for _, g := range a.goals {
		if g.Tag == "inter_token_latency" {
			continue
		}
		n := w.to - w.from
		allowed, multiple := g.late(n)
		late := 0
		for i := w.from; i < w.to; i++ {
			ms := max(m.Weights, a.prompt(m, i))
			if ms/1e3 > multiple*g.Bound {
				late++
			}
		}
		if late > allowed {
			return fmt.Sprintf("%s: in the window from %s, %d of %d prompts take longer than that on a GPU with "+
				"nothing else to do, and %d may", g.Text, clock(w.begin), late, n, allowed)
		}
	}
	return ""
}

// clock is a time of the load as hours and minutes.
func clock(t time.Duration) string {
	return fmt.Sprintf("%d:%02d:%02d", int(t.Hours()), int(t.Minutes())%60, int(t.Seconds())%60)
}
