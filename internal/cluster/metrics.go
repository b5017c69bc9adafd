package cluster

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"headway/internal/engine"
)

// metrics answers a Prometheus scrape with the names, labels and bounds of
// vLLM, so that whatever reads a real server reads this one, and what Dynamo's
// workers and router tell. vLLM's label engine is the worker's number, as with
// its data-parallel engines. The text format is written by hand: it is a dozen
// lines here, and a metrics library would keep its own locks and copies of
// counts that the workers have already.
func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) {
	now := s.driver.snapshot()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	p := exposition{model: labelValue(s.cfg.Model), workers: now.workers}

	p.value("vllm:num_requests_running", "gauge", "Number of requests in the running batch.",
		func(x *workerNow) float64 { return float64(x.engine.Running) })
	p.value("vllm:num_requests_waiting", "gauge", "Number of requests waiting to be admitted.",
		func(x *workerNow) float64 { return float64(x.engine.Waiting) })
	p.value("vllm:kv_cache_usage_perc", "gauge", "Share of the KV cache in use, 1 is all.", func(x *workerNow) float64 {
		return x.engine.KVShare
	})
	p.value("vllm:num_preemptions_total", "counter", "Number of preemptions.", func(x *workerNow) float64 {
		return float64(x.engine.Preempted)
	})
	p.value("vllm:prompt_tokens_total", "counter", "Number of prompt tokens processed.", func(x *workerNow) float64 {
		return float64(x.engine.PromptTokens)
	})
	p.value("vllm:generation_tokens_total", "counter", "Number of tokens generated.", func(x *workerNow) float64 {
		return float64(x.engine.GeneratedTokens)
	})
	p.value("vllm:prefix_cache_queries_total", "counter", "Number of tokens looked up in the prefix cache.",
		func(x *workerNow) float64 { return float64(x.engine.QueriedTokens) })
	p.value("vllm:prefix_cache_hits_total", "counter", "Number of tokens found in the prefix cache.",
		func(x *workerNow) float64 { return float64(x.engine.CachedTokens - onboarded(x)) })
	if len(s.cfg.Cluster.Tiers) > 0 {
		p.external()
	}
	if k := s.cfg.Cluster.Engine.Speculation.Tokens; k > 0 {
		p.speculation(k)
	}
	p.family("vllm:request_success_total", "counter", "Number of requests that ended, by reason.")
	for i := range p.workers {
		st := &p.workers[i].stats
		p.sample("vllm:request_success_total", i, `,finished_reason="stop"`, float64(st.stopped))
		p.sample("vllm:request_success_total", i, `,finished_reason="length"`, float64(st.byLen))
		p.sample("vllm:request_success_total", i, `,finished_reason="abort"`, float64(st.aborted))
	}
	p.histogram("vllm:time_to_first_token_seconds", "Time to first token in seconds.", func(s *stats) *histogram {
		return &s.ttft
	})
	p.histogram("vllm:inter_token_latency_seconds", "Time between tokens in seconds.", func(s *stats) *histogram {
		return &s.itl
	})
	// The name that versions before inter_token_latency_seconds had for it.
	p.histogram("vllm:time_per_output_token_seconds", "Time between tokens in seconds.", func(s *stats) *histogram {
		return &s.itl
	})
	p.histogram("vllm:e2e_request_latency_seconds", "Time from a request to its last token in seconds.",
		func(s *stats) *histogram { return &s.e2e })
	p.dynamo(s.cfg.Cluster, now)
	if s.cfg.Known["nvext"] != nil {
		p.frontend()
	}
	_, _ = w.Write([]byte(p.text.String())) // an error means that the scraper is gone
}

// external adds what vLLM counts of caches behind a connector: what the GPU did not
// have, and what of it a tier had.
func (p *exposition) external() {
	p.value("vllm:external_prefix_cache_queries_total", "counter", "Number of tokens looked up in tiers below the GPU.",
		func(x *workerNow) float64 {
			return float64(x.engine.QueriedTokens - x.engine.CachedTokens + onboarded(x))
		})
	p.value("vllm:external_prefix_cache_hits_total", "counter", "Number of tokens found in tiers below the GPU.",
		func(x *workerNow) float64 { return float64(onboarded(x)) })
}

// speculation adds what vLLM counts of drafts, of so many tokens each (vllm-project/vllm,
// vllm/v1/spec_decode/metrics.py).
func (p *exposition) speculation(tokens int) {
	p.value("vllm:spec_decode_num_drafts_total", "counter", "Number of drafts.",
		func(x *workerNow) float64 { return float64(x.engine.Drafts) })
	p.value("vllm:spec_decode_num_draft_tokens_total", "counter", "Number of draft tokens.",
		func(x *workerNow) float64 { return float64(x.engine.DraftTokens) })
	p.value("vllm:spec_decode_num_accepted_tokens_total", "counter", "Number of accepted draft tokens.",
		func(x *workerNow) float64 { return float64(x.engine.AcceptedTokens) })
	const name = "vllm:spec_decode_num_accepted_tokens_per_pos_total"
	p.family(name, "counter", "Number of accepted draft tokens, by position.")
	for w := range p.workers {
		for i, n := range p.workers[w].engine.AcceptedAt[:tokens] {
			p.sample(name, w, `,position="`+strconv.Itoa(i)+`"`, float64(n))
		}
	}
}

// onboarded are the tokens that tiers had of prompts.
func onboarded(x *workerNow) (n int64) {
	for _, tokens := range x.engine.OnboardedTokens {
		n += tokens
	}
	return n
}

