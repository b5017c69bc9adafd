package options

import (
	"headway/internal/cluster"
	"headway/internal/fault"
	"headway/internal/router"
	"headway/metric"
	"headway/record"
	"headway/workload"
)

// Replay describes a load on a simulated cluster in virtual time.
type Replay struct {
	TraceFile  string      `name:"trace" type:"path" placeholder:"FILE" help:"The trace to replay: the same as --input-file."`
	Mode       router.Mode `name:"router-mode" default:"round-robin" placeholder:"MODE" help:"How requests find their worker: round-robin, random, least-loaded, power-of-two, direct or kv."`
	ISL        float64     `name:"isl" aliases:"prompt-input-tokens-mean,synthetic-input-tokens-mean" default:"550" help:"Mean input length of synthetic prompts (tokens)."`
	ISLSD      float64     `name:"isl-stddev" default:"0" help:"Standard deviation of the input length (tokens)."`
	OSL        float64     `name:"osl" aliases:"prompt-output-tokens-mean,output-tokens-mean" default:"0" help:"Mean output length; 0 leaves it to the trace, or to the model."`
	OSLSD      float64     `name:"osl-stddev" default:"0" help:"Standard deviation of the output length (tokens)."`
	Model      string      `name:"model" short:"m" default:"simulated" help:"Name of the model in the results."`
	TokenTimes bool        `name:"token-arrivals" help:"Keep the time of every token, and not of the first and the last only; needed for the gaps between tokens."`
	Regret     bool        `name:"regret" default:"true" negatable:"" help:"Compare every routing decision with the best one."`
	Dir        string      `name:"artifact-dir" aliases:"output-artifact-dir,output-dir" short:"d" type:"path" placeholder:"DIR" help:"Write the results into this folder, in aiperf's formats."`
	Overwrite  bool        `name:"overwrite" help:"Replace the results of an earlier run in the same folder, once a request was answered."`
	JSON       bool        `name:"json" help:"Print the result as JSON on standard output instead of tables."`
	Quiet      bool        `name:"quiet" short:"q" help:"Only errors: no tables and no notes."`
	NumGPUs    int         `name:"num-gpus" default:"0" help:"GPUs of the cluster, for figures per GPU."`
	Goals      []string    `name:"objective" sep:"none" placeholder:"\"TAG STAT < VALUE\"" help:"A target such as 'time_to_first_token p99 < 500ms'; repeatable. Exit code 3 when one is missed, 5 when one is not decided."`
	Preset     string      `name:"slo-preset" placeholder:"NAME" help:"Targets of an MLPerf scenario, such as mlperf-llama2-70b-interactive; another name lists all. --objective adds to them."`

	Prompts
	Load
	Tokens
	Cluster
	Frontend
}

// Replayed is what the options of a replay come to.
type Replayed struct {
	Plan    *Plan // its input file was read
	Cluster cluster.Config
	Metrics metric.Options
	// Run names the load's randomness, and the run.
	Run workload.Key
	// Idle are options of the router that do nothing in its mode, or beside others,
	// and are taken, so that a loop over modes need not leave them out.
	Idle []error
}

// Settings checks everything that can be checked before a replay; the error lists
// every fault.
func (r *Replay) Settings(given map[string]bool, seed uint64) (Replayed, error) {
	var bad fault.List
	s := Replayed{Plan: r.plan(given, &bad), Run: workload.Stream{Run: "simulated"}.Key(seed)}
	bad = append(bad, s.Plan.Faults()...)
	if w := s.Plan; w.WarmCount > 0 || w.WarmSessions > 0 || w.WarmDuration > 0 {
		bad.Add("%s-…: a replay begins with empty caches; leave out what comes first with %s",
			fault.Field("warmup"), fault.Field("fixed-schedule-start-offset"))
	}
	s.Metrics = metric.Options{Streaming: true, NumGPUs: r.NumGPUs, Objectives: Objectives(&bad, r.Preset, r.Goals)}
	bad.NotNegative("num-gpus", float64(r.NumGPUs))
	bad.When(r.System != "" || r.SystemFile != "", "%s and %s: a replay has lengths and no text; give %s",
		fault.Field("system-prompt"), fault.Field("system-prompt-file"), fault.Field("shared-system-prompt-length"))
	bad.When(r.Overwrite && r.Dir == "", "%s: has no effect without %s", fault.Field("overwrite"),
		fault.Field("artifact-dir"))
	s.Cluster = r.cluster(given, seed, &bad)
	var idle fault.List
	r.Cluster.IdleRouting(&idle, given, r.Mode == router.KV, fault.New("%s kv", fault.Field("router-mode")))
	for _, n := range []string{r.IdleNote(r.Mode == router.KV), r.FamiliesNote(r.Mode == router.KV)} {
		if n != "" {
			idle.Add("%s", n)
		}
	}
	s.Idle = idle
	if err := bad.Usage(); err != nil {
		return s, err
	}
	return s, s.Plan.Read()
}

func (r *Replay) plan(given map[string]bool, bad *fault.List) *Plan {
	p := &Plan{Given: given, Prompts: r.Prompts, Load: r.Load, Streaming: true}
	p.ISL, p.ISLSD = r.ISL, r.ISLSD
	p.OSL, p.OSLSD = r.OSL, r.OSLSD
	if r.TraceFile == "" {
		return p
	}
	bad.When(p.InputFile != "", "%s and %s: give one of them", fault.Field("trace"), fault.Field("input-file"))
	p.InputFile = r.TraceFile
	return p
}

// cluster is the simulated cluster.
func (r *Replay) cluster(given map[string]bool, seed uint64, bad *fault.List) cluster.Config {
	r.Cluster.Idle(bad, given, r.Mode == router.KV)
	c, err := r.Cluster.Config(r.Mode, 1, seed)
	if err != nil {
		*bad = append(*bad, err)
	}
	c.Model = r.Model
	bad.Idle(given, r.TraceFile+r.InputFile == "" && c.Adapters == 0, "max-loras",
		fault.New("%s, or a trace whose requests name models", fault.Field("lora-adapters")))
	c.TokenArrivals, c.Regret = r.TokenTimes, r.Regret
	r.Frontend.Set(&c, bad)
	return c
}

// Make makes the plan, and notes the load in the header and the metrics of its run.
func (s *Replayed) Make(h *record.Header) (workload.Plan, error) {
	plan, err := s.Plan.Make(s.Run)
	if err != nil {
		return plan, err
	}
	h.Concurrency, h.Rate, h.Arrivals = plan.Concurrency, s.Plan.Rate.Value, s.Plan.ArrivalName()
	if !s.Plan.IsFixed() && !s.Plan.Rate.Set {
		s.Metrics.Concurrency = plan.Concurrency
	}
	return plan, nil
}
