package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headway/metric"
	"headway/record"
)

// serverSide is what the engine that is believed counted itself, of all its sources.
type serverSide struct {
	engine string
	moved  map[string]float64
}

// serverSide is that of the first kind of engine that counted any token; nil where
// none did. A quantity that one of its sources does not have is not known.
func (r *Report) serverSide() *serverSide {
	if r.Run.Servers == nil {
		return nil
	}
	for _, name := range []string{"vllm", "sglang", "trtllm", "dynamo_frontend"} {
		s := serverSide{engine: name}
		for _, one := range r.Run.Servers.Sources {
			if one.Engine == name {
				s.add(one.Moved)
			}
		}
		if s.moved["generated_tokens"] > 0 {
			return &s
		}
	}
	return nil
}

func (s *serverSide) add(moved map[string]float64) {
	sum := map[string]float64{}
	for name, v := range moved {
		if before, known := s.moved[name]; known || s.moved == nil {
			sum[name] = before + v
		}
	}
	s.moved = sum
}

// mean is that of a histogram of times in seconds; NaN where it has none.
func (s *serverSide) mean(name string) float64 {
	sum, known := s.moved[name+"_sum_s"]
	if n := s.moved[name+"_count"]; known && n > 0 {
		return sum / n
	}
	return math.NaN()
}

func (s *serverSide) count(name string) float64 {
	if v, known := s.moved[name]; known {
		return v
	}
	return math.NaN()
}

// bothSides is a quantity as the client and the server have it.
type bothSides struct {
	name           string
	tag            string
	client, server float64
}

// sides are the quantities that both have, times as means in milliseconds.
func (r *Report) sides(s *serverSide) (times, counts []bothSides) {
	times = []bothSides{{"TTFT, mean (ms)", "time_to_first_token", r.meanOf("time_to_first_token"),
		1000 * s.mean("ttft")},
		{"Between tokens, mean (ms)", "inter_token_latency", r.meanOf("inter_chunk_latency"), 1000 * s.mean("itl")}}
	counts = []bothSides{{"Requests", "requests", float64(r.Result.OK), s.count("requests")},
		{"Prompt tokens", "prompt_tokens", r.countOf("total_usage_prompt_tokens"), s.count("prompt_tokens")},
		{"Output tokens", "generated_tokens", r.countOf("total_usage_completion_tokens"), s.count("generated_tokens")},
		{"Cached tokens", "prefix_hits", r.countOf("total_usage_prompt_cache_read_tokens"), s.count("prefix_hits")}}
	if s.engine == "trtllm" {
		counts = counts[:3] // its hits are blocks
	}
	known := func(b bothSides) bool { return math.IsNaN(b.client) || math.IsNaN(b.server) }
	return slices.DeleteFunc(times, known), slices.DeleteFunc(counts, known)
}

func (r *Report) meanOf(tag string) float64 {
	if s, ok := r.Result.Summary(tag); ok {
		return 1000 * s.Mean
	}
	return math.NaN()
}

func (r *Report) countOf(tag string) float64 {
	if s, ok := r.Result.Scalar(tag); ok {
		return s.Value
	}
	return math.NaN()
}

// serverTable sets what the client measured and counted beside the server's own word.
func (r *Report) serverTable(d *Document, name string) {
	s := r.serverSide()
	if s == nil {
		return
	}
	times, counts := r.sides(s)
	if len(times)+len(counts) == 0 {
		return
	}
	t := table{title: r.title("Client and server", name), keys: 1, columns: []column{{title: "", style: styleCyan},
		{title: "client"}, {title: engineTitles[s.engine]}, {title: "difference"}}}
	for _, b := range slices.Concat(times, counts) {
		t.rows = append(t.rows, []string{b.name, significant(b.client), significant(b.server),
			significant(b.client - b.server)})
	}
	d.gap()
	d.table(t)
	if text := r.differenceText(s, times); text != "" {
		d.text("", text)
	}
}

// differenceText says what the client's TTFT holds beside the server's.
func (r *Report) differenceText(s *serverSide, times []bothSides) string {
	if len(times) == 0 || times[0].tag != "time_to_first_token" {
		return ""
	}
	ms := func(v float64) string { return significant(v) + " ms" }
	parts := []string{fmt.Sprintf("Of the TTFT, %s lie outside of %s", ms(times[0].client-times[0].server),
		engineTitles[s.engine])}
	rest := times[0].client - times[0].server
	if c := r.connecting(); c.own > 0 && c.of > 0 {
		share := 1000 * c.mean * float64(c.own) / float64(c.of)
		parts = append(parts, "of that "+ms(share)+" opening connections")
		rest -= share
	}
	if a := r.Run.Audit; a != nil && a.Stamps != nil {
		moved := 1000 * (a.Stamps.TTFT.P50 - a.Stamps.TTFT.OwnP50)
		parts = append(parts, ms(moved)+" this client, at the median")
		rest -= moved
	}
	parts = append(parts, ms(max(rest, 0))+" network, front end and what stands before the engine")
	if q := s.mean("queue"); !math.IsNaN(q) {
		parts = append(parts, "inside, "+ms(1000*q)+" are its queue")
	}
	if c := r.Result.Chunks; c.Rule == metric.ChunkAsIs && c.Arrivals > 0 && c.Coalesced > 0 {
		parts = append(parts, fmt.Sprintf("%s %% of the chunks were read together with others, which moves times "+
			"between tokens", percent(float64(c.Coalesced)/float64(c.Arrivals))))
	}
	return strings.Join(parts, "; ") + "."
}

// countsApart is by which share counts of both sides may differ without a warning; some
// requests more or less are one that began or ended with the counting.
const countsApart = 0.02

// CountWarnings say which counts of the client and the server do not add up, where
// every request was answered in one phase, so that they should.
func (r *Report) CountWarnings() []record.Warning {
	s := r.serverSide()
	if s == nil || !r.Complete() || r.Result.Failed+r.Result.Cancelled > 0 || r.Run.Warmup != nil {
		return nil
	}
	_, counts := r.sides(s)
	var apart []string
	for _, b := range counts {
		if math.Abs(b.client-b.server) > countsApart*max(b.client, b.server, 100) {
			apart = append(apart, fmt.Sprintf("%s %s and %s", strings.ToLower(b.name), significant(b.client),
				significant(b.server)))
		}
	}
	if apart == nil {
		return nil
	}
	return []record.Warning{{Code: "server_counts", Text: fmt.Sprintf("this client and %s (/metrics) do not count "+
		"the same: %s", engineTitles[s.engine], strings.Join(apart, "; "))}}
}
