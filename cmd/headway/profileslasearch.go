package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"headway/internal/deploy/dgd"
	"headway/internal/hub"
	"headway/internal/model"
	"headway/internal/profile"
	"headway/workload"
)

// slaSearch is a search on its way.
type slaSearch struct {
	a   app
	c   *slaCmd
	doc *dgd.Document // with the model and the image, before any mapping
	// name is the model as it is called where it is served.
	name   string
	search profile.Search
	found  profile.Report
	// best are the deployments of the pick, nil where there is none.
	best, whole *profile.Deployment

	// warnings are those that came up after the search.
	warnings []string

	begun   bool // the folder is ours
	stage   profile.Stage
	outputs map[string]string
	begin0  time.Time
}

// prepare reads everything that the options name; the error has every fault.
func (c *slaCmd) prepare(ctx context.Context, a app) (*slaSearch, error) {
	var bad faultList
	c.synonyms(a, &bad)
	c.refuse(&bad)
	c.onFaults(a, &bad)
	s := &slaSearch{a: a, c: c, outputs: map[string]string{}, begin0: time.Now()}
	if err := s.deployment(); err != nil {
		bad = append(bad, err)
	}
	m, err := s.model(ctx)
	if err != nil {
		bad = append(bad, err)
	}
	g, err := c.gpu()
	if err != nil {
		bad = append(bad, err)
	}
	element, err := c.kvElement(a)
	if err != nil {
		bad = append(bad, err)
	}
	space := profile.Space{
		Model: m, GPU: g, GPUsPerNode: c.PerNode, MinGPUs: c.MinGPUs, MaxGPUs: c.MaxGPUs, ISL: c.ISL, OSL: c.OSL, Context: c.MaxContext,
		MemoryFraction: c.MemoryShare, KVElementBytes: element, Efficiency: model.Efficiency{Compute: c.ComputeEff, Memory: c.MemoryEff},
	}
	s.search = profile.Search{
		Space: space, Target: profile.Target{TTFT: time.Duration(c.TTFT).Seconds(), ITL: time.Duration(c.ITL).Seconds()},
		Method: profile.Method(c.Method), Repeats: c.Repeats, Granularity: c.DecodeG, Parallel: c.Parallel, ModelError: c.Error / 100,
		Key: workload.Seed(c.Seed).Named("profile sla"), Dir: c.OutputDir, Resume: c.Resume, Progress: s.progress,
	}
	if err := s.search.Validate(); err != nil {
		bad = append(bad, unjoined(err)...)
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	if s.search.Settings, err = c.settings(a, m, g); err != nil {
		return nil, err
	}
	s.found.Target = s.search.Target
	s.found.Demand = profile.Demand{ISL: c.ISL, OSL: c.OSL, RequestRate: c.Rate, TotalGPUs: c.TotalGPUs, GPUHour: c.GPUHour}
	return s, s.feasible()
}

// unjoined are the single errors of one that joins them.
func unjoined(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var list []error
		for _, e := range many.Unwrap() {
			list = append(list, unjoined(e)...)
		}
		return list
	}
	return []error{err}
}

// synonyms take the options of a simulated search by AIConfigurator's names.
func (c *slaCmd) synonyms(a app, bad *faultList) {
	if c.AIC {
		if a.given["on"] && c.On != "sim" {
			bad.add("--use-ai-configurator with --on %s: it is Dynamo's name for --on sim", c.On)
		}
		c.On = "sim"
		a.note("note: --use-ai-configurator: candidates are simulated by headway's roofline (--on sim), not by AIConfigurator's database")
	}
	for _, o := range []struct {
		name, other, value string
		to                 *string
	}{{"aic-system", "gpu", c.AICSystem, &c.GPU}, {"aic-hf-id", "model", c.AICModel, &c.Model}, {"aic-backend", "backend", c.AICBackend, &c.Backend}} {
		switch {
		case o.value == "":
		case !c.AIC:
			bad.add("--%s: goes with --use-ai-configurator; otherwise it is --%s", o.name, o.other)
		case a.given[o.other] && *o.to != o.value:
			bad.add("--%s %s with --%s %s: give one of them", o.name, o.value, o.other, *o.to)
		default:
			*o.to = o.value
		}
	}
	if !slices.Contains(dgd.Backends(), c.Backend) {
		bad.add("--backend %s: must be one of %s", c.Backend, strings.Join(dgd.Backends(), ", "))
	}
}

