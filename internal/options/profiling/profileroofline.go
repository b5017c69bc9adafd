package profiling

import (
	"headway/internal/fault"
	"headway/internal/model"
	"headway/internal/options"
)

// ProfileRoofline holds a measured profile against the roofline.
type ProfileRoofline struct {
	Dir         string  `name:"profile-results-dir" type:"path" placeholder:"DIR" help:"Folder of the profile."`
	KnownModel  string  `name:"known-model" placeholder:"NAME" help:"A model whose facts are inside, such as llama-3.1-8b."`
	ModelConfig string  `name:"model-config" type:"path" placeholder:"FILE" help:"A model's config.json, or its folder."`
	GPU         string  `name:"gpu" default:"h200_sxm" help:"a100_sxm, h100_sxm, h200_sxm, b200_sxm or l40s."`
	Mapping     string  `name:"mapping" default:"TP=1" help:"How the engine was laid out: TP=4, TEP=8, DEP=8, TP=8,PP=2."`
	KVDType     string  `name:"kv-cache-dtype" default:"auto" placeholder:"FORMAT" help:"Number format of the engine's KV cache: auto (what the model's configuration says), bfloat16, float16, fp8, fp8_e4m3, fp8_e5m2, int8 or nvfp4."`
	ComputeEff  float64 `name:"compute-efficiency" default:"0.6" help:"Share of the peak rate that is reached."`
	MemoryEff   float64 `name:"memory-efficiency" default:"0.8" help:"Share of the memory bandwidth that is reached."`
	JSON        bool    `name:"json" apart:"" help:"Print the comparison as JSON."`

	options.Format
}

// Setup is the model on its GPUs; the error lists everything that is wrong with
// the options.
func (f *ProfileRoofline) Setup() (model.Setup, error) {
	var bad fault.List
	profileDir(&bad, f.Dir)
	bad.Between("compute-efficiency", f.ComputeEff, 0.01, 1)
	bad.Between("memory-efficiency", f.MemoryEff, 0.01, 1)
	bad.When(f.JSON && f.Markdown(), "%s and %s markdown: give one of them", fault.Field("json"), fault.Field("format"))
	s := model.Setup{Efficiency: model.Efficiency{Compute: f.ComputeEff, Memory: f.MemoryEff}}
	var err error
	s.Model, err = f.model()
	bad.Join(err)
	if s.KVElementBytes, err = model.KVElementBytes(f.KVDType); err != nil {
		bad.Add("%s: %v", fault.Field("kv-cache-dtype"), err)
	}
	if s.GPU, err = model.LookupGPU(f.GPU); err != nil {
		bad.Add("%s: %v", fault.Field("gpu"), err)
	}
	if s.Mapping, err = model.ParseMapping(f.Mapping); err != nil {
		bad.Add("%s: %v", fault.Field("mapping"), err)
	}
	return s, bad.Usage()
}

func (f *ProfileRoofline) model() (model.Model, error) {
	switch {
	case (f.KnownModel == "") == (f.ModelConfig == ""):
		return model.Model{}, fault.New("give %s or %s", fault.Field("known-model"), fault.Field("model-config"))
	case f.KnownModel != "":
		return model.Lookup(f.KnownModel)
	}
	return model.ReadFile(f.ModelConfig)
}
