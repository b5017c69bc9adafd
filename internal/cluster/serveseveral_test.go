package cluster

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"headway/internal/engine"
	"headway/internal/router"
)

// workersOf asks for a reply in one piece and says who worked on it.
func workersOf(t *testing.T, e *endpoint, body string) (header string, prefill, decode, cached int) {
	t.Helper()
	resp := e.do("POST", chatPath, body)
	defer resp.Body.Close()
	var reply struct {
		Usage struct {
			Details struct {
				Cached int `json:"cached_tokens"`
			} `json:"prompt_tokens_details"`
		}
		Nvext struct {
			WorkerID struct {
				Prefill int `json:"prefill_worker_id"`
				Decode  int `json:"decode_worker_id"`
			} `json:"worker_id"`
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil || resp.StatusCode != 200 {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	return resp.Header.Get("X-Worker-Id"), reply.Nvext.WorkerID.Prefill, reply.Nvext.WorkerID.Decode,
		reply.Usage.Details.Cached
}

// several is a server of three quick workers.
func several(t *testing.T, mode router.Mode, change func(*Config)) *endpoint {
	c := Defaults()
	c.Workers, c.Router.Mode, c.Engine = 3, mode, engine.Config{SpeedupRatio: 1000, BlockSize: 16}
	if change != nil {
		change(&c)
	}
	return serve(t, ServerConfig{Cluster: &c})
}

func TestServeNamesTheWorker(t *testing.T) {
	e := several(t, router.RoundRobin, nil)
	for i := range 7 {
		header, _, decode, _ := workersOf(t, e, chat("x", `,"max_tokens":2`))
		if header != fmt.Sprint(i%3) || decode != i%3 {
			t.Errorf("request %d: worker %q in the header, %d in the body", i, header, decode)
		}
	}
	for _, l := range e.entries() {
		if l.Worker < 0 || l.Worker > 2 {
			t.Errorf("worker %d in the log", l.Worker)
		}
	}
}

func TestServeFollowsTheCache(t *testing.T) {
	e := several(t, router.KV, nil)
	body := chat(strings.Repeat(" word", 100), `,"max_tokens":2`)
	first, _, _, none := workersOf(t, e, body)
	again, _, _, cached := workersOf(t, e, body)
	if again != first || none != 0 || cached != 96 {
		t.Errorf("worker %s with %d cached tokens, then %s with %d", first, none, again, cached)
	}
	_, text := e.get("GET", "/metrics", "")
	for _, want := range []string{
		"dynamo_component_kv_cache_events_applied{model=\"simulated\"} ",
		"dynamo_component_requests_total{model=\"simulated\",worker_id=\"" + first + "\"} 2\n",
		"vllm:prefix_cache_hits_total{engine=\"" + first + "\",model_name=\"simulated\"} 96\n",
		"vllm:e2e_request_latency_seconds_count{engine=\"" + first + "\",model_name=\"simulated\"} 2\n",
		"dynamo_component_inflight_requests{model=\"simulated\",worker_id=\"2\"} 0\n",
		"dynamo_component_kvstats_total_blocks{model=\"simulated\",worker_id=\"0\"} 16384\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "kv_cache_events_applied{model=\"simulated\"} 0\n") ||
		strings.Count(text, "# TYPE vllm:num_requests_running") != 1 {
		t.Errorf("events, or a family that is declared for each worker:\n%s", text)
	}
}

// A request that names its worker gets it, in mode direct and in others.
func TestServeTakesTheWorkerAsked(t *testing.T) {
	for _, mode := range []router.Mode{router.Direct, router.KV} {
		e := several(t, mode, nil)
		for _, want := range []string{"2", "0", "2"} {
			if got, _, _, _ := workersOf(t, e,
				chat("x", `,"max_tokens":1,"nvext":{"backend_instance_id":`+want+`}`)); got != want {
				t.Errorf("%v: worker %s, not %s", mode, got, want)
			}
		}
		for _, id := range []string{"3", "-1", `"x"`} {
			if status, body := e.get("POST", chatPath,
				chat("x", `,"nvext":{"backend_instance_id":`+id+`}`)); status != 400 {
				t.Errorf("%v: worker %s: %d %s", mode, id, status, body)
			}
		}
	}
}

func TestServeWithPrefillWorkers(t *testing.T) {
	e := several(t, router.KV, func(c *Config) { c.PrefillWorkers = 2 })
	for range 4 {
		header, prefill, decode, _ := workersOf(t, e, chat("a b c", `,"max_tokens":5`))
		if prefill < 3 || decode > 2 || header != fmt.Sprint(prefill) {
			t.Errorf("header %q, prefill worker %d, decode worker %d", header, prefill, decode)
		}
	}
}
