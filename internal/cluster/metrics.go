package cluster

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"headway/internal/engine"
)

// metrics answers a Prometheus scrape with the names, labels and bounds of
// vLLM, so that whatever reads a real server reads this one. The text format
// is written by hand: it is a dozen lines here, and a metrics library would
// keep its own locks and copies of counts that the engine has already.
func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) {
	e, st := s.driver.snapshot()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	p := exposition{labels: `engine="0",model_name=` + labelValue(s.cfg.Model)}

	p.value("num_requests_running", "gauge", "Number of requests in the running batch.", float64(e.Running))
	p.value("num_requests_waiting", "gauge", "Number of requests waiting to be admitted.", float64(e.Waiting))
	p.value("kv_cache_usage_perc", "gauge", "Share of the KV cache in use, 1 is all.", e.KVShare)
	p.value("num_preemptions_total", "counter", "Number of preemptions.", float64(e.Preempted))
	p.value("prompt_tokens_total", "counter", "Number of prompt tokens processed.", float64(e.PromptTokens))
	p.value("generation_tokens_total", "counter", "Number of tokens generated.", float64(e.GeneratedTokens))
	p.family("request_success_total", "counter", "Number of requests that ended, by reason.")
	p.sample("request_success_total", `,finished_reason="stop"`, float64(st.stopped))
	p.sample("request_success_total", `,finished_reason="length"`, float64(st.byLen))
	p.sample("request_success_total", `,finished_reason="abort"`, float64(st.aborted))
	p.histogram("time_to_first_token_seconds", "Time to first token in seconds.", st.ttft)
	p.histogram("inter_token_latency_seconds", "Time between tokens in seconds.", st.itl)
	// The name that versions before inter_token_latency_seconds had for it.
	p.histogram("time_per_output_token_seconds", "Time between tokens in seconds.", st.itl)
	p.histogram("e2e_request_latency_seconds", "Time from a request to its last token in seconds.", st.e2e)
	_, _ = w.Write([]byte(p.text.String())) // an error means that the scraper is gone
}

// snapshot copies the counts of one instant.
func (d *driver) snapshot() (engine.Stats, stats) {
	d.mu.Lock()
	defer d.mu.Unlock()
	st := d.stats
	st.ttft, st.itl, st.e2e = st.ttft.clone(), st.itl.clone(), st.e2e.clone()
	return d.eng.Stats(), st
}

// exposition is text in Prometheus's format.
type exposition struct {
	labels string
	text   strings.Builder
}

func (p *exposition) family(name, kind, help string) {
	fmt.Fprintf(&p.text, "# HELP vllm:%s %s\n# TYPE vllm:%s %s\n", name, help, name, kind)
}

func (p *exposition) sample(name, more string, v float64) {
	fmt.Fprintf(&p.text, "vllm:%s{%s%s} %s\n", name, p.labels, more, strconv.FormatFloat(v, 'g', -1, 64))
}

func (p *exposition) value(name, kind, help string, v float64) {
	p.family(name, kind, help)
	p.sample(name, "", v)
}

func (p *exposition) histogram(name, help string, h histogram) {
	p.family(name, "histogram", help)
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
		p.sample(name+"_bucket", `,le="`+bound+`"`, float64(cumulative))
	}
	p.sample(name+"_sum", "", h.sum)
	p.sample(name+"_count", "", float64(cumulative))
}

// labelValue quotes a label's value as the format wants it.
func labelValue(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
