package metric

import (
	"cmp"
	"math"
	"slices"

	"headway/record"
)

// Worker is what one of a server's workers did with the measured requests, as far as
// replies name it. Where one worker computes a request's prompt and another its
// reply, the prompt is of the one and the output of the other.
type Worker struct {
	Name string
	// Requests is how many it took part in, Failed how many of these were not
	// answered as they should.
	Requests, Failed int
	// PromptTokens and OutputTokens are as the figures of the run count them;
	// CachedTokens of the prompts came from its prefix cache, -1 where nobody says it.
	PromptTokens, CachedTokens, OutputTokens int64
	// Busy is the time in seconds in which it had a request: by this side's clock,
	// from the request's last byte to the reply's end.
	Busy float64
	// TTFT is the mean of the requests whose prompts it computed, ServerTTFT the same
	// as the server says it, in seconds; NaN where there is none.
	TTFT, ServerTTFT float64
}

// Workers are those of a run.
type Workers struct {
	// Each is in the order of their names; nil where none was named, and where more
	// than [MaxWorkers] names came.
	Each []Worker
	// Imbalance is the busiest worker's time over the mean of all that were named; NaN
	// where fewer than two were. One that got no request is not known.
	Imbalance float64
	// HitRate is the share of the prompts' tokens, 0 to 1, that the router took for
	// cached on the worker of its choice; NaN where it does not say it.
	HitRate float64
	// Queued is the most requests that the router held back when another came; -1
	// where it does not say it.
	Queued int
}

// MaxWorkers is how many workers a run tells apart.
const MaxWorkers = 4096

// workers gathers what replies say of workers. Sums are whole numbers, so that the
// order of Records does not matter.
type workers struct {
	named           map[string]*workerSums
	tokens, credits int64 // of prompts whose hit rate is known; credits are millionths
	queued          int   // one more than Workers.Queued
}

type workerSums struct {
	Worker
	cached             int // requests whose cached tokens are known
	ttft, serverTTFT   int64
	ttfts, serverTTFTs int
	busy               [][2]record.Time
}

// add takes a request that was sent.
func (w *workers) add(r *record.Record) {
	prefill, decode := r.Worker, r.Worker
	if t := r.Told; t != nil {
		if t.Queued != nil {
			w.queued = max(w.queued, *t.Queued+1)
		}
		prefill, decode = cmp.Or(t.PrefillWorker, r.Worker), cmp.Or(t.DecodeWorker, r.Worker)
		if t.HitRate != nil && Valid(r) && r.TokensIn > 0 {
			w.tokens += int64(r.TokensIn)
			w.credits += int64(math.Round(*t.HitRate*1e6)) * int64(r.TokensIn)
		}
	}
	if prefill == "" && decode == "" {
		return
	}
	first, _ := firstOf(r, anyText)
	if prefill == decode || !first.Known() {
		w.of(prefill).takes(r, r.Sent, r.Done).prompt(r).output(r)
		return
	}
	w.of(prefill).takes(r, r.Sent, first).prompt(r)
	w.of(decode).takes(r, first, r.Done).output(r)
}

// of finds a worker's sums. Once there are too many one stands for all others.
func (w *workers) of(name string) *workerSums {
	if w.named == nil {
		w.named = map[string]*workerSums{}
	}
	s := w.named[name]
	if s == nil {
		s = &workerSums{Worker: Worker{Name: name}}
		if len(w.named) <= MaxWorkers {
			w.named[name] = s
		}
	}
	return s
}

func (s *workerSums) takes(r *record.Record, from, to record.Time) *workerSums {
	s.Requests++
	if Erred(r) {
		s.Failed++
	}
	if from.Known() && to > from {
		s.busy = append(s.busy, [2]record.Time{from, to})
	}
	return s
}

func (s *workerSums) prompt(r *record.Record) *workerSums {
	s.PromptTokens += int64(max(0, r.TokensIn))
	if n, ok := r.Usage[cacheRead]; ok {
		s.CachedTokens, s.cached = s.CachedTokens+int64(n), s.cached+1
	} else if r.Told != nil && r.Told.HitRate != nil && r.TokensIn > 0 {
		s.CachedTokens += int64(math.Round(*r.Told.HitRate * float64(r.TokensIn)))
		s.cached++
	}
	if v, ok := TTFT(r); ok {
		s.ttft, s.ttfts = s.ttft+nanoseconds(v), s.ttfts+1
	}
	if v, ok := toldOf(func(t *record.Told) *float64 { return t.TTFT })(r); ok {
		s.serverTTFT, s.serverTTFTs = s.serverTTFT+nanoseconds(v), s.serverTTFTs+1
	}
	return s
}

func (s *workerSums) output(r *record.Record) { s.OutputTokens += int64(delivered(r)) }

func nanoseconds(s float64) int64 { return int64(math.Round(s * 1e9)) }

// result is the account of all of them.
func (w *workers) result() Workers {
	all := Workers{Imbalance: math.NaN(), HitRate: math.NaN(), Queued: w.queued - 1}
	if w.tokens > 0 {
		all.HitRate = float64(w.credits) / 1e6 / float64(w.tokens)
	}
	if len(w.named) > MaxWorkers {
		return all
	}
	var sum, most float64
	for _, s := range w.named {
		one := s.result()
		all.Each = append(all.Each, one)
		most = max(most, one.Busy)
	}
	slices.SortFunc(all.Each, byName)
	for _, one := range all.Each {
		sum += one.Busy
	}
	if len(all.Each) > 1 && sum > 0 {
		all.Imbalance = most * float64(len(all.Each)) / sum
	}
	return all
}

// byName puts numbers in the order of their size.
func byName(a, b Worker) int {
	return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
}

func (s *workerSums) result() Worker {
	one := s.Worker
	if s.cached == 0 {
		one.CachedTokens = -1
	}
	one.Busy = seconds(covered(s.busy))
	one.TTFT, one.ServerTTFT = mean(s.ttft, s.ttfts), mean(s.serverTTFT, s.serverTTFTs)
	return one
}

// mean is in seconds, of a sum in nanoseconds.
func mean(sum int64, n int) float64 {
	if n == 0 {
		return math.NaN()
	}
	return float64(sum) / 1e9 / float64(n)
}

// covered is how much time lies in at least one of the spans.
func covered(spans [][2]record.Time) (total record.Time) {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b [2]record.Time) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	var until record.Time
	for _, s := range spans {
		if from := max(s[0], until); s[1] > from {
			total += s[1] - from
			until = s[1]
		}
	}
	return total
}
