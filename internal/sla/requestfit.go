package sla

import (
	"strings"

	"headway/internal/deploy/dgdr"
	"headway/internal/fault"
	"headway/internal/model"
	"headway/internal/profile"
)

// takeWhere decides where candidates run. A request for engines that are measured
// is not answered by a simulation unless that is asked for.
func (q Asked) takeWhere(r *dgdr.Request, bad *fault.List) {
	on := fault.Field("on")
	switch {
	case r.Measured != "" && !q.named(on):
		bad.Add("%s: asks for engines that are measured: say where with %s kube or %s process, or simulate them "+
			"with %s sim", r.Measured, on, on, on)
	case r.Measured != "" && q.On == "sim":
		q.Note("%s", fault.Text(q.Name, "note: %s sim: candidates are simulated, and %s asks for engines", on,
			r.Measured))
	case r.Simulated != "" && q.On != "sim":
		q.replaced(on, q.On, r.Simulated, "(which simulates)")
	}
	if !r.AnyBackend || q.named("backend") {
		return
	}
	bad.When(r.Measured != "" || q.On != "sim", "%s: is left open, and one engine is measured: name it with %s",
		r.At("backend"), fault.Field("backend"))
	why := "the roofline knows no difference between engines"
	if q.Twin != "" {
		why = fault.Text(q.Name, "%s has to be of that engine", fault.Field("twin"))
	}
	r.Notes = append(r.Notes, dgdr.Note{Path: r.At("backend"),
		Text: "is left open: " + q.Backend + " is written; " + why})
}

// takeHardware holds what the request says of the hardware against the table of
// GPUs, which a simulation computes with.
func (q Asked) takeHardware(r *dgdr.Request, bad *fault.List) {
	g, err := model.LookupGPU(q.GPU)
	if err != nil {
		if !q.named("gpu") && r.Of("gpu") != nil {
			bad.Add("%s: %w; %s names the nearest, and %s, %s and %s replace its figures", r.PathOf("gpu"), err,
				fault.Field("gpu"), fault.Field("gpu-memory-gib"), fault.Field("gpu-bandwidth-tbs"),
				fault.Field("gpu-bf16-tflops"))
			q.GPU = model.GPUs()[0].Name // so that the fault is told once
		}
		return
	}
	space := profile.Space{GPU: g, GPUsPerNode: q.PerNode}
	if n := q.TotalGPUs; n > 0 && q.MaxGPUs == 0 && n < space.PerNode() {
		q.MaxGPUs = n
	}
	q.links(r, g, max(q.MaxGPUs, 1) > space.PerNode(), bad)
}

// links refuses links that a simulation would compute otherwise. Where engines are
// measured they are what they are.
func (q Asked) links(r *dgdr.Request, g model.GPU, spread bool, bad *fault.List) {
	agrees := strings.HasPrefix(strings.ToLower(g.Node.Name), strings.ToLower(r.Interconnect))
	switch {
	case r.Interconnect == "" || agrees:
	case q.On == "sim":
		bad.Add("%s: %q: the roofline takes %s for the %s: leave it out to search with that, or "+
			"measure engines with %s", r.At("hardware.interconnect"), r.Interconnect, g.Node.Name, g.Title,
			fault.Field("on"))
	default:
		r.Unused = append(r.Unused, dgdr.Note{Path: r.At("hardware.interconnect"),
			Text: "engines are measured as they are"})
	}
	switch {
	case !r.NoRDMA:
	case q.On == "sim" && spread:
		bad.Add("%s: false: the roofline takes %s between nodes: leave it out to search with that, or keep "+
			"engines within a node with %s", r.At("hardware.rdma"), g.Network.Name,
			fault.Field("max-num-gpus-per-engine"))
	default:
		r.Unused = append(r.Unused, dgdr.Note{Path: r.At("hardware.rdma"),
			Text: "no candidate is computed over several nodes"})
	}
}

// takeImage takes the image of the services, where the request gives the profiler's.
func (q Asked) takeImage(r *dgdr.Request, bad *fault.List) {
	if q.Image != "" || r.Image == "" {
		return
	}
	image, ok := r.WorkerImage(q.Backend)
	bad.When(!ok, "%s: %s names an image by its digest, which that of the workers cannot have: give theirs with %s",
		r.ImagePath, r.Image, fault.Field("dgd-image"))
	q.Image = image
}

// takeBase finds the deployment that the request starts from.
func (q Asked) takeBase(r *dgdr.Request, bad *fault.List) {
	if r.BaseRef == "" {
		return
	}
	name, key, _ := strings.Cut(r.BaseRef, "/")
	switch {
	case q.DGD != "":
		r.Base = nil
		q.replaced("dgd-config", q.DGD, r.At("profilingConfig.configMapRef"), r.BaseRef)
	case r.Base == nil:
		bad.Add("%s: the ConfigMap %s is not in the file: give the deployment under its key %s with %s, or put the "+
			"ConfigMap into the file", r.At("profilingConfig.configMapRef"), name, key, fault.Field("dgd-config"))
	}
}

// takePlanner puts the arguments of the request's planner before those that were
// set, which win.
func (q Asked) takePlanner(r *dgdr.Request, bad *fault.List) {
	q.SLA.Planner = append(r.PlannerArgs, q.SLA.Planner...)
	bad.When(r.Mocker && !q.Curves, "%s: mock engines need a profile, and %s measures none", r.MockerPath,
		fault.Field("no-interpolation"))
}
