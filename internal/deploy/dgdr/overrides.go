package dgdr

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"headway/internal/deploy/dgd"
)

func readOverrides(r *Request, f *fields) {
	if f == nil {
		return
	}
	if job := f.object("profilingJob"); job != nil {
		readJob(r, job)
	}
	r.Final.TrustRemoteCode, _ = f.truth("trustRemoteCode")
	if over := f.raw("dgd"); len(over) > 0 {
		readOverride(r, f, over)
	}
	f.done()
}

// readJob takes the tolerations of the profiling job, which Dynamo's profiler gives
// every pod that it deploys. The rest is about a job that is not started.
func readJob(r *Request, f *fields) {
	spec := newFields("", nil, f.bad)
	if template := f.object("template"); template != nil {
		if s := template.object("spec"); s != nil {
			spec = s
		}
	}
	r.Final.Tolerations = append(r.Final.Tolerations, spec.list("tolerations")...)
	for _, path := range leaves(f.given, f.path) {
		if !strings.HasPrefix(path, f.at("template.spec.tolerations")) {
			r.unused(path, "headway is no job of the cluster")
		}
	}
}

// leaves are the paths of the values in an object, in order; lists count as one.
func leaves(v any, path string) (all []string) {
	m, is := v.(map[string]any)
	switch {
	case v == nil:
		return nil
	case !is:
		return []string{path}
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		all = append(all, leaves(m[k], path+"."+k)...)
	}
	return all
}

// readOverride checks what is merged onto the deployment, as far as that goes
// without it: kind and version, both or neither, no status and no null.
func readOverride(r *Request, f *fields, over map[string]any) {
	at := f.at("dgd")
	version, kind := over["apiVersion"], over["kind"]
	switch {
	case version == nil && kind == nil:
		over = maps.Clone(over)
		over["apiVersion"], over["kind"] = dgd.V1Alpha1, dgd.Kind
		r.note(at, "has no apiVersion and kind: it is read as "+dgd.V1Alpha1+", as Dynamo does for now")
	case version == nil || kind == nil:
		f.bad.Add("%s: has one of apiVersion and kind: give both", at)
	case kind != dgd.Kind:
		f.bad.Add("%s.kind: %v has to be %s", at, kind, dgd.Kind)
	case version != dgd.V1Alpha1 && version != dgd.V1Beta1:
		f.bad.Add("%s.apiVersion: %v has to be %s or %s", at, version, dgd.V1Beta1, dgd.V1Alpha1)
	}
	f.bad.When(over["status"] != nil, "%s.status: cannot be overridden", at)
	for _, path := range nulls(over, at) {
		f.bad.Add("%s: is null: an override cannot delete a field", path)
	}
	r.Final.Override = over
}

// nulls are the paths of the values that are null.
func nulls(v any, path string) (all []string) {
	switch v := v.(type) {
	case nil:
		return []string{path}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			all = append(all, nulls(v[k], path+"."+k)...)
		}
	case []any:
		for i, x := range v {
			all = append(all, nulls(x, fmt.Sprintf("%s[%d]", path, i))...)
		}
	}
	return all
}
