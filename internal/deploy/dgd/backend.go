package dgd

import (
	"errors"
	"fmt"
	"strings"

	"headway/internal/fault"
	"headway/internal/model"
)

// The backends.
const (
	SGLang = "sglang"
	VLLM   = "vllm"
	TRTLLM = "trtllm"
)

// Backends lists them.
func Backends() []string { return []string{SGLang, VLLM, TRTLLM} }

// The phases for which a candidate is made; they are the values of
// profile.Phase.
const (
	PhasePrefill    = "prefill"
	PhaseDecode     = "decode"
	PhaseAggregated = "agg"
)

// PrefillTokens is how many tokens a prefill worker may take in one pass for
// each attention rank, so that prompts up to that length are never cut in
// chunks while they are measured.
const PrefillTokens = 32768

// engine edits the arguments of one backend.
type engine interface {
	// aggregate makes a prefill or decode worker one that takes whole requests.
	aggregate(c *commandLine, phase string, mixture bool) error
	// limit lets a prefill worker take batch requests and so many tokens in one
	// pass, all attention ranks together.
	limit(c *commandLine, batch, tokens, ranks int) error
	// spread applies a mapping over nodes of so many GPUs.
	spread(c *commandLine, m model.Mapping, gpusPerNode int) error
	// bound sets the limits of a worker with so many attention ranks.
	bound(c *commandLine, l Limits, ranks int) error
	// modelFlag is what names the model's path.
	modelFlag() string
}

func engineOf(backend string) (engine, error) {
	switch backend {
	case SGLang:
		return sglang{}, nil
	case VLLM:
		return vllm{}, nil
	case TRTLLM:
		return trtllm{}, nil
	}
	return nil, fmt.Errorf("backend %q is not known: %s are", backend, strings.Join(Backends(), ", "))
}

// runs says which backend a module belongs to; "" for one of no engine.
func runs(module string) string {
	for _, b := range Backends() {
		if rest, ok := strings.CutPrefix(module, "dynamo."+b); ok && (rest == "" || rest[0] == '.') {
			return b
		}
	}
	return ""
}

// Check gives all faults of a deployment that is to be profiled on a backend,
// disaggregated or aggregated: services that are missing or there twice, main containers without a command,
// commands that run another backend.
func (d *Document) Check(backend string) error {
	if _, err := engineOf(backend); err != nil {
		return err
	}
	services, err := d.view()
	if err != nil {
		return err
	}
	var faults []error
	if v, _ := lookup(d.objects[d.at], path{"spec", "backendFramework"}); v != nil && v != backend {
		faults = append(faults,
			fault.New("spec.backendFramework is %v and the backend to profile %s: give %s %v", v, backend,
				fault.Field("backend"), v))
	}
	if _, err := pick(services, backend, roleFrontend); err != nil {
		faults = append(faults, err)
	}
	prefill, decode, err := workers(d.objects[d.at], services, backend)
	faults = append(faults, err)
	for _, s := range []service{prefill, decode} {
		if s.name != "" {
			faults = append(faults, d.checkWorker(s, backend))
		}
		if decode.name == prefill.name {
			break
		}
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("%s %q cannot be profiled with backend %s:\n%w", Kind, d.Name(), backend, err)
	}
	return nil
}

// checkWorker finds what keeps a worker's arguments from being edited.
func (d *Document) checkWorker(s service, backend string) error {
	c, err := readCommandLine(d.objects[d.at], s.main)
	switch {
	case err != nil:
		return err
	case len(c.items) == 0:
		return fmt.Errorf("%s has no command: write what it runs, python3 -m dynamo.%s", s.main, backend)
	case c.module == "":
		return fmt.Errorf("%s does not run a module of Dynamo; it should run python3 -m dynamo.%s", s.main, backend)
	case runs(c.module) != backend:
		return fault.New("%s runs %s, which is not backend %s: give %s, or another %s", s.main, c.module, backend,
			fault.Field("backend"), fault.Field("config"))
	}
	return nil
}
