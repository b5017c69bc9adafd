package dgdr

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

func readFeatures(r *Request, f *fields) {
	if f == nil {
		return
	}
	planner := f.raw("planner")
	if planner != nil {
		readPlanner(r, f.at("planner"), planner)
	}
	if m := f.object("mocker"); m != nil {
		r.Mocker, _ = m.truth("enabled")
		r.MockerPath = m.at("enabled")
		m.done()
	}
	if m := f.object("kvRouter"); m != nil {
		r.Final.KVRouter, _ = m.truth("enabled")
		m.done()
	}
	mode, given := planner["pre_deployment_sweeping_mode"]
	f.bad.When(planner["optimization_target"] == "sla" && planner["enable_throughput_scaling"] == false &&
		planner["enable_load_scaling"] != true, "%s: scales by neither throughput nor load: enable one of them, or "+
		"leave the planner out", f.at("planner"))
	f.bad.When(r.Mocker && given && (mode == nil || mode == "none"), "%s.pre_deployment_sweeping_mode: mock engines "+
		"need a profile: give rapid or thorough, or leave it out", f.at("planner"))
	f.done()
}

// readPlanner makes arguments of the planner's configuration, which the planner
// itself checks.
func readPlanner(r *Request, path string, given map[string]any) {
	r.Planner, r.PlannerPath = true, path
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if given[key] == nil {
			continue
		}
		r.PlannerArgs = append(r.PlannerArgs, "--"+strings.ReplaceAll(key, "_", "-")+"="+argument(given[key]))
	}
}

// argument is a value of the planner's configuration as the value of an argument.
// Text that would be read as a number or as another value there is written as JSON.
func argument(v any) string {
	text, is := v.(string)
	if is && !json.Valid([]byte(text)) && text != "True" && text != "False" && text != "None" {
		return text
	}
	j, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(j)
}
