package dgd

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/deploy/release"
	"headway/internal/fault"
)

// settings are the planner's that the selection makes, in the names of its release,
// and those that are given, which win.
func (s Selection) settings(backend string) plan {
	own, _ := s.made(backend).spelled(s.Release)
	given, _ := readPlanArguments(s.PlannerArgs) // PlannerFaults has said what is wrong with them
	given, _ = given.spelled(s.Release)
	for _, g := range given {
		own.set(g.name, g.value)
	}
	return own
}

// made are the settings that the selection makes, under the names of the newest
// release. A planner keeps to its targets by the profile; without one by what
// it sees of the workers.
func (s Selection) made(backend string) (p plan) {
	p.add("environment", "kubernetes")
	p.add("backend", backend)
	p.add("mode", "disagg")
	p.add("optimization_target", "sla")
	p.add("enable_throughput_scaling", s.hasData())
	if !s.hasData() {
		p.add("enable_load_scaling", true)
	}
	p.add("pre_deployment_sweeping_mode", map[bool]string{true: "thorough", false: "none"}[s.hasData()])
	if s.hasData() {
		p.add("profile_results_dir", ProfileMount)
	}
	if s.TTFT > 0 {
		p.add("ttft_ms", s.TTFT)
	}
	if s.ITL > 0 {
		p.add("itl_ms", s.ITL)
	}
	p.add("prefill_engine_num_gpu", s.Prefill.GPUs())
	p.add("decode_engine_num_gpu", s.Decode.GPUs())
	if s.GPUs > 0 {
		p.add("max_gpu_budget", s.GPUs)
	}
	if s.served != "" {
		p.add("model_name", s.served)
	}
	return p
}

// PlannerFaults are the arguments that a release's planner does not take. Planners
// that are told by one object lose them without a word. Who asks says where they stand.
func PlannerFaults(r release.Release, arguments []string) error {
	p, err := readPlanArguments(arguments)
	if err != nil {
		return err
	}
	if _, unknown := p.spelled(r); len(unknown) > 0 {
		return fault.New("the planner of release %s has no setting %s: its settings are %s", r,
			strings.Join(unknown, ", "), strings.Join(r.Settings(), ", "))
	}
	return nil
}

// plannerSettings tells a planner more settings, which have the release's names, beside
// those that it has: as flags, or in one object, as the release wants it.
func (e *editor) plannerSettings(s service, r release.Release, more plan) error {
	c, err := readCommandLine(e.object, s.main)
	if err != nil {
		return err
	}
	if len(c.items) == 0 {
		e.put(e.mainContainer(s).plus("command"), texts(startOf(r)))
		if c, err = readCommandLine(e.object, s.main); err != nil {
			return err
		}
	}
	old, err := e.readPlan(c)
	if err != nil {
		return fmt.Errorf("%s: %w", s.main, err)
	}
	if c.first == 0 {
		return fmt.Errorf("%s does not run a planner of Dynamo; it should run %s", s.main,
			strings.Join(startOf(r), " "))
	}
	now, _ := old.spelled(r)
	for _, o := range more {
		now.set(o.name, o.value)
	}
	c.plan(r.Planner(), now)
	e.write(s.main, c)
	return e.err
}

// plan writes settings into a planner's command line. Flags stay where they are.
func (c *commandLine) plan(planner release.Planner, p plan) {
	c.list[c.first-1].value = planner.Module
	c.module = planner.Module
	if planner.Config {
		c.list = slices.Concat(c.list[:c.first], c.only("--config"))
		c.set(p.JSON(), "--config")
		return
	}
	flags := p.flags()
	named := func(name string) bool {
		return slices.ContainsFunc(flags, func(f string) bool { return flagName(f) == name })
	}
	for i := c.first; i < len(c.list); {
		if name := flagName(c.list[i].value); name != "" && !named(name) {
			c.cut(i)
			continue
		}
		i++
	}
	c.setFlags(flags)
}

// only is the part of the arguments that is one flag with its value.
func (c *commandLine) only(name string) []argument {
	i := c.index(0, name)
	if i < 0 {
		return nil
	}
	_, n := c.valueAt(i)
	return slices.Clone(c.list[i : i+n])
}

// readPlan reads the settings that a planner has, from flags or from the object
// behind --config, which may be in a ConfigMap of the same file.
func (e *editor) readPlan(c *commandLine) (plan, error) {
	config, given := c.value("--config")
	if !given {
		return readPlanArguments(values(c.list[c.first:]))
	}
	if !strings.HasPrefix(strings.TrimSpace(config), "{") {
		found, ok := e.mapped(filepath.Base(config))
		if !ok {
			return nil, fmt.Errorf("the planner's configuration %s is in no ConfigMap of this file: write it as "+
				"JSON in its place", config)
		}
		config = found
	}
	p, err := readPlanJSON(config)
	if err != nil {
		return nil, fmt.Errorf("the planner's configuration: %w", err)
	}
	return p, nil
}

// mapped is the text of a key of one of the file's ConfigMaps.
func (e *editor) mapped(key string) (string, bool) {
	for _, o := range e.others {
		if v, ok := lookup(o, path{"data", key}); ok && o["kind"] == "ConfigMap" {
			text, isText := v.(string)
			return text, isText
		}
	}
	return "", false
}
