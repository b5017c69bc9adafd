package main

import (
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"headway/internal/cluster"
	"headway/internal/router"
)

// routerCmd benchmarks where requests go.
type routerCmd struct {
	Trace       routerTraceCmd    `cmd:"" help:"Play a recorded trace, or one drawn from it, at one load or several."`
	PrefixRatio routerPrefixCmd   `cmd:"" help:"Prompts that share so much of their beginning."`
	Sessions    routerSessionsCmd `cmd:"" help:"Conversations, turn after turn."`
	Priority    routerPriorityCmd `cmd:"" help:"A trace without and with priorities."`
}

// contestFlags are what the router benchmarks have in common: what is
// compared, where results go, and the simulated cluster.
type contestFlags struct {
	Modes     []string `name:"router-modes" aliases:"router-mode" placeholder:"MODE,…" help:"Router modes of the simulated cluster to compare: kv, round-robin, random, least-loaded, power-of-two. Default: kv,round-robin."`
	URLs      []string `name:"url" short:"u" aliases:"urls" sep:"none" placeholder:"[NAME=]URL" help:"Measure real endpoints instead. Several URLs are replicas of one and take requests in turn; with names (a=http://…) each is measured by itself and they are compared."`
	OutputDir string   `name:"output-dir" short:"d" type:"path" default:"results" help:"Results go to OUTPUT-DIR/<benchmark>."`
	Overwrite bool     `name:"overwrite" help:"Replace the results of an earlier call."`
	Seed      *uint64  `name:"seed" aliases:"random-seed" placeholder:"N" help:"Seed of everything that is drawn. Default: from the system, and printed."`
	JSON      bool     `name:"json" help:"Print results_summary.json on standard output instead of the table."`
	Quiet     bool     `name:"quiet" short:"q" help:"Only errors, and no progress."`
	Repeats   int      `name:"repeats" default:"0" placeholder:"N" help:"Runs of each load on each arm, with seeds of their own, for intervals of gains. Default: 5 on the simulated cluster where the load is drawn; 1 on real endpoints and where the rows of a file are played as they are."`
	Regret    bool     `name:"regret" default:"true" negatable:"" help:"Simulated: compute the regret of every decision."`

	endpointFlags
	auditFlags
	tokenizerFlags
	engineFlags
	timingFlags
	transferFlags
	routerFlags
}

// routerArm is one side of a comparison.
type routerArm struct {
	name string
	mode router.Mode // simulated
	urls []string    // live
	// tagged says that requests carry their priority.
	tagged bool
}

func (f *contestFlags) live() bool { return len(f.URLs) > 0 }

// simulatedWorkers is how many there are where nothing is said.
const simulatedWorkers = 8

// described is the simulated cluster as the options have it; speedup divides
// its times.
func (f *contestFlags) described(speedup float64) *clusterFlags {
	return &clusterFlags{engineFlags: f.engineFlags, timingFlags: f.timingFlags, transferFlags: f.transferFlags, routerFlags: f.routerFlags, speedFlags: speedFlags{speedup}}
}

// cluster is the simulated cluster of an arm.
func (f *contestFlags) cluster(mode router.Mode, speedup float64, seed uint64) (cluster.Config, error) {
	c, err := f.described(speedup).config(mode, simulatedWorkers, seed)
	// The times of single tokens would make files of gigabytes and change no
	// figure that is shown.
	c.TokenArrivals, c.Regret = false, f.Regret
	return c, err
}

var namedURL = regexp.MustCompile(`^([A-Za-z0-9_-]+)=(https?://.*)$`)

// arms reads --router-modes or --url, and lists their faults.
func (f *contestFlags) arms(bad *faultList) []routerArm {
	if f.live() {
		if len(f.Modes) > 0 {
			bad.add("--router-modes with --url: the modes are those of the simulated cluster; a real router has the mode it was started with")
		}
		return f.endpoints(bad)
	}
	if len(f.Modes) == 0 {
		f.Modes = []string{"kv", "round-robin"}
	}
	var all []routerArm
	for i, name := range f.Modes {
		m, err := router.ParseMode(name)
		switch {
		case err != nil:
			bad.add("--router-modes %s: %v", name, err)
		case m == router.Direct:
			bad.add("--router-modes direct: the requests of a benchmark name no worker")
		case slices.Contains(f.Modes[:i], name):
			bad.add("--router-modes %s: given twice", name)
		default:
			all = append(all, routerArm{name: m.String(), mode: m})
		}
	}
	if len(f.Model) == 0 {
		f.Model = []string{"simulated"}
	}
	return all
}

