package options

import (
	"errors"
	"path/filepath"
	"reflect"

	"headway/internal/cluster"
	"headway/internal/fault"
	"headway/internal/router"
)

// Comparison is what the benchmarks of routing have in common: what is compared,
// where results go, and the simulated cluster.
type Comparison struct {
	Modes     []string `name:"router-modes" apart:"" aliases:"router-mode" placeholder:"MODE,…" help:"Router modes of the simulated cluster to compare: kv, round-robin, random, least-loaded, power-of-two. Default: kv,round-robin."`
	URLs      []string `name:"url" short:"u" aliases:"urls" sep:"none" placeholder:"[NAME=]URL" help:"Measure real endpoints instead. Several URLs are replicas of one and take requests in turn; with names (a=http://…) each is measured by itself and they are compared."`
	OutputDir string   `name:"output-dir" apart:"" short:"d" type:"path" default:"results" help:"Results go to OUTPUT-DIR/<benchmark>."`
	Resume    bool     `name:"resume" apart:"" help:"Keep the runs that an earlier call with the same settings finished, and make the others."`
	Overwrite bool     `name:"overwrite" apart:"" help:"Replace the results of an earlier call."`
	Seed      *uint64  `name:"seed" aliases:"random-seed" placeholder:"N" help:"Seed of everything that is drawn. Default: from the system, and printed."`
	JSON      bool     `name:"json" apart:"" help:"Print results_summary.json on standard output instead of the table."`
	Quiet     bool     `name:"quiet" apart:"" short:"q" help:"Only errors, and no progress."`
	Repeats   int      `name:"repeats" apart:"" default:"0" placeholder:"N" help:"Runs of each load on each arm, with seeds of their own, for intervals of gains. Default: 5 on the simulated cluster where the load is drawn; 1 on real endpoints and where the rows of a file are played as they are."`
	Regret    bool     `name:"regret" default:"true" negatable:"" help:"Simulated: compute the regret of every decision."`

	Web
	Endpoint
	Audit
	FailFast
	NoConnect
	Telemetry
	Exports
	Tokens
	Worker
	StepTimes
	Transfers
	Speculation
	Adapters
	Routing
	Frontend
}

// Live says that real endpoints are measured.
func (f *Comparison) Live() bool { return len(f.URLs) > 0 }

// Dir is where the results of a benchmark of that name go.
func (f *Comparison) Dir(benchmark string) string { return filepath.Join(f.OutputDir, benchmark) }

// comparedWorkers is how many simulated workers there are where nothing is said.
const comparedWorkers = 8

// described is the simulated cluster as the options have it.
func (f *Comparison) described(speedup float64) *Cluster {
	return &Cluster{Worker: f.Worker, StepTimes: f.StepTimes, Transfers: f.Transfers, Routing: f.Routing,
		Speculation: f.Speculation, Adapters: f.Adapters, Speed: Speed{Speedup: speedup}}
}

// Cluster is the simulated cluster with a router in that mode; speedup divides
// its times.
func (f *Comparison) Cluster(mode router.Mode, speedup float64, seed uint64) (cluster.Config, error) {
	c, err := f.described(speedup).Config(mode, comparedWorkers, seed)
	// The times of single tokens would make files of gigabytes and change no
	// figure that is shown.
	c.TokenArrivals, c.Regret = false, f.Regret
	var bad fault.List
	f.Frontend.Set(&c, &bad)
	return c, errors.Join(err, bad.Usage())
}

// Files are what the simulated cluster is read from.
func (f *Comparison) Files() []string { return append(f.StepTimes.Files(), f.Policy) }

// Faults lists what is wrong with the options, those among them that were given
// and would do nothing: those of the simulated cluster with real endpoints, those
// of endpoints without.
func (f *Comparison) Faults(a Caller, bad *fault.List) {
	given := a.Given
	if given["repeats"] {
		bad.Between("repeats", float64(f.Repeats), 1, 100)
	}
	bad.When(f.Resume && f.Overwrite, "%s with %s: give one of them", fault.Field("resume"), fault.Field("overwrite"))
	f.Audit.Faults(bad)
	f.Telemetry.Faults(bad)
	f.Exports.Faults(a, bad)
	f.Web.Faults(bad)
	if !f.Live() {
		why := fault.New("is about real endpoints, and without %s there is none", fault.Field("url"))
		useless(given, bad, why, f.Endpoint, f.Audit, f.FailFast, f.NoConnect, f.Telemetry, f.Exports)
		return
	}
	why := fault.New("describes the simulated cluster, and %s measures real endpoints", fault.Field("url"))
	useless(given, bad, why, f.Worker, f.StepTimes, f.Transfers, f.Speculation, f.Adapters, f.Routing,
		f.Frontend)
	bad.When(given["regret"], "%s: %s", fault.Field("regret"), why)
}

// useless refuses those options of groups that were given.
func useless(given map[string]bool, bad *fault.List, why error, groups ...any) {
	for _, group := range groups {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(group)) {
			name := field.Tag.Get("name")
			both := name == "model" || name == "use-expected-osl"
			bad.When(given[name] && !both, "%s: %s", fault.Field(name), why)
		}
	}
}

// ClusterFaults lists what is wrong with the simulated cluster with a router in
// that mode. kv says that a router in mode kv takes part.
func (f *Comparison) ClusterFaults(given map[string]bool, bad *fault.List, mode router.Mode, kv bool,
	speedup float64) {
	if f.Live() {
		return
	}
	described := f.described(speedup)
	described.Idle(bad, given, kv)
	bad.Idle(given, described.Adapters.Adapters == 0, "max-loras", fault.Field("lora-adapters"))
	described.IdleRouting(bad, given, kv, fault.New("%s kv", fault.Field("router-modes")))
	if _, err := f.Cluster(mode, speedup, 0); err != nil {
		*bad = append(*bad, err)
	}
}

// speedFaults are those of a speed-up of simulated times.
func (f *Comparison) speedFaults(given map[string]bool, bad *fault.List) {
	bad.When(f.Live() && given["speedup-ratio"], "%s: describes the simulated cluster, and %s measures real endpoints",
		fault.Field("speedup-ratio"), fault.Field("url"))
}
