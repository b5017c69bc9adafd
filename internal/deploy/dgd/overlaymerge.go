package dgd

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// listKeys are the keys of the items of lists that are merged, as both CRDs have
// them; what is not here is replaced.
var listKeys = map[string][]string{
	"containers":                {"name"},
	"initContainers":            {"name"},
	"ephemeralContainers":       {"name"},
	"env":                       {"name"},
	"volumes":                   {"name"},
	"volumeMounts":              {"mountPath"},
	"volumeDevices":             {"devicePath"},
	"ports":                     {"containerPort", "protocol"},
	"imagePullSecrets":          {"name"},
	"hostAliases":               {"ip"},
	"resourceClaims":            {"name"},
	"claims":                    {"name"},
	"schedulingGates":           {"name"},
	"topologySpreadConstraints": {"topologyKey", "whenUnsatisfiable"},
	"extraClientPods":           {"name"},
}

// merge merges a value at a path; name is the field that it is the value of.
func (o *overlay) merge(at path, v any, name string) {
	old, there := lookup(o.object, at)
	switch v := v.(type) {
	case map[string]any:
		if _, is := old.(map[string]any); is {
			for _, k := range keys(v) {
				o.merge(at.plus(k), v[k], k)
			}
			return
		}
	case []any:
		if have, is := old.([]any); is && listKeys[name] != nil && !serviceMounts(at) {
			o.mergeList(at, have, v, listKeys[name])
			return
		}
	}
	if there && fmt.Sprintf("%#v", old) == fmt.Sprintf("%#v", v) {
		return
	}
	n, err := nodeOf(v)
	if err != nil {
		o.fail(err)
		return
	}
	o.put(at, n)
}

// serviceMounts says of a list of volumes of a service of v1alpha1 that it has no
// key there: only containers mount by paths.
func serviceMounts(at path) bool {
	return len(at) == 4 && at[1] == "services" && at[3] == "volumeMounts"
}

// mergeList merges items into those that have the same keys, and adds the others.
func (o *overlay) mergeList(at path, have, more []any, by []string) {
	for _, item := range more {
		i := slices.IndexFunc(have, func(old any) bool { return sameItem(old, item, by) })
		if i < 0 {
			i = len(have)
			have = append(have, item)
		}
		o.merge(at.plus(i), item, "")
	}
}

// sameItem compares the keys of two items; a port without a protocol is of TCP.
func sameItem(a, b any, by []string) bool {
	of := func(v any, key string) any {
		m, _ := v.(map[string]any)
		if m[key] == nil && key == "protocol" {
			return "TCP"
		}
		return m[key]
	}
	for _, key := range by {
		if x := of(a, key); x == nil || x != of(b, key) {
			return false
		}
	}
	return true
}

// nodeOf is a value as a node, mappings in the order of their keys but with the
// name first, and strings quoted where they must be.
func nodeOf(v any) (node, error) {
	switch v := v.(type) {
	case map[string]any:
		n := mapping()
		names := keys(v)
		slices.SortStableFunc(names, func(a, b string) int { return nameFirst(a) - nameFirst(b) })
		for _, k := range names {
			inner, err := nodeOf(v[k])
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, text(k), inner)
		}
		return n, nil
	case []any:
		n := list()
		for _, item := range v {
			inner, err := nodeOf(item)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, inner)
		}
		return n, nil
	case string:
		return text(v), nil
	}
	n := &yaml.Node{}
	if err := n.Encode(v); err != nil {
		return nil, fmt.Errorf("writing %v: %w", v, err)
	}
	return n, nil
}

func nameFirst(key string) int {
	if key == "name" {
		return 0
	}
	return 1
}
