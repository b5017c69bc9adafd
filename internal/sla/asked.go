package sla

import (
	"context"
	"io"
	"time"

	"headway/internal/deploy"
	"headway/internal/deploy/dgd"
	"headway/internal/deploy/dgdr"
	"headway/internal/fault"
	"headway/internal/hub"
	"headway/internal/model"
	"headway/internal/options"
	"headway/internal/options/profiling"
	"headway/internal/profile"
	"headway/internal/settings"
	"headway/workload"
)

// Asked is a search as options ask for it.
type Asked struct {
	*profiling.SLA
	Caller options.Caller
	// Settings are what two calls must have in common, asked for once the options
	// are complete: a model that is not given is that of the deployment.
	Settings func() (settings.Settings, error)
	// Note tells the user, and is needed; Name is what options are called there.
	Note func(format string, args ...any)
	Name func(fault.Field) string
	// Stdin is where a request is read that is called -; nil is none.
	Stdin io.Reader

	fitted *deploy.Fitted // of --twin; nil without one
}

// Search reads everything that the options name, lays the search out and starts
// nothing. The error has every fault.
func (q Asked) Search(ctx context.Context) (*Search, error) {
	if _, err := (Source{Version: q.Dynamo}).release(nil); err != nil {
		return nil, fault.Usage(err) // before anything else: every file depends on it
	}
	var bad fault.List
	request, err := q.readRequest()
	if err != nil {
		return nil, fault.Usage(err)
	}
	if q.Synonyms(q.Caller, &bad) {
		q.Note("%s", fault.Text(q.Name, "note: %s: candidates are simulated by headway's roofline (%s sim), "+
			"not by the database of AISimulate (formerly AIConfigurator)",
			fault.Field("use-ai-configurator"), fault.Field("on")))
	}
	q.SLA.Faults(q.Caller, &bad)
	q.processFaults(&bad)
	from := q.source(request)
	served, err := from.Read()
	bad.Join(err)
	q.plannerFaults(request, served, &bad)
	q.Model = served.Model // also among the settings
	asked := q.requested(request, &served, &bad)
	m, err := from.Find(ctx, hub.OptionsFromEnv(q.Caller.Getenv), q.Model)
	bad.Join(err)
	search := q.search(q.space(m, &bad))
	bad.Join(search.Validate())
	q.fit(&search.Space, &bad)
	if err := bad.Usage(); err != nil {
		return nil, err
	}
	if search.SLO, err = q.divided(ctx, request, search); err != nil {
		return nil, err
	}
	if search.Settings, err = q.Settings(); err != nil {
		return nil, err
	}
	if err := With(search.Settings, m, search.Space.GPU); err != nil {
		return nil, err
	}
	if err := q.withTwin(search.Settings); err != nil {
		return nil, err
	}
	for _, n := range served.Notes {
		q.Note("warning: %s", n)
	}
	q.withRequest(search.Settings, asked)
	c := q.config(served, search)
	if c.Requested = asked; asked != nil {
		c.Latency = asked.Latency
	}
	s, err := New(c)
	if err != nil {
		return nil, fault.Usage(err)
	}
	return s, nil
}

// processFaults are those of how engines are started on this host, where they have
// no more GPUs than there are.
func (q Asked) processFaults(bad *fault.List) {
	if q.On != "process" {
		return
	}
	gpus, err := deploy.GPUsOf(q.GPUs, q.Caller.Lookupenv)
	bad.Join(err)
	if err == nil && q.MaxGPUs == 0 {
		q.MaxGPUs = len(gpus)
	}
	for _, text := range []string{q.Command, q.Prefill} {
		if text != "" {
			_, err := deploy.ParseCommand(text)
			bad.Join(err)
		}
	}
}