func (f *contestFlags) endpoints(bad *faultList) []routerArm {
	var all []routerArm
	var plain []string
	for _, u := range f.URLs {
		if m := namedURL.FindStringSubmatch(u); m != nil {
			if slices.ContainsFunc(all, func(a routerArm) bool { return a.name == m[1] }) {
				bad.add("--url %s: the name is given twice", u)
			}
			all = append(all, routerArm{name: m[1], urls: []string{m[2]}})
			continue
		}
		plain = append(plain, u)
	}
	if len(all) > 0 && len(plain) > 0 {
		bad.add("--url %s: has no name and others have one; name all of them to compare them, or none to take them for replicas", plain[0])
	}
	if len(plain) > 0 {
		all = append(all, routerArm{name: "endpoint", urls: plain})
	}
	for _, a := range all {
		if _, err := f.config(app{}, a.urls, true); err != nil && !slices.ContainsFunc(*bad, func(e error) bool { return e.Error() == err.Error() }) {
			*bad = append(*bad, err)
		}
	}
	return all
}

// clusterFaults are those of the options of the simulated cluster, the ones that
// would do nothing among them.
func (f *contestFlags) clusterFaults(a app, bad *faultList, arms []routerArm, speedup float64) {
	if f.live() || len(arms) == 0 {
		return
	}
	f.described(speedup).idle(bad, a.given, hasKV(arms), "--router-modes kv")
	if _, err := f.cluster(arms[0].mode, speedup, 0); err != nil {
		*bad = append(*bad, err)
	}
}

// hasKV says whether a simulated router is in mode kv.
func hasKV(arms []routerArm) bool {
	return slices.ContainsFunc(arms, func(a routerArm) bool { return a.mode == router.KV })
}

// unused reports options that were given and that would do nothing: those of the
// simulated cluster with --url, those of endpoints without.
func (f *contestFlags) unused(a app, bad *faultList) {
	if a.given["repeats"] {
		bad.between("repeats", float64(f.Repeats), 1, 100)
	}
	groups, why := []any{f.engineFlags, f.timingFlags, f.transferFlags, f.routerFlags}, "describes the simulated cluster, and --url measures real endpoints"
	if f.live() && a.given["regret"] {
		bad.add("--regret: %s", why)
	}
	if !f.live() {
		groups, why = []any{f.endpointFlags, f.auditFlags}, "is about real endpoints, and without --url there is none"
	}
	f.auditFlags.faults(bad)
	for _, group := range groups {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(group)) {
			name := field.Tag.Get("name")
			if a.given[name] && name != "model" && name != "use-expected-osl" {
				bad.add("--%s: %s", name, why)
			}
		}
	}
}

// baseline is the arm that others are compared with: round-robin, else the
// last.
func baseline(arms []routerArm) string {
	for _, a := range arms {
		if a.name == router.RoundRobin.String() {
			return a.name
		}
	}
	return arms[len(arms)-1].name
}

// dir is where the results of a benchmark go.
func (f *contestFlags) dir(verb string) string { return filepath.Join(f.OutputDir, verb) }

// floats is a list of numbers: "0.1,0.5" or "0.1 0.5".
type floats []float64

// UnmarshalText reads numbers separated by commas or blanks.
func (l *floats) UnmarshalText(b []byte) error {
	*l = nil
	for _, f := range strings.FieldsFunc(string(b), func(r rune) bool { return r == ',' || r == ' ' }) {
		var o one[float64]
		if err := o.UnmarshalText([]byte(f)); err != nil {
			return err
		}
		*l = append(*l, o.value)
	}
	if len(*l) == 0 {
		return fmt.Errorf("no number given; lists look like 0.25,0.5,1")
	}
	return nil
}

// distinct reports a value that a list has twice, since its results would have
// the same place.
func (l floats) distinct(bad *faultList, name string) {
	for i, x := range l {
		if slices.Contains(l[:i], x) {
			bad.add("--%s: %g is given twice", name, x)
		}
	}
}

// slug is a number as part of a folder's name.
func slug(x float64) string { return strings.ReplaceAll(fmt.Sprintf("%g", x), ".", "_") }