// refuse names the options that are known and not built, and values that make
// no sense whatever the model is.
func (c *slaCmd) refuse(bad *faultList) {
	if c.WebUI {
		*bad = append(*bad, notBuilt{"--pick-with-webui", "the pick is made by the rule, and every outcome is in the result"})
	}
	if c.WebUIPort != 8000 && !c.WebUI {
		*bad = append(*bad, notBuilt{"--webui-port", ""})
	}
	if c.Discovery {
		*bad = append(*bad, notBuilt{"--enable-gpu-discovery", "give --gpu and --num-gpus-per-node"})
	}
	if c.AICVersion != "" {
		*bad = append(*bad, notBuilt{"--aic-backend-version", "the roofline knows no versions of an engine"})
	}
	if c.Resume && c.Overwrite {
		bad.add("--resume with --overwrite: give one of them")
	}
	bad.between("gpu-memory-utilization", c.MemoryShare, 0.01, 1)
	bad.between("compute-efficiency", c.ComputeEff, 0.01, 1)
	bad.between("memory-efficiency", c.MemoryEff, 0.01, 1)
	for name, v := range map[string]float64{"gpu-memory-gib": c.GPUMemory, "gpu-bandwidth-tbs": c.GPUBand, "gpu-bf16-tflops": c.GPUFLOPS,
		"kv-cache-element-bytes": c.KVBytes, "request-rate": c.Rate, "total-gpus": float64(c.TotalGPUs), "engine-startup-time": float64(c.Startup)} {
		bad.notNegative(name, v)
	}
	// Where the search takes 0 for its default, the command line does not.
	for name, v := range map[string]float64{"repeats": float64(c.Repeats), "parallel": float64(c.Parallel), "roofline-error": c.Error, "decode-interpolation-granularity": float64(c.DecodeG)} {
		if v == 0 && (name != "decode-interpolation-granularity" || !c.Curves) {
			bad.add("--%s 0: must be above 0", name)
		}
	}
	bad.positive("gpu-cost-per-hour", c.GPUHour)
	bad.positive("weights-load-rate", c.LoadRate)
	if c.Curves && c.PrefillG < 3 {
		bad.add("--prefill-interpolation-granularity %d: must be at least 3, since a cubic curve takes 4 prompt lengths", c.PrefillG)
	}
	if c.Curves && c.DecodeG < 2 {
		bad.add("--decode-interpolation-granularity %d: must be at least 2, since a surface takes several loads", c.DecodeG)
	}
	if (c.PVCPath != "" || c.PVCMount != "") && c.PVC == "" {
		bad.add("--model-cache-pvc-path and --model-cache-mount-path: need --model-cache-pvc-name")
	}
}

// deployment reads the configuration, or takes the backend's default.
func (s *slaSearch) deployment() (err error) {
	c := s.c
	if c.DGD == "" {
		if s.doc, err = dgd.Default(c.Backend); err != nil {
			return err
		}
		if c.Model == "" {
			return errors.New("--model: name a model, or give a DynamoGraphDeployment that serves one with --config")
		}
	} else {
		data, err := os.ReadFile(c.DGD)
		if err != nil {
			return fmt.Errorf("--config: reading the deployment: %w", err)
		}
		if s.doc, err = dgd.Read(data); err != nil {
			return fmt.Errorf("--config %s: %w", c.DGD, err)
		}
		if err := s.doc.Check(c.Backend); err != nil {
			return fmt.Errorf("--config %s: %w", c.DGD, err)
		}
	}
	if c.Model != "" {
		if s.doc, err = s.doc.WithModel(c.Backend, dgd.Model{Path: c.Model, PVC: c.PVC, Mount: c.PVCMount, Folder: c.PVCPath}); err != nil {
			return err
		}
	}
	facts, err := s.doc.Facts(c.Backend)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	if s.name = facts.Served; s.name == "" {
		s.name = facts.Model
	}
	if c.Model == "" {
		c.Model = facts.Model
	}
	if c.Image != "" {
		s.doc, err = s.doc.WithImage(c.Image)
	}
	return err
}

