package policyfile

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headway/internal/router"
)

const classes = `
default_policy_family: standard
uncached_isl_buckets:
  - {min_tokens: 0, bucket: short}
  - {min_tokens: 2048, bucket: long}
policy_classes:
  - {name: s, policy_family: standard, cache_bucket: short, queue_policy: wspt, quantum: 4096,
     prefill_busy_threshold_frac: 0.5}
  - {name: l, policy_family: standard, cache_bucket: long, quantum: 1024, prefill_busy_threshold: 4096}
  - {name: admin, quantum: 1}
`

const selected = `
worker_selection:
  aggregated: tuned
  prefill: default
  instances:
    - name: tuned
      type: default
      parameters: {overlap_score_credit: 2, router_temperature: 0.5, decode_active_request_weight: 64}
`

func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A file changes what stands in it, and nothing else.
func TestApply(t *testing.T) {
	share, tokens := 0.5, 4096
	for name, v := range map[string]struct {
		text    string
		prefill bool
		want    func(*router.Config)
	}{
		"classes": {classes, false, func(c *router.Config) {
			c.Profile = &router.Profile{DefaultFamily: "standard",
				Buckets: []router.Bucket{{Name: "short"}, {Name: "long", MinTokens: 2048}},
				Classes: []router.Class{
					{Name: "s", Family: "standard", Bucket: "short", Policy: router.WSPT, Quantum: 4096,
						BusyShare: &share},
					{Name: "l", Family: "standard", Bucket: "long", Quantum: 1024, BusyTokens: &tokens},
					{Name: "admin", Quantum: 1},
				}}
		}},
		"selection": {selected, false, func(c *router.Config) {
			c.OverlapScoreCredit, c.Temperature, c.RequestWeight = 2, 0.5, 64
		}},
		"of another stage": {selected, true, func(*router.Config) {}},
		"settings": {"router: {use_kv_events: false, router_ttl_secs: 10, router_track_output_blocks: true, " +
			"router_event_threads: 8, serve_indexer: true}", false, func(c *router.Config) {
			c.UseKVEvents, c.TTL, c.TrackOutputBlocks = false, 10*time.Second, true
		}},
		"defaults that are spelled out": {"router: {host_cache_hit_weight: 0.75, shared_cache_type: none, " +
			"router_replica_sync: false, use_kv_events: true}", false, func(*router.Config) {}},
	} {
		got, want := router.Defaults(), router.Defaults()
		parse(t, v.text).Apply(&got, v.prefill)
		v.want(&want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What cannot be simulated, and what Dynamo would not take, is refused by name.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":               "has nothing in it",
		"[]":             "cannot unmarshal",
		"routers: {}":    "line 1: routers is not a key that Dynamo 1.6 has here",
		"router: {x: 1}": "x is not a key",
		"models: {m: {}, n: {}}\nrequest_classifier: {type: t}": "request_classifier: not built",
		"models: {m: {}}":          "models.m: profiles of single models",
		"default_policy_family: a": "give all of them or none",
		changed(classes, "quantum: 1}", "quantum: 1, busy_worker_ratio: 1}"): "busy_worker_ratio is not a key",
		changed(classes, "quantum: 1}", "quantum: 1, request_queue_limit_per_worker: 4}"): `"admin": ` +
			"request_queue_limit_per_worker: not built",
		changed(classes, "wspt", "lcfs"):                       `"s": queue_policy must be fcfs or wspt`,
		changed(classes, "wspt", "best"):                       `"s": queue_policy "best": must be fcfs or wspt`,
		"router: {host_cache_hit_weight: 0.5}":                 "router.host_cache_hit_weight 0.5: not built",
		"router: {shared_cache_type: hicache}":                 "router.shared_cache_type hicache: not built",
		"router: {router_predicted_ttl_secs: 5}":               "router_predicted_ttl_secs: not built",
		"router: {router_ttl_secs: 1e300}":                     "router_ttl_secs: must be from 0 to",
		"router: {router_ttl_secs: .nan}":                      "router_ttl_secs: must be from 0 to",
		"router: {use_kv_events: true}\n---\n":                 "more than one document",
		changed(classes, "quantum: 1}", "quantum: 9e18}"):      `"admin": quantum 9000000000000000000: must be`,
		"worker_selection: {}":                                 "selects nothing",
		"worker_selection: {aggregated: x}":                    `worker_selection.aggregated: there is no instance "x"`,
		"worker_selection: {default: x}":                       "default is not a key",
		changed(selected, "type: default", "type: two-tier"):   `type "two-tier" of "tuned": not built`,
		changed(selected, "prefill: default", "decode: tuned"): `worker_selection.decode "tuned": not built`,
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v, want %q", text, err, want)
		}
	}
}

func changed(text, what, to string) string { return strings.Replace(text, what, to, 1) }

func TestFields(t *testing.T) {
	f := parse(t, classes+selected+"router: {router_ttl_secs: 1}")
	got := strings.Fields(f.Fields(false))
	for _, name := range []string{"router-ttl-secs", "router-temperature", "router-queue-threshold"} {
		if !cmp.Equal(1, count(got, name)) {
			t.Errorf("%s: %d times in %v", name, count(got, name), got)
		}
	}
	if len(got) != 6 || len(strings.Fields(f.Fields(true))) != 3 {
		t.Errorf("%v, and of prefill workers %v", got, f.Fields(true))
	}
	if got := f.Families(); !cmp.Equal([]string{"admin"}, got) {
		t.Errorf("to be asked for: %v", got)
	}
}

func count(all []string, name string) (n int) {
	for _, a := range all {
		if a == name {
			n++
		}
	}
	return n
}

// FuzzParse sees to it that no text of a file ends the program.
func FuzzParse(f *testing.F) {
	f.Add([]byte(classes))
	f.Add([]byte(selected))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse(text)
		if err != nil {
			return
		}
		c := router.Defaults()
		file.Apply(&c, false)
		file.Fields(true)
		file.Families()
	})
}
