package options

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/fault"
	"headway/workload/synth"
)

// Sizes are blocks or bytes, and what is not said is usual.
func TestKVTiers(t *testing.T) {
	f := &Cluster{}
	f.Tiers = []string{"host:64GB,bandwidth=40,latency=50us,workers=8", "disk:5000,policy=write-back",
		"remote:1TB,min-uses=2"}
	c := cluster.Defaults()
	c.Engine.KVBytesPerToken = 1e5
	var bad fault.List
	f.tiers(&c, &bad)
	want := []cluster.TierConfig{
		{TierConfig: engine.TierConfig{Name: "host", Blocks: 10000, Bandwidth: 40e9, Latency: 50 * time.Microsecond},
			Workers: 8},
		{TierConfig: engine.TierConfig{Name: "disk", Blocks: 5000, Bandwidth: 6e9, Latency: 200 * time.Microsecond,
			Policy: engine.WriteBack}, Workers: 1},
		{TierConfig: engine.TierConfig{Name: "remote", Blocks: 156250, Bandwidth: 10e9, Latency: time.Millisecond,
			MinUses: 2}},
	}
	if diff := cmp.Diff(want, c.Tiers); diff != "" || len(bad) > 0 {
		t.Errorf("%v\n%s", bad, diff)
	}
}

// A fault names the option, what was given and what may stand there.
func TestKVTierFaults(t *testing.T) {
	for text, want := range map[string]string{
		"ram:5":                      "ram:5: begins with host, disk or remote",
		"disk:5 host:5":              "host:5: begins with host, disk or remote and a colon, each once and in",
		"host":                       `size "": must be a number of blocks`,
		"host:1kB":                   "must hold a block, which has 6400000 bytes",
		"host:5,speed=3":             "speed=3: is none of bandwidth",
		"host:5,bandwidth=0":         "tier host: bandwidth of 0 bytes/s: must be above 0",
		"host:5,latency=x":           "latency=x: ",
		"host:5,latency=inf":         "latency=inf: must be finite",
		"host:5,policy=never":        "policy never: must be write-through or write-back",
		"host:5,latency=1,latency=2": "latency=2: latency is there twice",
		"host:5,min-uses=0":          "min-uses=0: must be at least 1",
		"host:5,workers=some":        "workers=some: must be a number from 1, or all",
	} {
		f := &Cluster{}
		f.Tiers = strings.Fields(text)
		c := cluster.Defaults()
		c.Engine.KVBytesPerToken = 1e5
		var bad fault.List
		f.tiers(&c, &bad)
		if err := bad.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// The tiers of an analysis are of blocks of the trace.
func TestTraceTiers(t *testing.T) {
	var bad fault.List
	f := TraceTiers{Tiers: []string{"gpu:512MB", "host:70,policy=write-back"}, Bytes: 1000}
	want := []synth.Tier{{Name: "gpu", Blocks: 1000}, {Name: "host", Blocks: 70, Exclusive: true}}
	if diff := cmp.Diff(want, f.Parse(&bad, 512)); diff != "" || len(bad) > 0 {
		t.Errorf("%v\n%s", bad, diff)
	}
	f = TraceTiers{Tiers: []string{"gpu:5GB", "host:0", "gpu:4", "gpu:3", "disk:7,policy=x"}}
	f.Parse(&bad, 512)
	for _, want := range []string{"size 5GB: in bytes needs ", "host:0: must hold a block", "gpu:3: begins with",
		"policy=x: must be"} {
		if err := bad.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
