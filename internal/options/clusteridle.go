package options

import (
	"fmt"
	"strings"

	"headway/internal/engine"
	"headway/internal/fault"
	"headway/internal/router/policyfile"
	"headway/internal/twin"
)

// Idle refuses options of the simulated cluster that were given and can have no
// effect beside the others: --gpu without a roofline would show the times of no
// GPU under its name. kv says that a router in mode kv takes part; what options of
// it do without is for [Cluster.IdleRouting].
func (f *Cluster) Idle(bad *fault.List, given map[string]bool, kv bool) {
	roofline, prefill, kind := f.Timing == "roofline", f.PrefillWorkers > 0, f.engineType()
	bad.Idle(given, !roofline, "gpu pp gpu-memory-utilization kv-cache-dtype compute-efficiency memory-efficiency",
		fault.New("%s roofline", fault.Field("timing")))
	bad.Idle(given, roofline && f.Blocks > 0, "gpu-memory-utilization",
		fault.New("KV blocks that follow from the memory, and %s sets them", fault.Field("num-gpu-blocks-override")))
	bad.Idle(given, kind != engine.SGLang,
		"sglang-schedule-policy sglang-max-prefill-tokens sglang-chunked-prefill-size "+
			"sglang-clip-max-new-tokens sglang-schedule-conservativeness",
		fault.New("%s sglang", fault.Field("engine-type")))
	bad.Idle(given, kind == engine.SGLang, "watermark",
		fault.New("another %s: SGLang's admission estimates the growth instead", fault.Field("engine-type")))
	bad.Idle(given, !f.Prefix, "enable-reply-caching", fault.Field("enable-prefix-caching"))
	bad.Idle(given, kind != "" && !kind.CachesReplies(), "enable-reply-caching",
		fault.New("another %s: %s never keeps replies", fault.Field("engine-type"), kind))
	bad.Idle(given, kind == engine.TRTLLM, "preemption-mode",
		fault.New("another %s: with trtllm nothing is ever preempted", fault.Field("engine-type")))
	bad.Idle(given, !prefill, "kv-transfer-bandwidth kv-transfer-timing-mode kv-transfer-latency "+
		"kv-transfer-link-workers",
		fault.Field("prefill-workers"))
	bad.Idle(given, !prefill && len(f.Tiers) == 0, "kv-bytes-per-token",
		fault.New("%s or %s", fault.Field("prefill-workers"), fault.Field("kv-tier")))
	bad.Idle(given, prefill && f.BytesPerToken == 0 && !roofline, "kv-transfer-bandwidth kv-transfer-timing-mode "+
		"kv-transfer-latency kv-transfer-link-workers", fault.Field("kv-bytes-per-token"))
	bad.Idle(given, prefill && f.Bandwidth == 0, "kv-transfer-latency kv-transfer-link-workers",
		fault.New("a %s above 0: transfers take no time", fault.Field("kv-transfer-bandwidth")))
	bad.Idle(given, f.Drafted == 0, "speculative-acceptance speculative-draft-cost",
		fault.Field("num-speculative-tokens"))
	bad.Idle(given, f.MaxLoras == 0, "lora-load-time lora-adapters", fault.Field("max-loras"))
	bad.Idle(given, f.Adapters.Adapters == 0, "lora-skew", fault.Field("lora-adapters"))
	bad.Idle(given, true, "router-host-cache-hit-weight",
		"events of caches in the host's memory, which simulated workers do not send")
	bad.Idle(given, true, "router-disk-cache-hit-weight",
		"events of caches on disk, which simulated workers do not send")
	bad.Idle(given, kv && f.KVEvents, "router-ttl-secs router-max-tree-size router-prune-target-ratio",
		fault.Field("no-router-kv-events"))
	bad.Idle(given, kv && !f.KVEvents, "kv-event-delay", fault.Field("router-kv-events"))
	bad.Idle(given, kv && !f.TrackActive, "router-assume-kv-reuse", fault.Field("router-track-active-blocks"))
	bad.Idle(given, kv && f.Threshold == nil && f.Policy == "", "router-queue-policy",
		fault.Field("router-queue-threshold"))
	f.overruled(bad, given, prefill)
}

// engineType is whose scheduler is simulated: with a twin that of its file, where
// none is given. A twin that cannot be read is a fault of its own.
func (f *Cluster) engineType() engine.Type {
	path, fitted := strings.CutPrefix(f.Timing, "twin:")
	if f.Engine != "" || !fitted {
		return engine.Type(f.Engine)
	}
	t, err := twin.Read(path)
	if err != nil {
		return ""
	}
	return t.Engine.Type
}

// overruled refuses options that the policy file sets, too: Dynamo would follow
// the file, without a word. A file that cannot be read is a fault of its own.
func (f *Cluster) overruled(bad *fault.List, given map[string]bool, prefill bool) {
	if f.Policy == "" {
		return
	}
	file, err := policyfile.Read(f.Policy)
	if err != nil {
		return
	}
	for _, name := range strings.Fields(file.Fields(prefill)) {
		bad.When(given[name], "%s: %s sets it, too; give it in one place", fault.Field(name),
			fault.Field("router-policy-config"))
	}
}

// IdleRouting refuses options of the router that were given and are those of mode
// kv alone, where no router has it; mode is how to ask for one.
func (f *Cluster) IdleRouting(bad *fault.List, given map[string]bool, kv bool, mode any) {
	bad.Idle(given, !kv,
		"router-kv-overlap-score-credit router-kv-overlap-score-credit-decay router-prefill-load-scale "+
			"router-decode-active-request-weight router-temperature router-kv-events kv-event-delay router-ttl-secs "+
			"router-max-tree-size "+
			"router-prune-target-ratio router-track-active-blocks router-assume-kv-reuse router-track-output-blocks "+
			"router-track-prefill-tokens router-queue-threshold router-queue-policy router-policy-config "+
			"use-expected-osl", mode)
}

// FamiliesNote is what to say where the policy file has classes that no request
// asks for: which one it belongs to is a header, and replays have none.
func (f *Routing) FamiliesNote(kv bool) string {
	if !kv || f.Policy == "" {
		return ""
	}
	file, err := policyfile.Read(f.Policy)
	if err != nil || len(file.Families()) == 0 {
		return ""
	}
	return fmt.Sprintf("--router-policy-config: simulated requests are those of its default_policy_family; "+
		"nothing asks for %s", strings.Join(file.Families(), ", "))
}

// IdleNote is what to say where replies' lengths are told to a router that
// does not count their blocks, which scripts do all the same.
func (f *Routing) IdleNote(kv bool) string {
	if kv && f.ExpectedOSL && !f.TrackOutput {
		return "--use-expected-osl: has no effect on the simulated router without --router-track-output-blocks"
	}
	return ""
}
