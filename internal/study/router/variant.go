package router

import (
	"regexp"
	"slices"

	"headway/internal/fault"
	"headway/internal/options"
	routing "headway/internal/router"
)

// Variant is one side of a comparison: a router mode of the simulated cluster, or
// a live endpoint.
type Variant struct {
	Name string
	Mode routing.Mode // simulated
	// URLs are those of an endpoint; several are replicas that take requests in
	// turn.
	URLs []string
	// Tagged says that requests carry their priority.
	Tagged bool
}

// Variants are those that the options ask for. What is wrong with the options of a
// comparison is added to bad; speedup divides simulated times.
func Variants(o *options.Comparison, caller options.Caller, bad *fault.List, speedup float64) []Variant {
	o.Faults(caller, bad)
	all := asked(o, caller, bad)
	if len(all) > 0 {
		o.ClusterFaults(caller.Given, bad, all[0].Mode, HasKV(all), speedup)
	}
	return all
}

func asked(o *options.Comparison, caller options.Caller, bad *fault.List) []Variant {
	if o.Live() {
		bad.When(len(o.Modes) > 0, "%s with %s: the modes are those of the simulated cluster; "+
			"a real router has the mode it was started with",
			fault.Field("router-modes"), fault.Field("url"))
		return endpoints(o, caller, bad)
	}
	if len(o.Modes) == 0 {
		o.Modes = []string{routing.KV.String(), routing.RoundRobin.String()}
	}
	if len(o.Model) == 0 {
		o.Model = []string{"simulated"}
	}
	return modes(o, bad)
}

// modes are the variants on the simulated cluster.
func modes(o *options.Comparison, bad *fault.List) []Variant {
	const field = fault.Field("router-modes")
	var all []Variant
	for i, name := range o.Modes {
		m, err := routing.ParseMode(name)
		switch {
		case err != nil:
			bad.Add("%s %s: %v", field, name, err)
		case m == routing.Direct:
			bad.Add("%s direct: the requests of a benchmark name no worker", field)
		case slices.Contains(o.Modes[:i], name):
			bad.Add("%s %s: given twice", field, name)
		default:
			all = append(all, Variant{Name: m.String(), Mode: m})
		}
	}
	return all
}

var namedURL = regexp.MustCompile(`^([A-Za-z0-9_-]+)=(https?://.*)$`)

// endpoints are the live variants: one for each name, or one that has replicas.
func endpoints(o *options.Comparison, caller options.Caller, bad *fault.List) []Variant {
	const field = fault.Field("url")
	var all []Variant
	var plain []string
	for _, u := range o.URLs {
		m := namedURL.FindStringSubmatch(u)
		if m == nil {
			plain = append(plain, u)
			continue
		}
		twice := slices.ContainsFunc(all, func(v Variant) bool { return v.Name == m[1] })
		bad.When(twice, "%s %s: the name is given twice", field, u)
		all = append(all, Variant{Name: m[1], URLs: []string{m[2]}})
	}
	if len(all) > 0 && len(plain) > 0 {
		bad.Add("%s %s: has no name and others have one; name all of them to compare them, "+
			"or none to take them for replicas", field, plain[0])
	}
	if len(plain) > 0 {
		all = append(all, Variant{Name: "endpoint", URLs: plain})
	}
	for _, v := range all {
		_, err := o.Client(caller, v.URLs, true)
		if err != nil && !slices.ContainsFunc(*bad, func(e error) bool { return e.Error() == err.Error() }) {
			*bad = append(*bad, err)
		}
	}
	return all
}

// HasKV says whether a simulated router is in mode kv.
func HasKV(variants []Variant) bool {
	return slices.ContainsFunc(variants, func(v Variant) bool { return v.Mode == routing.KV })
}

// Pairs are each variant without and with priorities.
func Pairs(variants []Variant) []Variant {
	var all []Variant
	for _, v := range variants {
		plain, tagged := v, v
		plain.Name, tagged.Name, tagged.Tagged = "baseline", "priority", true
		if len(variants) > 1 {
			plain.Name, tagged.Name = v.Name+"-baseline", v.Name+"-priority"
		}
		all = append(all, plain, tagged)
	}
	return all
}

// TierFaults adds to bad the simulated variants on which priorities would do
// nothing.
func TierFaults(o *options.Comparison, variants []Variant, bad *fault.List) {
	for _, v := range variants {
		bad.When(!o.Live() && v.Mode != routing.KV,
			"%s %s: only mode kv holds requests back, so priorities would do nothing",
			fault.Field("router-modes"), v.Name)
	}
}

// baseline is the variant that others are compared with: round-robin, else the
// last.
func baseline(variants []Variant) string {
	for _, v := range variants {
		if v.Name == routing.RoundRobin.String() {
			return v.Name
		}
	}
	return variants[len(variants)-1].Name
}
