package options

import (
	"fmt"
	"os"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/profile/step"
)

// measured has steps take what a profile says. A folder of a profiler's results is
// taken apart into steps and what lies outside of the engine; a file in the layout of
// Dynamo's mocker has the times of steps themselves, and with a scheduler of that
// mocker a folder is charged as there, too.
func (f *Cluster) measured(c *cluster.Config, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("reading step times: %w", err)
	}
	mocker := c.Engine.Type == engine.Mocker14 || c.Engine.Type == engine.Mocker2025
	if mocker || !info.IsDir() {
		t, err := engine.ReadInterpolated(path)
		if err != nil {
			return err
		}
		c.Engine.Timing = t
		c.Basis = cluster.Basis{Code: "profile_basis", Text: asMocker}
		return nil
	}
	p, err := step.Read(path)
	if err != nil {
		return fmt.Errorf("reading step times from %s: %w", path, err)
	}
	c.Engine.Timing = engine.StepFunc(p.Pass)
	c.Outside, c.Frontend = p.Outside, 0
	c.Basis = basisOf(p)
	return nil
}

// asMocker is what times charged as in Dynamo's mocker rest on.
const asMocker = "step times are a profile's, charged as Dynamo's mocker does: a step's prompts and its decoding " +
	"each with their whole latency. On four loads of vLLM 0.25 on an H200 that was off by 39 % in mean TTFT, 120 % " +
	"in mean ITL, 108 % in latency and 9 % in throughput; the folder of a profile, with the scheduler of an engine, " +
	"is taken apart into steps"

// basisOf says how sure a profile is.
func basisOf(p *step.Profile) cluster.Basis {
	return cluster.Basis{
		Code: "profile_basis",
		Text: fmt.Sprintf("step times are read from a profile: %s. %s", p.Trust, profileError),
		Seen: &cluster.Range{
			Shortest: int(p.Trust.ISL.Least),
			Longest:  int(p.Trust.ISL.Most),
			Context:  int(max(p.Trust.Context.Most, p.Trust.ISL.Most)),
			Requests: p.Trust.Requests,
		},
	}
}

// profileError is what such times were found to be off (docs/twin-study.md).
const profileError = "On four loads of vLLM 0.25 on an H200 such times were off by 17 % in mean TTFT, 5 % in mean " +
	"ITL, 4 % in latency and 1 % in throughput; a twin of the server is nearer (headway twin fit)"
