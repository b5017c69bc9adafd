package dgd

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// apartFlags are those by which engines do one half of a request and hand it over.
var apartFlags = []string{
	"--disaggregation-mode", "--disaggregation-transfer-backend", "--disaggregation-bootstrap-port", "--host",
	transferFlag, "--is-prefill-worker", "--is-decode-worker",
}

// transferFlag says how vLLM hands KV caches over.
const transferFlag = "--kv-transfer-config"

// split makes a prefill and a decode worker of the one worker of an aggregated
// deployment: a copy of it, and both with the arguments by which the backend's
// default deployment takes the halves apart. Another deployment is as it was.
func (d *Document) split(backend string) (*Document, error) {
	services, err := d.view()
	if err != nil {
		return nil, err
	}
	prefill, decode, err := workers(d.objects[d.at], services, backend)
	if err != nil || prefill.name != decode.name {
		return d, err
	}
	name := rolePrefill
	if slices.ContainsFunc(services, func(s service) bool { return strings.EqualFold(s.name, name) }) {
		name = decode.name + "-" + rolePrefill
	}
	next, err := d.edited(func(e *editor) error {
		if err := e.twin(decode, name, len(services)); err != nil {
			return err
		}
		if err := e.apart(backend, rolePrefill, name); err != nil {
			return err
		}
		return e.apart(backend, roleDecode, decode.name)
	})
	if err != nil {
		return nil, fmt.Errorf("making two workers of %s: %w", decode.name, err)
	}
	return next.retold("agg", "disagg")
}

// retold puts what a deployment is into its name where another stood.
func (d *Document) retold(was, is string) (*Document, error) {
	words := strings.Split(d.Name(), "-")
	i := slices.Index(words, was)
	if i < 0 {
		return d, d.checkName(d.Name())
	}
	words[i] = is
	return d.Rename(strings.Join(words, "-"))
}

// twin adds a copy of a service under another name; last is the place behind all
// services.
func (e *editor) twin(s service, name string, last int) error {
	n, err := e.copyOf(s.at)
	if err != nil {
		return err
	}
	if !s.beta {
		e.put(path{"spec", "services", name}, n)
		return e.err
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "name" {
			n.Content[i+1] = text(name)
		}
	}
	e.put(path{"spec", "components", last}, n)
	return e.err
}

// copyOf is a value as it is written, with its comments; where anchors keep it
// from being found, as it is meant.
func (e *editor) copyOf(at path) (node, error) {
	if s, err := parseSource(e.text); err == nil {
		left := 100_000
		if here, depth := s.find(at); depth == len(at) {
			return expand(here.value, &left)
		}
	}
	v, _ := lookup(e.object, at)
	n := &yaml.Node{}
	return n, n.Encode(v)
}

// apart has a worker do one half of a request.
func (e *editor) apart(backend, role, name string) error {
	standard, err := standardArguments(backend, role)
	if err != nil {
		return err
	}
	s, ok := e.service(name)
	if !ok {
		return fmt.Errorf("there is no service %s: %w", name, e.err)
	}
	c, err := readCommandLine(e.object, s.main)
	if err != nil {
		return err
	}
	for i := standard.first; i < len(standard.list); i++ {
		flag := flagName(standard.list[i].value)
		value, n := standard.valueAt(i)
		switch {
		case !slices.Contains(apartFlags, flag) || c.has(flag) && flag != "--disaggregation-mode":
		case n == 1 && value == "":
			c.add(flag)
		default:
			c.set(value, flag)
		}
	}
	if v, ok := standard.value(overrideFlag); ok {
		given, err := readSettings(v)
		if err != nil {
			return err
		}
		if err := override(c, given); err != nil {
			return err
		}
	}
	e.write(s.main, c)
	e.tell(s, role)
	return e.err
}

// standardArguments are those of a worker of the backend's default deployment.
func standardArguments(backend, role string) (*commandLine, error) {
	d, err := readDefault(backend)
	if err != nil {
		return nil, err
	}
	services, err := d.view()
	if err != nil {
		return nil, err
	}
	s, err := pick(services, backend, role)
	if err != nil {
		return nil, err
	}
	return readCommandLine(d.objects[d.at], s.main)
}
