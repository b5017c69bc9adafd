package dgd

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"headway/internal/deploy/release"
	"headway/internal/model"
)

// Selection is what a search found, and what its files need besides.
type Selection struct {
	// Prefill and Decode are the mappings of the two workers.
	Prefill, Decode model.Mapping
	GPUsPerNode     int
	// PrefillData and DecodeData are the profiles as JSON, with the arrays of
	// raw_data.npz by name; both or none. Without them there is no ConfigMap
	// and nothing is mounted.
	PrefillData, DecodeData []byte
	// ConfigMap is what the object with the data is called; empty is
	// planner-profile-data.
	ConfigMap string
	// Release is the one whose planner is written. Its workers are as the
	// document has them; see [Document.WrittenFor].
	Release release.Release
	// TTFT and ITL are the targets of the planner (ms); it has its own for those
	// that are 0.
	TTFT, ITL float64
	// GPUs is how many the planner may use; with 0 its own budget holds.
	GPUs int
	// PlannerArgs are settings of the planner, --name=value each; they win over
	// what is made here. See [PlannerFaults].
	PlannerArgs []string

	// served is the model's name, for the planner.
	served string
}

// Where the profile data is mounted, what the object that holds it is called,
// and how large Kubernetes lets it be, in bytes.
const (
	ProfileMount     = "/workspace/profiling_results"
	DefaultConfigMap = "planner-profile-data"
	largestConfigMap = 1 << 20
)

func (s Selection) configMap() string {
	if s.ConfigMap == "" {
		return DefaultConfigMap
	}
	return s.ConfigMap
}

func (s Selection) hasData() bool { return len(s.PrefillData) > 0 }

// Final is what a search ends with: the deployment with the selected mappings
// on its prefill and decode workers, which stay disaggregated, and a planner;
// before it a ConfigMap with the profile data. Names, images, replicas and
// everything else stay. A planner that is already there is kept and gets the
// new settings beside its own, and in the release's way; a ConfigMap of the same name
// is replaced.
func (d *Document) Final(backend string, s Selection) (*Document, error) {
	next, err := d.Disaggregated(backend, s)
	if err != nil {
		return nil, err
	}
	facts, err := d.Facts(backend)
	if err != nil {
		return nil, err
	}
	s.served = facts.Served
	next, err = next.withPlanner(backend, s)
	if err != nil {
		return nil, fmt.Errorf("adding the planner to the %s %q: %w", Kind, d.Name(), err)
	}
	return next, nil
}

// Disaggregated is the deployment with the selected mappings alone, without a
// planner and without data. One worker that does both halves of a request becomes
// two.
func (d *Document) Disaggregated(backend string, s Selection) (*Document, error) {
	fail := func(err error) (*Document, error) {
		return nil, fmt.Errorf("applying the selected mappings to the %s %q: %w", Kind, d.Name(), err)
	}
	if err := d.Check(backend); err != nil {
		return fail(err)
	}
	if err := errors.Join(checkMapping(s.Prefill), checkMapping(s.Decode)); err != nil {
		return fail(err)
	}
	next, err := d.split(backend)
	if err != nil {
		return fail(err)
	}
	next, err = next.edited(func(e *editor) error {
		for _, role := range []string{rolePrefill, roleDecode} {
			m := s.Prefill
			if role == roleDecode {
				m = s.Decode
			}
			if _, err := e.worker(backend, role, m, s.GPUsPerNode, nil); err != nil {
				return err
			}
		}
		return e.tellFrontend(backend)
	})
	if err != nil {
		return fail(err)
	}
	return next, nil
}

// worker applies a mapping, and another change of its arguments where one is
// given, to the worker of a role, and writes that role down.
func (e *editor) worker(backend, role string, m model.Mapping, gpusPerNode int,
	change func(engine, *commandLine) error) (service, error) {
	services, err := viewOf(e.object)
	if err != nil {
		return service{}, err
	}
	s, err := pick(services, backend, role)
	if err != nil {
		return s, err
	}
	if err := e.configure(backend, s, m, gpusPerNode, change); err != nil {
		return s, fmt.Errorf("the %s worker %s: %w", role, s.name, err)
	}
	e.tell(s, role)
	return s, e.err
}