// dynamo adds what Dynamo's components tell beside. The one to look at is the
// count of KV events: a router in mode kv that never heard of any knows nothing
// of the caches.
func (p *exposition) dynamo(c *Config, now fleetNow) {
	blocks := float64(c.blocks())
	p.dynamoValue("dynamo_component_inflight_requests", "gauge", "Requests on the worker.", func(x *workerNow) float64 {
		return float64(x.jobs)
	})
	p.dynamoValue("dynamo_component_requests_total", "counter", "Requests that the worker was given.",
		func(x *workerNow) float64 { return float64(x.totals.requests) })
	p.dynamoValue("dynamo_component_kvstats_active_blocks", "gauge", "KV blocks in use.", func(x *workerNow) float64 {
		return x.engine.KVShare * blocks
	})
	p.dynamoValue("dynamo_component_kvstats_total_blocks", "gauge", "KV blocks of the worker.",
		func(*workerNow) float64 { return blocks })
	p.dynamoValue("dynamo_component_kvstats_gpu_cache_usage_percent", "gauge",
		"Share of the KV blocks in use, 1 is all.", func(x *workerNow) float64 { return x.engine.KVShare })
	p.dynamoValue("dynamo_component_kvstats_gpu_prefix_cache_hit_rate", "gauge",
		"Share of prompt tokens found in the prefix cache.", func(x *workerNow) float64 {
			if x.engine.QueriedTokens == 0 {
				return 0
			}
			return float64(x.engine.CachedTokens) / float64(x.engine.QueriedTokens)
		})
	p.family("dynamo_component_kv_cache_events_applied", "counter", "KV events that the router took.")
	p.line("dynamo_component_kv_cache_events_applied", "model="+p.model, float64(now.applied))
	p.family("dynamo_component_router_queue_requests", "gauge", "Requests that the router holds back.")
	p.line("dynamo_component_router_queue_requests", "model="+p.model, float64(now.waiting))
}

// frontend adds what a frontend of Dynamo tells of all workers.
func (p *exposition) frontend() {
	sum := func(name, help string, of func(*workerNow) float64) {
		total := 0.0
		for i := range p.workers {
			total += of(&p.workers[i])
		}
		p.family(name, "untyped", help)
		p.line(name, "model="+p.model, total)
	}
	sum("dynamo_frontend_input_sequence_tokens_sum", "Tokens of prompts.", func(x *workerNow) float64 {
		return float64(x.engine.QueriedTokens)
	})
	sum("dynamo_frontend_cached_tokens_sum", "Tokens of prompts that were cached.", func(x *workerNow) float64 {
		return float64(x.engine.CachedTokens)
	})
	sum("dynamo_frontend_cached_tokens_count", "Requests whose cached tokens are known.",
		func(x *workerNow) float64 { return float64(x.totals.requests) })
}

// fleetNow and workerNow are copies of the counts of one instant.
type fleetNow struct {
	workers []workerNow
	applied int64
	waiting int
}

type workerNow struct {
	engine engine.Stats
	stats  stats
	totals memberTotals
	jobs   int
}

func (d *driver) snapshot() fleetNow {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fleet.flush()
	r := d.fleet.front.router
	now := fleetNow{applied: r.AppliedEvents(), waiting: r.Waiting()}
	for i, m := range d.fleet.members {
		st := d.stats[i]
		st.ttft, st.itl, st.e2e = st.ttft.clone(), st.itl.clone(), st.e2e.clone()
		now.workers = append(now.workers, workerNow{engine: m.eng.Stats(), stats: st, totals: m.totals, jobs: m.jobs})
	}
	return now
}

// exposition is text in Prometheus's format.
type exposition struct {
	model   string // as a label's value
	workers []workerNow
	text    strings.Builder
}

func (p *exposition) family(name, kind, help string) {
	fmt.Fprintf(&p.text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (p *exposition) line(name, labels string, v float64) {
	fmt.Fprintf(&p.text, "%s{%s} %s\n", name, labels, strconv.FormatFloat(v, 'g', -1, 64))
}

// sample is vLLM's line for a worker.
func (p *exposition) sample(name string, worker int, more string, v float64) {
	p.line(name, `engine="`+strconv.Itoa(worker)+`",model_name=`+p.model+more, v)
}

func (p *exposition) value(name, kind, help string, of func(*workerNow) float64) {
	p.family(name, kind, help)
	for i := range p.workers {
		p.sample(name, i, "", of(&p.workers[i]))
	}
}

func (p *exposition) dynamoValue(name, kind, help string, of func(*workerNow) float64) {
	p.family(name, kind, help)
	for i := range p.workers {
		p.line(name, `model=`+p.model+`,worker_id="`+strconv.Itoa(i)+`"`, of(&p.workers[i]))
	}
}

func (p *exposition) histogram(name, help string, of func(*stats) *histogram) {
	p.family(name, "histogram", help)
	for w := range p.workers {
		h := of(&p.workers[w].stats)
		var cumulative int64
		for i, n := range h.counts {
			cumulative += n
			bound := "+Inf"
			if i < len(h.bounds) {
				bound = strconv.FormatFloat(h.bounds[i], 'f', -1, 64)
				if !strings.Contains(bound, ".") {
					bound += ".0" // as Python's client writes it
				}
			}
			p.sample(name+"_bucket", w, `,le="`+bound+`"`, float64(cumulative))
		}
		p.sample(name+"_sum", w, "", h.sum)
		p.sample(name+"_count", w, "", float64(cumulative))
	}
}

// labelValue quotes a label's value as the format wants it.
func labelValue(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
