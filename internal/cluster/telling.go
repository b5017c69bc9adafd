package cluster

import (
	"encoding/json"
	"time"

	"headway/internal/openai"
	"headway/internal/router"
)

// What a request can ask for in nvext.extra_fields, of what Dynamo's frontend knows.
const (
	tellWorkers = "worker_id"
	tellTiming  = "timing"
)

// tellings is the nvext object of a reply, as Dynamo 1.6 writes it. Its ids are
// opaque; here they are the workers' numbers.
type tellings struct {
	Workers *workerTelling `json:"worker_id,omitempty"`
	Timing  *timeTelling   `json:"timing,omitempty"`
}

type workerTelling struct {
	Prefill     int `json:"prefill_worker_id"`
	PrefillRank int `json:"prefill_dp_rank"`
	Decode      int `json:"decode_worker_id"`
	DecodeRank  int `json:"decode_dp_rank"`
}

type timeTelling struct {
	Received int64    `json:"request_received_ms"`
	Wait     float64  `json:"prefill_wait_time_ms"`
	Prefill  float64  `json:"prefill_time_ms"`
	TTFT     float64  `json:"ttft_ms"`
	Total    float64  `json:"total_time_ms"`
	HitRate  *float64 `json:"kv_hit_rate,omitempty"` // of mode kv alone
}

// telling adds to an event, or to a whole reply, what the request asked to be told;
// its times with the last event. Dynamo repeats the workers with every event; here
// they stand in the first and in the last.
func (c *completion) telling(event []byte, last bool) []byte {
	var t tellings
	at, times := c.stream.at(), c.stream.times()
	if c.hints.tellWorkers && at.worker >= 0 {
		t.Workers = &workerTelling{Prefill: at.prefill, Decode: at.worker}
	}
	if c.hints.tellTiming && last {
		t.Timing = c.times(at, times)
	}
	if t == (tellings{}) {
		return event
	}
	text, err := json.Marshal(t)
	if err != nil {
		return event // of numbers: it always has a JSON form
	}
	return openai.AddServerTold(event, text)
}

func (c *completion) times(at seat, t timeline) *timeTelling {
	ms := func(d time.Duration) float64 { return float64(max(d, 0)) / float64(time.Millisecond) }
	told := &timeTelling{Received: c.server.driver.wall(t.submitted).UnixMilli(), Wait: ms(t.admitted - t.submitted),
		Prefill: ms(t.first - t.admitted), TTFT: ms(t.first - t.submitted), Total: ms(t.last - t.submitted)}
	if c.server.cfg.Cluster.Router.Mode == router.KV && c.plan.prompt > 0 {
		share := min(1, float64(at.cached)/float64(c.plan.prompt))
		told.HitRate = &share
	}
	return told
}
