package dgd

import (
	"errors"
	"fmt"
	"slices"
)

// withPlanner adds the planner, and the ConfigMap before the deployment.
func (d *Document) withPlanner(backend string, s Selection) (*Document, error) {
	if s.hasData() != (len(s.DecodeData) > 0) {
		return nil, errors.New("there is profile data for only one of prefill and decode")
	}
	next, err := d.edited(func(e *editor) error { return e.planner(backend, s) })
	if err != nil || !s.hasData() {
		return next, err
	}
	data, err := s.dataMap(d.Namespace())
	if err != nil {
		return nil, err
	}
	return next.prepend(data)
}

// prepend puts an object before all others, in the place of one of its kind and
// name.
func (d *Document) prepend(part string) (*Document, error) {
	object, err := decodeObject(part)
	if err != nil {
		return nil, fmt.Errorf("writing a ConfigMap: %w", err)
	}
	next := *d
	parts, objects := []string{part}, []map[string]any{object}
	name, _ := lookup(object, path{"metadata", "name"})
	for i, p := range d.parts {
		o := d.objects[i]
		old, _ := lookup(o, path{"metadata", "name"})
		if i != d.at && o != nil && o["kind"] == object["kind"] && old == name {
			continue
		}
		if i == d.at {
			next.at = len(parts)
		}
		parts, objects = append(parts, p), append(objects, o)
	}
	next.parts, next.objects = join(parts), objects
	return &next, nil
}

// planner adds the service, or changes the arguments of the one that is there.
func (e *editor) planner(backend string, s Selection) error {
	services, err := viewOf(e.object)
	if err != nil {
		return err
	}
	front, err := pick(services, backend, roleFrontend)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(services, func(s service) bool {
		return s.role == rolePlanner || s.role == "" && s.name == "Planner"
	})
	var at service
	if i >= 0 {
		at = services[i]
	} else if at, err = e.newPlanner(front, len(services)); err != nil {
		return err
	}
	c, err := readCommandLine(e.object, at.main)
	if err != nil {
		return err
	}
	c.setFlags(s.plannerFlags())
	e.write(at.main, c)
	if s.hasData() {
		e.mountData(at, s.configMap())
	}
	return e.err
}

// newPlanner adds a planner with the frontend's image.
func (e *editor) newPlanner(front service, index int) (service, error) {
	container := mapping(entry{"command", texts([]string{"python3", "-m", "dynamo.planner.planner_sla"})})
	if image := e.string(front.main.plus("image")); image != "" {
		container.Content = append([]node{text("image"), text(image)}, container.Content...)
	}
	if front.beta {
		container.Content = append([]node{text("name"), text("main")}, container.Content...)
		e.put(path{"spec", "components", index}, mapping(
			entry{"name", text("Planner")},
			entry{"type", text(rolePlanner)},
			entry{"replicas", number(1)},
			entry{"podTemplate", mapping(entry{"spec", mapping(entry{"containers", list(container)})})},
		))
	} else {
		fields := []entry{
			{"componentType", text(rolePlanner)},
			{"replicas", number(1)},
			{"extraPodSpec", mapping(entry{"mainContainer", container})},
		}
		if ns := e.string(front.at.plus("dynamoNamespace")); ns != "" {
			fields = append([]entry{{"dynamoNamespace", text(ns)}}, fields...)
		}
		e.put(path{"spec", "services", "Planner"}, mapping(fields...))
	}
	s, ok := e.service("Planner")
	if !ok {
		return service{}, fmt.Errorf("adding the planner: %w", e.err)
	}
	return s, nil
}

// mountData mounts the ConfigMap with the profile data, read-only.
func (e *editor) mountData(s service, configMap string) {
	pod := s.at.plus("extraPodSpec")
	if s.beta {
		pod = s.at.plus("podTemplate", "spec")
	}
	e.addNamed(pod.plus("volumes"), configMap, entry{"configMap", mapping(entry{"name", text(configMap)})})
	e.addNamed(s.main.plus("volumeMounts"), configMap,
		entry{"mountPath", text(ProfileMount)}, entry{"readOnly", truth(true)})
}