// tell writes a service's role down, by which the operator and the planner find
// it.
func (e *editor) tell(s service, role string) {
	if s.typed == role {
		return
	}
	field := "subComponentType"
	switch {
	case s.beta:
		field = "type"
	case role == roleFrontend || role == roleWorker:
		field = "componentType"
		e.remove(s.at.plus("subComponentType"))
	}
	e.put(s.at.plus(field), text(role))
}

// tellFrontend writes down which service is the frontend: of early releases it
// may have another type, or its name alone.
func (e *editor) tellFrontend(backend string) error {
	services, err := viewOf(e.object)
	if err != nil {
		return err
	}
	front, err := pick(services, backend, roleFrontend)
	if err != nil {
		return err
	}
	e.tell(front, roleFrontend)
	return e.err
}

// dataMap writes the ConfigMap.
func (s Selection) dataMap(namespace string) (string, error) {
	prefill, err := checkArrays(s.PrefillData, "prefill_isl", "prefill_ttft", "prefill_thpt_per_gpu")
	if err != nil {
		return "", fmt.Errorf("the prefill profile: %w", err)
	}
	decode, err := checkArrays(s.DecodeData, "x_kv_usage", "y_context_length", "z_itl", "z_thpt_per_gpu")
	if err != nil {
		return "", fmt.Errorf("the decode profile: %w", err)
	}
	if n := len(prefill) + len(decode); n > largestConfigMap {
		return "", fmt.Errorf("the profile data has %d bytes, and a ConfigMap holds %d: profile with a smaller "+
			"granularity", n, largestConfigMap)
	}
	metadata := mapping(entry{"name", text(s.configMap())})
	if namespace != "" {
		metadata.Content = append(metadata.Content, text("namespace"), text(namespace))
	}
	out, err := encode(mapping(
		entry{"apiVersion", text("v1")},
		entry{"kind", text("ConfigMap")},
		entry{"metadata", metadata},
		entry{"data", mapping(
			entry{"prefill_raw_data.json", text(prefill)},
			entry{"decode_raw_data.json", text(decode)},
		)},
	))
	return out + "\n", err
}

// checkArrays finds profile data that a planner could not read: arrays that are
// missing, or not all as long as the first. It gives the data on one line.
func checkArrays(data []byte, names ...string) (string, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return "", fmt.Errorf("it is no JSON object: %w", err)
	}
	length := -1
	for _, name := range names {
		var values []float64
		if err := json.Unmarshal(all[name], &values); err != nil || len(values) == 0 {
			return "", fmt.Errorf("%s is not a list of numbers", name)
		}
		if length >= 0 && len(values) != length {
			return "", fmt.Errorf("%s has %d values and %s has %d", name, len(values), names[0], length)
		}
		length = len(values)
	}
	out, err := json.Marshal(all)
	return string(out), err
}

// setFlags puts arguments in: a flag that is there already gets the new value,
// in its place.
func (c *commandLine) setFlags(arguments []string) {
	for i := 0; i < len(arguments); i++ {
		flag, value, joined := strings.Cut(arguments[i], "=")
		name := flagName(flag)
		if !joined && name != "" && i+1 < len(arguments) && flagName(arguments[i+1]) == "" {
			i++
			value, joined = arguments[i], true
		}
		switch {
		case name == "":
			c.list = append(c.list, argument{flag, -1})
		case joined && c.has(name):
			c.set(value, name)
		case joined:
			c.list = append(c.list, argument{flag + "=" + value, -1})
		default:
			c.add(name)
		}
	}
}

// join puts parts of a file together, each but the first behind a marker line.
func join(parts []string) []string {
	var out []string
	for i, p := range parts {
		if i > 0 && !marker(p) {
			p = "---\n" + p
		}
		if i+1 < len(parts) && !strings.HasSuffix(p, "\n") {
			p += "\n"
		}
		out = append(out, p)
	}
	return out
}
