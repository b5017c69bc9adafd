package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"headway/internal/fault"
	"headway/workload"
)

// mostAdapters is how many LoRA adapters can have names.
const mostAdapters = 100_000

// checkAdapters reports every fault of what is said of LoRA adapters.
func (c Config) checkAdapters(bad *fault.List) {
	bad.Check(c.Adapters >= 0 && c.Adapters <= mostAdapters, "lora-adapters", c.Adapters, "from 0 to 100000")
	bad.Check(c.AdapterSkew >= 0 && c.AdapterSkew <= 10, "lora-skew", c.AdapterSkew, "from 0 to 10")
	bad.When(c.Adapters > 0 && c.Engine.MaxLoras == 0, "%s: needs %s, the slots for them", fault.Field("lora-adapters"),
		fault.Field("max-loras"))
}

// adapterPrefix is what names of adapters begin with, before their number.
const adapterPrefix = "lora-"

// adapterName is the name of an adapter, from 1.
func adapterName(adapter uint64) string { return adapterPrefix + strconv.FormatUint(adapter-1, 10) }

// adapterNamed is the adapter of that name, 0 where there is none.
func (c Config) adapterNamed(name string) uint64 {
	digits, ok := strings.CutPrefix(name, adapterPrefix)
	i, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || int(i) >= c.Adapters || adapterName(i+1) != name {
		return 0
	}
	return i + 1
}

// apart gives blocks the names that they have for an adapter, whose keys and values are
// others than the model's for the same tokens. Twice it changes nothing.
func apart(blocks []uint64, adapter uint64) {
	if adapter == 0 {
		return
	}
	mark := uint64(workload.Seed(0).Named("adapter").Index(int(adapter)))
	for i := range blocks {
		blocks[i] ^= mark
	}
}

// ask has a job ask for an adapter. Its blocks must be nobody else's.
func (j *job) ask(adapter uint64) {
	j.adapter = adapter
	if j.said == nil {
		apart(j.blocks, adapter)
		return
	}
	if len(j.blocks) > 0 && &j.said[0] != &j.blocks[0] {
		apart(j.blocks, adapter)
	}
	apart(j.said, adapter)
}

// adapterBook says which adapter a request of a replay asks for.
type adapterBook struct {
	key  workload.Key
	upTo []float64 // by adapter, the weight of all up to it
}

func (r *replay) newAdapters() *adapterBook {
	if r.cfg.Engine.MaxLoras == 0 {
		return nil
	}
	b := &adapterBook{key: r.cfg.Seed.Named("adapters")}
	total := 0.0
	for i := range r.cfg.Adapters {
		total += math.Pow(float64(i+1), -r.cfg.AdapterSkew)
		b.upTo = append(b.upTo, total)
	}
	return b
}

// adapt has a job ask for the adapter of its request: the one that it names, else one
// that its session draws.
func (r *replay) adapt(j *job, req *workload.Request) error {
	b := r.lora
	if b == nil {
		return nil
	}
	name, err := modelOf(req.Extra)
	switch n := len(b.upTo); {
	case err != nil:
		return err
	case name == "" && n > 0:
		share := b.key.Named(req.Session).Rand().Float64() * b.upTo[n-1]
		j.ask(1 + uint64(min(sort.SearchFloat64s(b.upTo, share), n-1)))
	case name != "" && name != r.cfg.Model:
		adapter := r.cfg.adapterNamed(name)
		if adapter == 0 {
			adapter = 1<<63 | uint64(workload.Seed(0).Named(name)) // one that only a trace names
		}
		j.ask(adapter)
	}
	return nil
}

// modelOf is the model that a request asks for in its extra fields, if it does.
func modelOf(extra []byte) (string, error) {
	if !bytes.Contains(extra, []byte(`"model"`)) {
		return "", nil
	}
	var b struct {
		Model string `json:"model"`
	}
	if err := json.Unmarshal(extra, &b); err != nil {
		return "", fmt.Errorf("reading the model of a request: %w", err)
	}
	return b.Model, nil
}
