package policyfile

import (
	"time"

	"headway/internal/fault"
	"headway/internal/router"
)

// settings are the section router: what all of Dynamo's selections share.
type settings struct {
	Host          *float64 `yaml:"host_cache_hit_weight"`
	Disk          *float64 `yaml:"disk_cache_hit_weight"`
	Events        *bool    `yaml:"use_kv_events"`
	ReplicaSync   *bool    `yaml:"router_replica_sync"`
	TrackActive   *bool    `yaml:"router_track_active_blocks"`
	TrackOutput   *bool    `yaml:"router_track_output_blocks"`
	AssumeReuse   *bool    `yaml:"router_assume_kv_reuse"`
	TrackPrefill  *bool    `yaml:"router_track_prefill_tokens"`
	PrefillModel  *string  `yaml:"router_prefill_load_model"`
	TTL           *float64 `yaml:"router_ttl_secs"`
	Approximate   *string  `yaml:"router_approximate_cache_policy"`
	RemoteIndexer *bool    `yaml:"use_remote_indexer"`
	SharedCache   *string  `yaml:"shared_cache_type"`
	PredictedTTL  *float64 `yaml:"router_predicted_ttl_secs"`

	// These are about the router's process and change no decision.
	TrackingHash *string `yaml:"router_tracking_hash"`
	TrackingKey  *string `yaml:"router_tracking_key_file"`
	TrackingID   *string `yaml:"router_tracking_key_id"`
	Threads      *int    `yaml:"router_event_threads"`
	ServeIndexer *bool   `yaml:"serve_indexer"`
	SessionIndex *bool   `yaml:"enable_session_prefix_index"`
}

// parameters are those of the built-in selection.
type parameters struct {
	Credit       *float64 `yaml:"overlap_score_credit"`
	Decay        *float64 `yaml:"overlap_score_credit_decay"`
	PrefillScale *float64 `yaml:"prefill_load_scale"`
	RequestCost  *float64 `yaml:"decode_active_request_weight"`
	Temperature  *float64 `yaml:"router_temperature"`
	Host         *float64 `yaml:"host_cache_hit_weight"`
	Disk         *float64 `yaml:"disk_cache_hit_weight"`
	// Shared has no effect without a shared cache, and there is none.
	Shared *float64 `yaml:"shared_cache_multiplier"`
}

// only refuses a value other than the one that is Dynamo's default.
func only[T comparable](bad *fault.List, key string, v *T, built T, why string) {
	if v != nil && *v != built {
		bad.Add("%s %v: not built, %s; leave it out or write %v", key, *v, why, built)
	}
}

// longestTTL is some 31 years in seconds, which a duration still holds.
const longestTTL = 1e9

const noTier = "the simulated router hears of what GPUs cache only"

func (s *settings) check(bad *fault.List) {
	d := router.Defaults()
	only(bad, "router.host_cache_hit_weight", s.Host, d.HostCredit, noTier)
	only(bad, "router.disk_cache_hit_weight", s.Disk, d.DiskCredit, noTier)
	only(bad, "router.router_replica_sync", s.ReplicaSync, false, "there is one router")
	only(bad, "router.router_prefill_load_model", s.PrefillModel, "none",
		"prompts count in full until they are computed")
	only(bad, "router.router_approximate_cache_policy", s.Approximate, "ttl", "the router's guess forgets by time")
	only(bad, "router.use_remote_indexer", s.RemoteIndexer, false, "the router has its own index")
	only(bad, "router.shared_cache_type", s.SharedCache, "none", "workers share no cache")
	bad.When(s.TTL != nil && !(*s.TTL >= 0 && *s.TTL <= longestTTL),
		"router.router_ttl_secs: must be from 0 to %.0f seconds", longestTTL)
	bad.When(s.PredictedTTL != nil, "router.router_predicted_ttl_secs: not built; leave it out")
}

func (s *settings) apply(c *router.Config) {
	set(&c.UseKVEvents, s.Events)
	set(&c.TrackActiveBlocks, s.TrackActive)
	set(&c.TrackOutputBlocks, s.TrackOutput)
	set(&c.AssumeKVReuse, s.AssumeReuse)
	set(&c.TrackPrefillTokens, s.TrackPrefill)
	if s.TTL != nil {
		c.TTL = time.Duration(*s.TTL * float64(time.Second))
	}
}

func (s *settings) fields() []string {
	return names(map[string]bool{"router-kv-events": s.Events != nil,
		"router-track-active-blocks": s.TrackActive != nil,
		"router-track-output-blocks": s.TrackOutput != nil, "router-assume-kv-reuse": s.AssumeReuse != nil,
		"router-track-prefill-tokens": s.TrackPrefill != nil, "router-ttl-secs": s.TTL != nil})
}

func (p *parameters) check(bad *fault.List) {
	d := router.Defaults()
	only(bad, "worker_selection: host_cache_hit_weight", p.Host, d.HostCredit, noTier)
	only(bad, "worker_selection: disk_cache_hit_weight", p.Disk, d.DiskCredit, noTier)
}

func (p *parameters) apply(c *router.Config) {
	set(&c.OverlapScoreCredit, p.Credit)
	set(&c.CreditDecay, p.Decay)
	set(&c.PrefillLoadScale, p.PrefillScale)
	set(&c.RequestWeight, p.RequestCost)
	set(&c.Temperature, p.Temperature)
}

func (p *parameters) fields() []string {
	return names(map[string]bool{"router-kv-overlap-score-credit": p.Credit != nil,
		"router-kv-overlap-score-credit-decay": p.Decay != nil, "router-prefill-load-scale": p.PrefillScale != nil,
		"router-decode-active-request-weight": p.RequestCost != nil, "router-temperature": p.Temperature != nil})
}

func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

func names(given map[string]bool) (all []string) {
	for name, is := range given {
		if is {
			all = append(all, name)
		}
	}
	return all
}