// model finds what is known of the model: inside, in a folder, or on the hub.
func (s *slaSearch) model(ctx context.Context) (model.Model, error) {
	c := s.c
	if c.ModelConfig != "" {
		return model.ReadFile(c.ModelConfig)
	}
	if c.Model == "" {
		return model.Model{}, nil // said already
	}
	if m, err := model.Lookup(c.Model); err == nil {
		return m, nil
	}
	if _, err := os.Stat(c.Model); err == nil {
		m, err := model.ReadFile(c.Model)
		m.Name = c.Model
		return m, err
	}
	path, err := hub.File(ctx, hub.OptionsFromEnv(s.a.getenv), c.Model, "config.json")
	if err != nil {
		return model.Model{}, fmt.Errorf("--model %s: it is not one of the known models, and no folder: %w; --model-config gives its config.json", c.Model, err)
	}
	m, err := model.ReadFile(path)
	m.Name = c.Model
	return m, err
}

// gpu is that of the table with the figures that were given.
func (c *slaCmd) gpu() (model.GPU, error) {
	g, err := model.LookupGPU(c.GPU)
	if err != nil {
		return g, fmt.Errorf("--gpu: %w", err)
	}
	if c.GPUMemory > 0 {
		g.MemoryBytes = c.GPUMemory * (1 << 30)
	}
	if c.GPUBand > 0 {
		g.BytesPerSecond = c.GPUBand * 1e12
	}
	if c.GPUFLOPS > 0 {
		by := c.GPUFLOPS * 1e12 / g.FLOPS[model.BF16]
		for f := range g.FLOPS {
			g.FLOPS[f] *= by
		}
	}
	return g, nil
}

// apart are the options with which a search may be resumed in another way.
var apart = []string{"output-dir", "dry-run", "resume", "overwrite", "json", "quiet", "parallel", "request-rate", "total-gpus", "gpu-cost-per-hour",
	"interpolation", "compare-aggregated", "prefill-interpolation-granularity", "profile-config", "planner-arg", "config", "webui-port",
	"gpus", "engine-start-timeout", "engine-stop-grace", "deployment-timeout", "unschedulable-grace", "kubeconfig", "context"}

// settings are the options that two calls must have in common to share
// outcomes, and what the model and the GPU turned out to be.
func (c *slaCmd) settings(a app, m model.Model, g model.GPU) (map[string]string, error) {
	raw, err := a.options()
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("describing the options: %w", err)
	}
	set := map[string]string{}
	for name, v := range all {
		if !slices.Contains(apart, name) {
			set[name] = strings.Trim(string(v), `"`)
		}
	}
	m.Assumed = nil
	facts, err := json.Marshal(struct {
		Model model.Model
		GPU   model.GPU
	}{m, g})
	set["model and gpu"] = fmt.Sprintf("%x", uint64(workload.Seed(0).Named(string(facts))))
	return set, err
}

// kvElement is the size of one value in the KV cache; 0 is the model's own.
func (c *slaCmd) kvElement(a app) (float64, error) {
	element, err := model.KVElementBytes(c.KVDType)
	switch {
	case err != nil:
		return 0, fmt.Errorf("--kv-cache-dtype: %w", err)
	case !a.given["kv-cache-dtype"]:
		return c.KVBytes, nil
	case a.given["kv-cache-element-bytes"]:
		return 0, errors.New("--kv-cache-dtype with --kv-cache-element-bytes: give one of them")
	}
	return element, nil
}
