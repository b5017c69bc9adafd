package options

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"headway/internal/bound"
	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/fault"
)

// usualTiers are the tiers by name, in the order in which they are looked into, with
// what is taken where nothing is said: a PCIe 5 link to the host's memory, an NVMe disk,
// and a network of 100 Gbit/s.
var usualTiers = []cluster.TierConfig{
	{TierConfig: engine.TierConfig{Name: "host", Bandwidth: 50e9, Latency: 20 * time.Microsecond}, Workers: 1},
	{TierConfig: engine.TierConfig{Name: "disk", Bandwidth: 6e9, Latency: 200 * time.Microsecond}, Workers: 1},
	{TierConfig: engine.TierConfig{Name: "remote", Bandwidth: 10e9, Latency: time.Millisecond}},
}

// tiers sets the stores below the GPUs.
func (f *Cluster) tiers(c *cluster.Config, bad *fault.List) {
	if len(f.Tiers) == 0 {
		return
	}
	if c.Engine.KVBytesPerToken <= 0 {
		bad.Add("%s: needs %s, or %s roofline: it is what a block weighs that takes time", fault.Field("kv-tier"),
			fault.Field("kv-bytes-per-token"), fault.Field("timing"))
		return
	}
	c.Tiers = KVTiers(f.Tiers, c.BlockSize()*c.Engine.KVBytesPerToken, bad)
}

// KVTiers reads the tiers of the KV cache, from the one that is looked into first, for
// blocks of so many bytes.
func KVTiers(texts []string, blockBytes int, bad *fault.List) (all []cluster.TierConfig) {
	last := -1
	for _, text := range texts {
		name, rest, _ := strings.Cut(text, ":")
		place := slices.IndexFunc(usualTiers, func(t cluster.TierConfig) bool { return t.Name == name })
		if place <= last {
			bad.Add("%s %s: begins with host, disk or remote and a colon, each once and in this order",
				fault.Field("kv-tier"), text)
			return nil
		}
		last = place
		t, err := parseTier(usualTiers[place], rest, blockBytes)
		if err != nil {
			bad.Add("%s %s: %w", fault.Field("kv-tier"), text, err)
			return nil
		}
		all = append(all, t)
	}
	return all
}

// parseTier reads what follows the name of a tier: its size in blocks or bytes, and
// what is different from usual.
func parseTier(t cluster.TierConfig, text string, blockBytes int) (cluster.TierConfig, error) {
	parts := strings.Split(text, ",")
	var err error
	if t.Blocks, err = tierBlocks(parts[0], blockBytes); err != nil {
		return t, err
	}
	given := map[string]bool{}
	for _, p := range parts[1:] {
		key, value, _ := strings.Cut(p, "=")
		if given[key] {
			return t, fmt.Errorf("%s: %s is there twice", p, key)
		}
		given[key] = true
		switch key {
		case "bandwidth":
			var gb float64
			gb, err = strconv.ParseFloat(value, 64)
			t.Bandwidth = gb * 1e9
		case "latency":
			var d Milliseconds
			if err = d.UnmarshalText([]byte(value)); err == nil && d < 0 {
				err = fmt.Errorf("must be finite")
			}
			t.Latency = time.Duration(d)
		case "policy":
			t.Policy = engine.TierPolicy(value)
		case "min-uses":
			t.MinUses, err = strconv.Atoi(value)
			if err == nil && t.MinUses < 1 {
				err = fmt.Errorf("must be at least 1")
			}
		case "workers":
			t.Workers, err = tierWorkers(value)
		default:
			return t, fmt.Errorf("%s: is none of bandwidth, latency, policy, min-uses and workers", p)
		}
		if err != nil {
			return t, fmt.Errorf("%s: %w", p, err)
		}
	}
	return t, t.Validate()
}

// tierBlocks is a size in blocks: a plain number counts them, one with a unit is of
// bytes.
func tierBlocks(text string, blockBytes int) (int, error) {
	if n, err := strconv.Atoi(text); err == nil {
		return n, nil
	}
	var b bound.Bytes
	if err := b.UnmarshalText([]byte(text)); err != nil {
		return 0, fmt.Errorf("size %q: must be a number of blocks, or of bytes such as 64GB", text)
	}
	if blockBytes <= 0 {
		return 0, fault.New("size %s: in bytes needs %s", text, fault.Field("kv-bytes-per-token"))
	}
	n := int(b) / blockBytes
	if n < 1 {
		return 0, fmt.Errorf("size %s: must hold a block, which has %d bytes", text, blockBytes)
	}
	return n, nil
}

// tierWorkers is how many workers share a tier; 0 is all.
func tierWorkers(text string) (int, error) {
	if text == "all" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("must be a number from 1, or all")
	}
	return n, nil
}
