package profiling

import (
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/profile"
)

// ProfileQuery asks a profile what Dynamo's planner asks it.
type ProfileQuery struct {
	Dir  string  `name:"profile-results-dir" type:"path" placeholder:"DIR" help:"Folder of the profile: what profile endpoint, profile sla or Dynamo's profiler has written."`
	ISL  float64 `name:"isl" default:"3000" help:"Prompt length (tokens)."`
	OSL  float64 `name:"osl" default:"150" help:"Reply length (tokens)."`
	TTFT float64 `name:"ttft" default:"100" help:"Target of the time to first token (ms)."`
	ITL  float64 `name:"itl" default:"10" help:"Target of the inter-token latency (ms)."`
	JSON bool    `name:"json" apart:"" help:"Print the answer as JSON."`

	options.Format
}

// Question is what is asked; the error lists everything that is wrong with it.
func (f *ProfileQuery) Question() (profile.Question, error) {
	var bad fault.List
	profileDir(&bad, f.Dir)
	bad.Between("isl", f.ISL, 1, 1<<24)
	bad.Between("osl", f.OSL, 1, 1<<24)
	bad.Positive("ttft", f.TTFT)
	bad.Positive("itl", f.ITL)
	bad.When(f.JSON && f.Markdown(), "%s and %s markdown: give one of them", fault.Field("json"), fault.Field("format"))
	return profile.Question{ISL: f.ISL, OSL: f.OSL, TTFT: f.TTFT, ITL: f.ITL}, bad.Usage()
}

// profileDir refuses a folder that is not named.
func profileDir(bad *fault.List, dir string) {
	bad.When(dir == "", "%s: name the folder of a profile; `headway profile endpoint` measures one",
		fault.Field("profile-results-dir"))
}
