package dgd

import (
	"errors"
	"slices"
)

// workers finds the prefill and the decode worker; both are the one worker of an
// aggregated deployment.
func workers(object map[string]any, services []service, backend string) (prefill, decode service, err error) {
	prefill, missing := pick(services, backend, rolePrefill)
	if missing != nil {
		if one, ok := alone(object, services); ok {
			return one, one, nil
		}
	}
	decode, err = pick(services, backend, roleDecode)
	return prefill, decode, errors.Join(missing, err)
}

// alone is the one worker of an aggregated deployment. A worker that is told to do
// one half of a request is none.
func alone(object map[string]any, services []service) (service, bool) {
	var found []service
	for _, s := range services {
		if s.works(object) {
			found = append(found, s)
		}
	}
	if len(found) != 1 || found[0].role == rolePrefill {
		return service{}, false
	}
	c, err := readCommandLine(object, found[0].main)
	return found[0], err != nil || !c.disaggregated() // a command that cannot be read is a fault of its own
}

// works says whether a service is a worker: by its type, or where it has none by
// what it runs.
func (s service) works(object map[string]any) bool {
	if s.role != "" {
		return slices.Contains([]string{roleWorker, rolePrefill, roleDecode}, s.role)
	}
	c, err := readCommandLine(object, s.main)
	return err == nil && runs(c.module) != ""
}

// disaggregated says whether a worker's arguments have it do one half of a request.
func (c *commandLine) disaggregated() bool {
	mode, _ := c.value("--disaggregation-mode")
	return mode == PhasePrefill || mode == PhaseDecode || c.has("--is-prefill-worker", "--is-decode-worker")
}

// Aggregated says whether the deployment has one worker, which does both halves of
// a request.
func (d *Document) Aggregated(backend string) bool {
	services, err := d.view()
	if err != nil {
		return false
	}
	prefill, decode, err := workers(d.objects[d.at], services, backend)
	return err == nil && prefill.name == decode.name
}
