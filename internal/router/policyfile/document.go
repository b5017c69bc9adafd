package policyfile

import (
	"strings"

	"headway/internal/fault"
	"headway/internal/router"
)

// document is the file as it is written.
type document struct {
	Router     settings       `yaml:"router"`
	Family     *string        `yaml:"default_policy_family"`
	Buckets    []bucket       `yaml:"uncached_isl_buckets"`
	Classes    []class        `yaml:"policy_classes"`
	Models     map[string]any `yaml:"models"`
	Selection  *selection     `yaml:"worker_selection"`
	Classifier map[string]any `yaml:"request_classifier"`
}

type bucket struct {
	MinTokens int    `yaml:"min_tokens"`
	Bucket    string `yaml:"bucket"`
}

type class struct {
	Name        string   `yaml:"name"`
	Family      string   `yaml:"policy_family"`
	Bucket      string   `yaml:"cache_bucket"`
	Policy      string   `yaml:"queue_policy"`
	Quantum     int      `yaml:"quantum"`
	BusyTokens  *int     `yaml:"prefill_busy_threshold"`
	BusyShare   *float64 `yaml:"prefill_busy_threshold_frac"`
	Requests    *int     `yaml:"request_queue_limit_per_worker"`
	Tokens      *int     `yaml:"raw_isl_token_queue_limit_per_worker"`
	CachedLimit *int     `yaml:"cached_token_queue_limit_per_worker"`
}

type selection struct {
	Aggregated string     `yaml:"aggregated"`
	Prefill    string     `yaml:"prefill"`
	Decode     string     `yaml:"decode"`
	Encode     string     `yaml:"encode"`
	Instances  []instance `yaml:"instances"`
}

type instance struct {
	Name       string     `yaml:"name"`
	Type       string     `yaml:"type"`
	Parameters parameters `yaml:"parameters"`
}

// builtIn is Dynamo's own selection of workers, as a type and as an instance.
const builtIn = "default"

// check refuses what is not built here.
func (d *document) check(bad *fault.List) {
	root := d.Family != nil || d.Buckets != nil || d.Classes != nil
	bad.When(root && (d.Family == nil || d.Buckets == nil || d.Classes == nil),
		"default_policy_family, uncached_isl_buckets, policy_classes: give all of them or none")
	for name := range d.Models {
		bad.Add("models.%s: profiles of single models are not built: the simulated model has no name; write it at the "+
			"top of the file", name)
	}
	bad.When(d.Classifier != nil, "request_classifier: not built; leave it out")
	empty := d.Router == settings{} && !root && d.Models == nil && d.Selection == nil && d.Classifier == nil
	bad.When(empty, "has nothing in it: give router, policy_classes or worker_selection")
	d.Router.check(bad)
	if d.Selection != nil {
		d.Selection.check(bad)
	}
}

func (s *selection) check(bad *fault.List) {
	known := map[string]bool{builtIn: true, "": true}
	for i := range s.Instances {
		n := &s.Instances[i]
		bad.When(known[n.Name], "worker_selection.instances: name %q: must be given, another than %q, and only once",
			n.Name, builtIn)
		bad.When(n.Type != builtIn, "worker_selection.instances: type %q of %q: not built; the simulated router has %q",
			n.Type, n.Name, builtIn)
		n.Parameters.check(bad)
		known[n.Name] = true
	}
	for stage, name := range map[string]string{"aggregated": s.Aggregated, "prefill": s.Prefill, "decode": s.Decode,
		"encode": s.Encode} {
		bad.When(!known[name], "worker_selection.%s: there is no instance %q", stage, name)
	}
	bad.When(s.Aggregated+s.Prefill+s.Decode+s.Encode == "",
		"worker_selection: selects nothing: give aggregated, prefill, decode or encode")
	for stage, name := range map[string]string{"decode": s.Decode, "encode": s.Encode} {
		bad.When(name != "" && name != builtIn, "worker_selection.%s %q: not built; decode workers are chosen by "+
			"their load; write %s, or leave it out", stage, name, builtIn)
	}
}

// selected is the instance that chooses workers, nil for the built-in one as it
// is.
func (d *document) selected(prefill bool) *instance {
	if d.Selection == nil {
		return nil
	}
	name := d.Selection.Aggregated
	if prefill {
		name = d.Selection.Prefill
	}
	for i := range d.Selection.Instances {
		if n := &d.Selection.Instances[i]; n.Name == name {
			return n
		}
	}
	return nil
}

// resolve is the profile of the file, nil where it has none.
func (d *document) resolve(bad *fault.List) *router.Profile {
	if d.Family == nil || d.Buckets == nil || d.Classes == nil {
		return nil
	}
	p := &router.Profile{DefaultFamily: *d.Family}
	for _, b := range d.Buckets {
		p.Buckets = append(p.Buckets, router.Bucket{Name: b.Bucket, MinTokens: b.MinTokens})
	}
	for i := range d.Classes {
		p.Classes = append(p.Classes, d.Classes[i].resolve(bad))
	}
	return p
}

func (c *class) resolve(bad *fault.List) router.Class {
	for key, limit := range map[string]*int{"request_queue_limit_per_worker": c.Requests,
		"raw_isl_token_queue_limit_per_worker": c.Tokens, "cached_token_queue_limit_per_worker": c.CachedLimit} {
		bad.When(limit != nil, "policy_classes %q: %s: not built, the simulated router refuses no request; "+
			"leave it out", c.Name, key)
	}
	r := router.Class{Name: c.Name, Family: c.Family, Bucket: c.Bucket, Quantum: c.Quantum,
		BusyTokens: c.BusyTokens, BusyShare: c.BusyShare}
	var err error
	if c.Policy == "" {
		return r
	}
	if r.Policy, err = router.ParseQueuePolicy(strings.ToLower(c.Policy)); err != nil {
		bad.Add("policy_classes %q: queue_policy %q: must be fcfs or wspt", c.Name, c.Policy)
	}
	return r
}
