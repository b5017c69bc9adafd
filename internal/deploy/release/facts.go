package release

import (
	"maps"
	"slices"
	"strings"
)

// Planner is how this release starts one.
func (r Release) Planner() Planner {
	i := slices.IndexFunc(table.Planners, func(p Planner) bool { return p.In.holds(r) })
	return table.Planners[i]
}

// PlannerImage is the image of a planner beside services with another of Dynamo's.
func (r Release) PlannerImage(of string) string { return table.PlannerImage.beside(r, of) }

// MockerImage is the image of mock engines beside services with another of Dynamo's.
func (r Release) MockerImage(of string) string { return table.MockerImage.beside(r, of) }

// beside puts the name into an image's reference: registry and tag stay. A digest is
// that of the other image, and goes.
func (i image) beside(r Release, of string) string {
	if of == "" || !i.In.holds(r) {
		return of
	}
	of, _, _ = strings.Cut(of, "@")
	slash := strings.LastIndexByte(of, '/') + 1
	_, tag, tagged := strings.Cut(of[slash:], ":")
	if !tagged {
		return of[:slash] + i.Name
	}
	return of[:slash] + i.Name + ":" + tag
}

// ScalingAdapter says that workers whose number a planner sets are marked so.
func (r Release) ScalingAdapter() bool { return table.ScalingAdapter.holds(r) }

// Setting is what this release calls a setting of the planner, which may be given by
// the name of another release; false where it has none.
func (r Release) Setting(name string) (string, bool) {
	names := []string{name}
	for _, same := range table.Renamed {
		if slices.Contains(same, name) {
			names = same
		}
	}
	for _, n := range names {
		if table.Settings[n].holds(r) {
			return n, true
		}
	}
	return name, false
}

// Settings are the names of all settings of this release's planner.
func (r Release) Settings() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(table.Settings)) {
		if now, ok := r.Setting(name); ok && now == name {
			names = append(names, name)
		}
	}
	return names
}

// Phrases are what command lines of a module say in different words: those that this
// release does not take, and its own wording for each.
func (r Release) Phrases(module string) (others [][]Form, own [][]string) {
	for _, forms := range table.Phrases[module] {
		var gone []Form
		for _, f := range forms {
			if !f.In.holds(r) {
				gone = append(gone, f)
			}
		}
		i := slices.IndexFunc(forms, func(f Form) bool { return f.In.holds(r) })
		if len(gone) > 0 && i >= 0 {
			others, own = append(others, gone), append(own, forms[i].Args)
		}
	}
	return others, own
}

// Needed is what a command line of a module has to have, by what it has: asked with
// whether it has certain arguments.
func (r Release) Needed(module string, has func(args []string) bool) (args [][]string) {
	for _, n := range table.Needs[module] {
		if n.In.holds(r) && has(n.Beside) && !has(n.Args[:1]) {
			args = append(args, n.Args)
		}
	}
	return args
}

// Lacks says that this release's module does not take a flag that another release's
// does, and what it takes instead; "" where nothing is.
func (r Release) Lacks(module, name string) (instead string, lacks bool) {
	f, known := table.Flags[module][name]
	if !known {
		f, known = table.Flags[module]["--"+strings.TrimPrefix(name, "--no-")]
	}
	if !known || f.In.holds(r) {
		return "", false
	}
	if _, gone := r.Lacks(module, f.Instead); gone {
		return "", true
	}
	return f.Instead, true
}
