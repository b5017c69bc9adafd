package dgd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Overlay merges a partial deployment onto this one, by the rules of Dynamo's
// operator: mappings are merged; lists whose items have a key (containers, env,
// volumes, …) are merged by it, and others replaced; in v1alpha1 the arguments of
// workers are added behind those that are there. Services that the deployment does
// not have, and metadata other than name, labels and annotations, are left out, and
// ignored has a text on each. A partial deployment of the other version is merged as
// the fields of this one, and refused where it has no counterpart there; one without a
// version is of v1alpha1.
func (d *Document) Overlay(partial map[string]any) (next *Document, ignored []string, err error) {
	fail := func(err error) (*Document, []string, error) {
		return nil, nil, fmt.Errorf("merging the override onto the %s %q: %w", Kind, d.Name(), err)
	}
	o := overlay{services: map[string]service{}, appended: appended(partial)}
	if partial, err = asVersion(partial, d.APIVersion()); err != nil {
		return fail(err)
	}
	services, err := d.view()
	if err != nil {
		return fail(err)
	}
	for _, s := range services {
		o.services[s.name] = s
	}
	next, err = d.edited(func(e *editor) error {
		o.editor = e
		return o.whole(partial)
	})
	if err != nil {
		return fail(err)
	}
	return next, o.ignored, nil
}

// overlay merges what it is given into the document of an editor.
type overlay struct {
	*editor
	services map[string]service
	// appended says that arguments of workers are added to those that are there.
	appended bool
	ignored  []string
}

func (o *overlay) ignore(format string, args ...any) {
	o.ignored = append(o.ignored, fmt.Sprintf(format, args...))
}

// whole merges a partial deployment.
func (o *overlay) whole(partial map[string]any) error {
	for _, key := range keys(partial) {
		inner, is := partial[key].(map[string]any)
		switch {
		case key == "apiVersion" || key == "kind":
		case !is:
			return fmt.Errorf("%s: has to be an object", key)
		case key == "metadata":
			o.metadata(inner)
		case key == "spec":
			if err := o.spec(inner); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: there is no such field", key)
		}
	}
	return o.err
}

// reserved begins the annotations that are the operator's own.
const reserved = "nvidia.com/dgd-"

func (o *overlay) metadata(partial map[string]any) {
	for _, key := range keys(partial) {
		if !slices.Contains([]string{"name", "labels", "annotations"}, key) {
			o.ignore("metadata.%s: is not for an override", key)
			continue
		}
		at := path{"metadata", key}
		if m, is := partial[key].(map[string]any); is && key == "annotations" {
			m = maps.Clone(m)
			for _, k := range keys(m) {
				if strings.HasPrefix(k, reserved) {
					o.ignore("metadata.annotations: %s is the operator's own", k)
					delete(m, k)
				}
			}
			o.merge(at, m, "")
			continue
		}
		o.merge(at, partial[key], "")
	}
}

func (o *overlay) spec(partial map[string]any) error {
	for _, key := range keys(partial) {
		var err error
		switch key {
		case "services":
			err = o.alphaServices(partial[key])
		case "components":
			err = o.betaComponents(partial[key])
		default:
			o.merge(path{"spec", key}, partial[key], key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *overlay) alphaServices(v any) error {
	all, is := v.(map[string]any)
	if !is {
		return fmt.Errorf("spec.services: has to be an object with a service by each name")
	}
	for _, name := range keys(all) {
		fields, is := all[name].(map[string]any)
		s, known := o.services[name]
		switch {
		case !known:
			o.ignore("spec.services.%s: the deployment has no such service (it has %s)", name, o.names())
			continue
		case !is:
			return fmt.Errorf("spec.services.%s: has to be an object", name)
		}
		if err := o.service(s, fields, path{"extraPodSpec", "mainContainer"}); err != nil {
			return err
		}
	}
	return nil
}

// service merges a service whose main container stands at a path in its fields.
func (o *overlay) service(s service, fields map[string]any, main path) error {
	if o.appended && (s.role == rolePrefill || s.role == roleDecode || s.role == roleWorker) {
		added, err := o.behind(s, fields, main.plus("args"))
		if err != nil {
			return fmt.Errorf("the arguments of %s: %w", s.name, err)
		}
		fields = added
	}
	o.merge(s.at, fields, "")
	return nil
}

// behind puts the arguments of a worker, which stand at a path, behind those that it
// has.
func (o *overlay) behind(s service, fields map[string]any, args path) (map[string]any, error) {
	more, err := stringsAt(fields, args)
	if err != nil || more == nil {
		return fields, err
	}
	have, err := stringsAt(o.object, s.main.plus("args"))
	if err != nil {
		return nil, err
	}
	var all []any
	for _, a := range append(have, more...) {
		all = append(all, a)
	}
	out, err := putValue(copyValue(fields), args, all)
	if err != nil {
		return nil, err
	}
	return out.(map[string]any), nil
}

func (o *overlay) betaComponents(v any) error {
	list, is := v.([]any)
	if !is {
		return fmt.Errorf("spec.components: has to be a list")
	}
	for i, item := range list {
		fields, _ := item.(map[string]any)
		name, _ := fields["name"].(string)
		s, known := o.services[name]
		switch {
		case name == "":
			return fmt.Errorf("spec.components[%d]: has to be an object with a name", i)
		case !known:
			o.ignore("spec.components[name=%s]: the deployment has no such component (it has %s)", name, o.names())
		default:
			// A translated override has the main container first.
			if err := o.service(s, fields, path{"podTemplate", "spec", "containers", 0}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *overlay) names() string { return strings.Join(keys(o.services), ", ") }