// plannerFaults are those of the planner in the release that is written for.
func (q Asked) plannerFaults(r *dgdr.Request, served Served, bad *fault.List) {
	own := q.Planner
	if r != nil {
		own = own[len(r.PlannerArgs):]
		if err := dgd.PlannerFaults(served.Release, r.PlannerArgs); err != nil {
			bad.Add("%s: %w", r.PlannerPath, err)
		}
	}
	if err := dgd.PlannerFaults(served.Release, own); err != nil {
		bad.Add("%s: %w", fault.Field("planner-arg"), err)
	}
	bad.When(!q.Curves && !served.Release.Planner().Config, "the planner of release %s of Dynamo only works with a "+
		"profile: leave %s on, or give another %s", served.Release, fault.Field("interpolation"),
		fault.Field("dynamo-version"))
}

func (q Asked) source(r *dgdr.Request) Source {
	if r != nil && r.Base != nil {
		q.DGD = r.BaseRef + " of the request"
	} else {
		r = &dgdr.Request{}
	}
	return Source{
		Text:        r.Base,
		Version:     q.Dynamo,
		Backend:     q.Backend,
		Manifest:    q.DGD,
		ModelConfig: q.ModelConfig,
		Image:       q.Image,
		Model:       dgd.Model{Path: q.Model, PVC: q.PVC, Mount: q.mount(), Folder: q.PVCPath},
	}
}

// mount is where the claim is mounted, if there is one.
func (q Asked) mount() string {
	if q.PVC == "" {
		return ""
	}
	return q.PVCMount
}

// space is what is searched.
func (q Asked) space(m model.Model, bad *fault.List) profile.Space {
	g, err := model.LookupGPU(q.GPU)
	if err != nil {
		bad.Add("%s: %w", fault.Field("gpu"), err)
	}
	element, err := q.KVElement(q.Caller)
	bad.Join(err)
	return profile.Space{
		Model:          m,
		GPU:            g.With(q.GPUMemory*(1<<30), q.GPUBand*1e12, q.GPUFLOPS*1e12),
		GPUsPerNode:    q.PerNode,
		MinGPUs:        q.MinGPUs,
		MaxGPUs:        q.MaxGPUs,
		ISL:            q.ISL,
		OSL:            q.OSL,
		Context:        q.MaxContext,
		MemoryFraction: q.MemoryShare,
		KVElementBytes: element,
		Efficiency:     model.Efficiency{Compute: q.ComputeEff, Memory: q.MemoryEff},
	}
}

// search is how it is searched.
func (q Asked) search(space profile.Space) profile.Search {
	return profile.Search{
		Space:       space,
		SLO:         profile.SLO{TTFT: time.Duration(q.TTFT).Seconds(), ITL: time.Duration(q.ITL).Seconds()},
		Method:      profile.Method(q.Method),
		Repeats:     q.Repeats,
		Granularity: q.DecodeG,
		Parallel:    q.Parallel,
		ModelError:  q.Error / 100,
		Key:         workload.Seed(q.Seed).Named("profile sla"),
		Dir:         q.OutputDir,
		Resume:      q.Resume,
		Overwrite:   q.Overwrite,
	}
}

// wantsAggregated says whether workers that do both halves of a request are measured:
// they are worth the time of real engines to who asks for them, by name or by what is
// deployed.
func (q Asked) wantsAggregated(served Served) bool {
	if q.Aggregated != nil {
		return *q.Aggregated
	}
	return q.On == "sim" || served.Document.Aggregated(served.Backend)
}

// config is the search with all that is made of it.
func (q Asked) config(served Served, search profile.Search) Config {
	made := Config{
		Served:    served,
		Search:    search,
		On:        q.On,
		Simulated: q.On == "sim",
		Fitted:    q.fitted,
		Demand: profile.Demand{ISL: q.ISL, OSL: q.OSL, RequestRate: q.Rate, TotalGPUs: q.TotalGPUs,
			GPUHour: q.GPUHour},
		Curves:      q.Curves,
		PromptSteps: q.PrefillG,
		Aggregated:  q.wantsAggregated(served),
		Planner:     q.Planner,
		InFlight:    q.InFlight,
		Version:     q.Caller.Version,
		Warn:        q.Note,
		Name:        q.Name,
	}
	if !q.Quiet {
		made.Tell = q.Note
	}
	return made
}
