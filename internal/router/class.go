package router

import (
	"fmt"
	"math"
	"regexp"
	"slices"

	"headway/internal/fault"
)

// Class is a queue of the router: whose requests it holds, when, and in which
// order they leave.
type Class struct {
	Name string
	// Family and Bucket say whose requests come here: those that ask for the
	// family, with as many uncached tokens as the bucket says. A class with
	// neither holds the requests that ask for it by name.
	Family, Bucket string
	// Policy orders the class's requests.
	Policy QueuePolicy
	// Quantum is the class's share where several have requests that wait:
	// uncached tokens that it may release each turn, from 1 to 2^31-1.
	Quantum int
	// BusyTokens and BusyShare say when a worker is too busy for the class:
	// with more prompt tokens to compute than BusyTokens, or than BusyShare
	// times MaxNumBatchedTokens. Requests wait while every worker is, and never
	// where both are nil.
	BusyTokens *int
	BusyShare  *float64
}

// Bucket names prompts by how much of them no worker has: those of at least
// MinTokens uncached tokens, and fewer than the next bucket's.
type Bucket struct {
	Name      string
	MinTokens int
}

// Profile is the classes of a router. Each family has a class for every bucket.
type Profile struct {
	// DefaultFamily is that of requests which ask for none that there is.
	DefaultFamily string
	// Buckets begin at 0 and rise.
	Buckets []Bucket
	Classes []Class
}

// limit is how many prompt tokens a worker may have to compute; none is +Inf.
func (c *Class) limit(batch int) float64 {
	limit := math.Inf(1)
	if c.BusyTokens != nil {
		limit = float64(*c.BusyTokens)
	}
	if c.BusyShare != nil {
		limit = min(limit, *c.BusyShare*float64(batch))
	}
	return limit
}

// queues says that requests of some class can wait.
func (p *Profile) queues() bool {
	return slices.ContainsFunc(p.Classes, func(c Class) bool { return c.BusyTokens != nil || c.BusyShare != nil })
}

// class finds that of a request which asked for a name, with so many uncached
// tokens. Naming a class of a family does not select it: what is cached would
// not count.
func (p *Profile) class(asked string, uncached int) int {
	family, bucket := p.DefaultFamily, p.Buckets[0].Name
	for i := range p.Classes {
		c := &p.Classes[i]
		if c.Family == "" && c.Name == asked {
			return i
		}
		if c.Family == asked && asked != "" {
			family = asked
		}
	}
	for _, b := range p.Buckets {
		if b.MinTokens <= uncached {
			bucket = b.Name
		}
	}
	return slices.IndexFunc(p.Classes, func(c Class) bool { return c.Family == family && c.Bucket == bucket })
}

// classes are those of the profile, or the only one.
func (c *Config) classes() []Class {
	if c.Profile != nil {
		return c.Profile.Classes
	}
	one := Class{Policy: c.QueuePolicy, Quantum: 1}
	if c.QueueThreshold > 0 {
		one.BusyShare = &c.QueueThreshold
	}
	return []Class{one}
}

var className = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// Validate reports every fault, by the names of the keys in a policy file.
func (p *Profile) Validate(bad *fault.List) {
	if len(p.Buckets) == 0 || len(p.Classes) == 0 {
		bad.Add("uncached_isl_buckets, policy_classes: give at least one of each")
		return
	}
	p.validateBuckets(bad)
	names, places := map[string]bool{}, map[[2]string]bool{}
	for i := range p.Classes {
		c := &p.Classes[i]
		c.validate(p, bad)
		bad.When(names[c.Name], "policy_classes %q: there are two of this name", c.Name)
		place := [2]string{c.Family, c.Bucket}
		bad.When(c.Family != "" && places[place], "policy_classes: two for family %q and bucket %q", c.Family, c.Bucket)
		names[c.Name], places[place] = true, true
	}
	p.validateFamilies(bad, places)
}

func (p *Profile) validateBuckets(bad *fault.List) {
	bad.When(p.Buckets[0].MinTokens != 0, "uncached_isl_buckets: the first min_tokens is %d, and must be 0",
		p.Buckets[0].MinTokens)
	names := map[string]bool{}
	for i, b := range p.Buckets {
		bad.When(!className.MatchString(b.Name), "uncached_isl_buckets: bucket %q: %s", b.Name, nameRule)
		bad.When(names[b.Name], "uncached_isl_buckets: two are called %q", b.Name)
		bad.When(i > 0 && b.MinTokens <= p.Buckets[i-1].MinTokens,
			"uncached_isl_buckets: min_tokens %d does not rise above %d", b.MinTokens, p.Buckets[max(i-1, 0)].MinTokens)
		names[b.Name] = true
	}
}

const nameRule = "must have letters, digits, dots, hyphens and underscores only"

func (c *Class) validate(p *Profile, bad *fault.List) {
	at := fmt.Sprintf("policy_classes %q", c.Name)
	bad.When(!className.MatchString(c.Name), "%s: %s", at, nameRule)
	bad.When(c.Quantum < 1 || c.Quantum > math.MaxInt32, "%s: quantum %d: must be from 1 to %d", at, c.Quantum,
		math.MaxInt32)
	bad.When(c.Policy == LCFS, "%s: queue_policy must be fcfs or wspt", at)
	bad.When(c.BusyTokens != nil && *c.BusyTokens < 0, "%s: prefill_busy_threshold: must be 0 or more", at)
	bad.When(c.BusyShare != nil && !(*c.BusyShare >= 0 && !math.IsInf(*c.BusyShare, 1)),
		"%s: prefill_busy_threshold_frac: must be 0 or more, and finite", at)
	bad.When((c.Family == "") != (c.Bucket == ""), "%s: give both policy_family and cache_bucket, or neither", at)
	known := slices.ContainsFunc(p.Buckets, func(b Bucket) bool { return b.Name == c.Bucket })
	bad.When(c.Bucket != "" && !known, "%s: cache_bucket %q is not one of uncached_isl_buckets", at, c.Bucket)
	family := slices.ContainsFunc(p.Classes, func(o Class) bool { return o.Family != "" && o.Family == c.Name })
	bad.When(c.Family == "" && family, "%s: is the name of a family, too", at)
}

// validateFamilies sees to it that every family has a class for every bucket.
func (p *Profile) validateFamilies(bad *fault.List, places map[[2]string]bool) {
	known := false
	seen := map[string]bool{}
	for _, c := range p.Classes {
		known = known || c.Family == p.DefaultFamily
		if c.Family == "" || seen[c.Family] {
			continue
		}
		seen[c.Family] = true
		for _, b := range p.Buckets {
			bad.When(!places[[2]string{c.Family, b.Name}], "policy_classes: none for family %q and bucket %q",
				c.Family, b.Name)
		}
	}
	bad.When(!known || p.DefaultFamily == "", "default_policy_family %q: no class has this policy_family",
		p.DefaultFamily)
}
