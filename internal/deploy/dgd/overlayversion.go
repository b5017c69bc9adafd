package dgd

import (
	"fmt"
	"maps"
)

// Fields of a service and of a specification that are the same in both versions.
var (
	sameOfService = []string{"replicas", "multinode", "runtimeVersionOverride", "minAvailable", "scalingAdapter"}
	sameOfSpec    = []string{"annotations", "labels", "priorityClassName", "backendFramework"}
)

// asVersion is a partial deployment with the fields of another version. Where a
// field has no counterpart the error says so.
func asVersion(partial map[string]any, version string) (map[string]any, error) {
	from, _ := partial["apiVersion"].(string)
	if from == "" {
		from = V1Alpha1
	}
	if from == version {
		return partial, nil
	}
	spec, is := partial["spec"].(map[string]any)
	if partial["spec"] != nil && !is {
		return nil, fmt.Errorf("spec: has to be an object")
	}
	t := translation{to: version}
	out := maps.Clone(partial)
	out["apiVersion"] = version
	if spec != nil {
		out["spec"] = t.spec(spec)
	}
	return out, t.err
}

// translation moves fields between versions. After the first error its results are
// of no use.
type translation struct {
	to  string
	err error
}

// refuse says that fields were left.
func (t *translation) refuse(at string, left map[string]any) {
	if names := keys(left); len(names) > 0 && t.err == nil {
		t.err = fmt.Errorf("%s.%s: has no counterpart in %s that is known here: write the override for %s",
			at, names[0], t.to, t.to)
	}
}

// object is an inner object, taken out of a map.
func (t *translation) object(at string, m map[string]any, key string) map[string]any {
	v, there := m[key]
	inner, is := v.(map[string]any)
	if there && !is && t.err == nil {
		t.err = fmt.Errorf("%s.%s: has to be an object", at, key)
	}
	delete(m, key)
	return maps.Clone(inner)
}

// move takes values over as they are, by their old and new keys.
func move(from, to map[string]any, names ...[2]string) {
	for _, n := range names {
		if v, there := from[n[0]]; there {
			to[n[1]] = v
			delete(from, n[0])
		}
	}
}

func unchanged(names []string) (pairs [][2]string) {
	for _, n := range names {
		pairs = append(pairs, [2]string{n, n})
	}
	return pairs
}

func (t *translation) spec(old map[string]any) map[string]any {
	left, out := maps.Clone(old), map[string]any{}
	move(left, out, unchanged(sameOfSpec)...)
	if t.to == V1Alpha1 {
		move(left, out, [2]string{"env", "envs"})
		list, _ := left["components"].([]any)
		delete(left, "components")
		services := map[string]any{}
		for i, item := range list {
			fields, _ := item.(map[string]any)
			name, _ := fields["name"].(string)
			if name == "" && t.err == nil {
				t.err = fmt.Errorf("spec.components[%d]: has to be an object with a name", i)
			}
			services[name] = t.alpha("spec.components[name="+name+"]", fields)
		}
		if len(services) > 0 {
			out["services"] = services
		}
	} else {
		move(left, out, [2]string{"envs", "env"})
		services := t.object("spec", left, "services")
		var components []any
		for _, name := range keys(services) {
			fields, _ := services[name].(map[string]any)
			components = append(components, t.beta("spec.services."+name, name, fields))
		}
		if len(components) > 0 {
			out["components"] = components
		}
	}
	t.refuse("spec", left)
	return out
}

// alpha is a component as a service.
func (t *translation) alpha(at string, old map[string]any) map[string]any {
	left, out := maps.Clone(old), map[string]any{}
	delete(left, "name")
	move(left, out, unchanged(sameOfService)...)
	switch kind := left["type"]; kind {
	case nil:
	case rolePrefill, roleDecode:
		out["componentType"], out["subComponentType"] = roleWorker, kind
	default:
		out["componentType"] = kind
	}
	delete(left, "type")
	template := t.object(at, left, "podTemplate")
	if meta := t.object(at+".podTemplate", template, "metadata"); len(meta) > 0 {
		out["extraPodMetadata"] = meta
	}
	pod := t.object(at+".podTemplate", template, "spec")
	t.refuse(at+".podTemplate", template)
	t.refuse(at, left)
	containers, _ := pod["containers"].([]any)
	delete(pod, "containers")
	var others []any
	for _, c := range containers {
		container, _ := c.(map[string]any)
		if container["name"] != "main" {
			others = append(others, c)
			continue
		}
		main := maps.Clone(container)
		delete(main, "name")
		if r := t.object(at+".main", main, "resources"); len(r) > 0 {
			out["resources"] = t.resources(at+".main.resources", r)
		}
		pod["mainContainer"] = main
	}
	if len(others) > 0 {
		pod["containers"] = others
	}
	if len(pod) > 0 {
		out["extraPodSpec"] = pod
	}
	return out
}

// beta is a service as a component.
func (t *translation) beta(at, name string, old map[string]any) map[string]any {
	left, out := maps.Clone(old), map[string]any{"name": name}
	move(left, out, unchanged(sameOfService)...)
	for _, key := range []string{"componentType", "subComponentType"} {
		if kind := left[key]; kind != nil {
			out["type"] = kind
		}
		delete(left, key)
	}
	pod := t.object(at, left, "extraPodSpec")
	main := orEmpty(t.object(at+".extraPodSpec", pod, "mainContainer"))
	move(left, main, [2]string{"envs", "env"}, [2]string{"livenessProbe", "livenessProbe"},
		[2]string{"readinessProbe", "readinessProbe"})
	if secret := left["envFromSecret"]; secret != nil {
		main["envFrom"] = []any{map[string]any{"secretRef": map[string]any{"name": secret}}}
		delete(left, "envFromSecret")
	}
	if r := t.object(at, left, "resources"); len(r) > 0 {
		main["resources"] = t.resources(at+".resources", r)
	}
	template := map[string]any{}
	move(left, template, [2]string{"extraPodMetadata", "metadata"})
	t.refuse(at, left)
	if len(main) > 0 {
		main["name"] = "main"
		pod = orEmpty(pod)
		others, _ := pod["containers"].([]any)
		pod["containers"] = append([]any{main}, others...)
	}
	if len(pod) > 0 {
		template["spec"] = pod
	}
	if len(template) > 0 {
		out["podTemplate"] = template
	}
	return out
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// gpuName is what Kubernetes calls the GPUs that v1alpha1 calls gpu.
const gpuName = "nvidia.com/gpu"

// resources are limits and requests by the names of the other version.
func (t *translation) resources(at string, old map[string]any) map[string]any {
	left, out := maps.Clone(old), map[string]any{}
	for _, kind := range []string{"limits", "requests"} {
		amounts := t.object(at, left, kind)
		if len(amounts) == 0 {
			continue
		}
		named := map[string]any{}
		if t.to == V1Alpha1 {
			move(amounts, named, [2]string{"cpu", "cpu"}, [2]string{"memory", "memory"}, [2]string{gpuName, "gpu"})
			if len(amounts) > 0 {
				named["custom"] = amounts
			}
		} else {
			custom := t.object(at+"."+kind, amounts, "custom")
			move(amounts, named, [2]string{"cpu", "cpu"}, [2]string{"memory", "memory"}, [2]string{"gpu", gpuName})
			maps.Copy(named, custom)
			t.refuse(at+"."+kind, amounts)
		}
		out[kind] = named
	}
	t.refuse(at, left)
	return out
}

// appended says that the arguments of workers in a partial deployment are added to
// those that are there, and do not take their place.
func appended(partial map[string]any) bool {
	return partial["apiVersion"] != V1Beta1
}
