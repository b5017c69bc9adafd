package cluster

import (
	"time"

	"headway/internal/engine"
)

// stats is what /metrics tells beside the engine's own counts.
type stats struct {
	ttft, itl, e2e          histogram
	stopped, byLen, aborted int64
}

// newStats has vLLM's bounds, in seconds (vllm-project/vllm,
// vllm/v1/metrics/loggers.py).
func newStats() stats {
	return stats{
		ttft: newHistogram(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
			1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560),
		itl: newHistogram(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75,
			1, 2.5, 5, 7.5, 10, 20, 40, 80),
		e2e: newHistogram(0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60,
			120, 240, 480, 960, 1920, 7680),
	}
}

// observe counts an event before the stream takes it. Times are those of the
// engine's timeline: what the worker did, without the delay of the writes.
func (s *stats) observe(st *stream, e engine.Event) {
	switch e.Kind {
	case engine.Token:
		if e.Token == 1 {
			s.ttft.observe(e.At - st.submitted)
			return
		}
		s.itl.observe(e.At - st.last)
	case engine.Finished:
		s.e2e.observe(e.At - st.submitted)
		if st.reason == "stop" {
			s.stopped++
		} else {
			s.byLen++
		}
	}
}

// histogram counts durations in buckets as Prometheus does.
type histogram struct {
	bounds []float64 // upper, in seconds, ascending
	counts []int64   // one more than bounds; not cumulative
	sum    float64   // seconds
}

func newHistogram(bounds ...float64) histogram {
	return histogram{bounds: bounds, counts: make([]int64, len(bounds)+1)}
}

func (h *histogram) observe(d time.Duration) {
	v := d.Seconds()
	h.sum += v
	for i, b := range h.bounds {
		if v <= b {
			h.counts[i]++
			return
		}
	}
	h.counts[len(h.bounds)]++
}

// clone is a copy that observe on the original does not change.
func (h histogram) clone() histogram {
	h.counts = append([]int64(nil), h.counts...)
	return h
}
