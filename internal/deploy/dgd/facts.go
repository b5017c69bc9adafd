package dgd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"headway/internal/fault"
)

// Facts are what a deployment says of itself.
type Facts struct {
	// Model is the path or name of the model, Served the name under which it
	// answers.
	Model, Served string
	// Frontend, Prefill and Decode are the services' names; Prefill is empty in
	// a [Document.Candidate], and where one worker does both, which is Decode.
	Frontend, Prefill, Decode string
	// Service is the Kubernetes service in front, and Port where it listens.
	Service string
	Port    int
	// Image is the frontend's.
	Image string
	// Services are all services' names.
	Services []string
}

// DefaultPort is where a frontend listens that does not say otherwise.
const DefaultPort = 8000

// Facts reads them; the error has all faults. A model that the decode worker
// does not name, or whose name only a shell knows, is one.
func (d *Document) Facts(backend string) (Facts, error) {
	eng, err := engineOf(backend)
	if err != nil {
		return Facts{}, err
	}
	services, err := d.view()
	if err != nil {
		return Facts{}, err
	}
	f := Facts{Port: DefaultPort}
	var faults []error
	for _, s := range services {
		f.Services = append(f.Services, s.name)
	}
	object := d.objects[d.at]
	front, err := pick(services, backend, roleFrontend)
	if err != nil {
		faults = append(faults, err)
	} else {
		f.Frontend, f.Service = front.name, d.Name()+"-"+strings.ToLower(front.name)
		image, _ := lookup(object, front.main.plus("image"))
		f.Image, _ = image.(string)
		f.Port, err = frontendPort(object, front)
		faults = append(faults, err)
	}
	if s, err := pick(services, backend, rolePrefill); err == nil {
		f.Prefill = s.name
	}
	worker, err := pick(services, backend, roleDecode)
	if one, ok := alone(object, services); ok && err != nil {
		worker, err = one, nil
	}
	if err != nil {
		faults = append(faults, err)
	} else {
		f.Decode = worker.name
		f.Model, f.Served, err = modelOf(object, worker, eng)
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return Facts{}, fmt.Errorf("reading the %s %q:\n%w", Kind, d.Name(), err)
	}
	return f, nil
}

func frontendPort(object map[string]any, s service) (int, error) {
	c, err := readCommandLine(object, s.main)
	if err != nil {
		return 0, err
	}
	v, ok := c.value("--http-port")
	if !ok {
		return DefaultPort, nil
	}
	port, err := strconv.Atoi(v)
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("%s: --http-port %q is no port", s.main, v)
	}
	return port, nil
}

// modelOf reads a worker's model and the name under which it is served.
func modelOf(object map[string]any, s service, eng engine) (name, served string, err error) {
	c, err := readCommandLine(object, s.main)
	if err != nil {
		return "", "", err
	}
	name, ok := c.value(eng.modelFlag())
	if !ok || name == "" {
		return "", "", fmt.Errorf("%s has no %s: write the model's path or name", s.main, eng.modelFlag())
	}
	if served, ok = c.value("--served-model-name"); !ok || served == "" {
		served = name
	}
	for _, v := range []string{name, served} {
		if strings.ContainsAny(v, "$`") {
			return "", "", fault.New("%s: the model %q is only known to the shell that runs there: write its "+
				"name, or give %s", s.main, v, fault.Field("model"))
		}
	}
	return name, served, nil
}
