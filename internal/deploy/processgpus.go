package deploy

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"headway/internal/fault"
)

// ParseGPUs reads which GPUs of this host may be used: a list of ids (0,1,2 or
// GPU-… as CUDA_VISIBLE_DEVICES takes them), or how many, which are then the
// first that are visible. visible is CUDA_VISIBLE_DEVICES, set whether it is.
// Empty text means all: those visible, else those the driver knows.
func ParseGPUs(text, visible string, set bool) ([]string, error) {
	all := ids(visible)
	if !set {
		all = driverGPUs()
	}
	n, err := strconv.Atoi(text)
	switch {
	case text == "" && len(all) == 0:
		return nil, fault.New("%s: no GPU is known of this host; give ids (0,1,2,3) or how many", fault.Field("gpus"))
	case text == "":
		return all, nil
	case err != nil || strings.Contains(text, ","):
		return checkIDs(text)
	case n < 1:
		return nil, fault.New("%s %d: must be above zero; a single GPU other than the first is given as 3,",
			fault.Field("gpus"), n)
	case len(all) > 0 && n > len(all):
		return nil, fault.New("%s %d: only %d are visible (%s)", fault.Field("gpus"), n, len(all),
			strings.Join(all, ","))
	case len(all) > 0:
		return all[:n], nil
	}
	list := make([]string, n) // hosts without a GPU run simulated engines
	for i := range list {
		list[i] = strconv.Itoa(i)
	}
	return list, nil
}

// GPUsOf is [ParseGPUs] of an environment.
func GPUsOf(text string, lookupenv func(string) (string, bool)) ([]string, error) {
	visible, set := lookupenv("CUDA_VISIBLE_DEVICES")
	return ParseGPUs(text, visible, set)
}

func checkIDs(text string) ([]string, error) {
	list := ids(text)
	for i, id := range list {
		if slices.Contains(list[:i], id) {
			return nil, fault.New("%s %s: %s is given twice", fault.Field("gpus"), text, id)
		}
		if n, err := strconv.Atoi(id); err == nil && n < 0 {
			return nil, fault.New("%s %s: %s is no id of a GPU", fault.Field("gpus"), text, id)
		}
	}
	if len(list) == 0 {
		return nil, fault.New("%s %q: names no GPU", fault.Field("gpus"), text)
	}
	return list, nil
}

func ids(text string) []string {
	var list []string
	for id := range strings.SplitSeq(text, ",") {
		if id = strings.TrimSpace(id); id != "" {
			list = append(list, id)
		}
	}
	return list
}

// driverGPUs are those that NVIDIA's driver lists, in PCI order.
func driverGPUs() []string {
	found, err := os.ReadDir("/proc/driver/nvidia/gpus")
	if err != nil {
		return nil
	}
	list := make([]string, len(found))
	for i := range list {
		list[i] = strconv.Itoa(i)
	}
	return list
}

// gpuPool deals the host's GPUs to candidates that run side by side. Those that
// wait are served in turn, so that one that needs many is not passed for ever
// by those that need few.
type gpuPool struct {
	all     []string
	mu      sync.Mutex
	free    []string
	waiting []*gpuClaim
}

type gpuClaim struct {
	n     int
	given chan []string
}

func newGPUPool(all []string) *gpuPool { return &gpuPool{all: all, free: slices.Clone(all)} }

// take waits for n GPUs, lowest first.
func (p *gpuPool) take(ctx context.Context, n int) ([]string, error) {
	c := &gpuClaim{n, make(chan []string, 1)}
	p.mu.Lock()
	p.waiting = append(p.waiting, c)
	p.deal()
	p.mu.Unlock()
	select {
	case got := <-c.given:
		return got, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting, c); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	} else {
		p.free = append(p.free, <-c.given...)
	}
	p.deal()
	return nil, context.Cause(ctx)
}

// put gives GPUs back.
func (p *gpuPool) put(list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, list...)
	p.deal()
}

func (p *gpuPool) deal() {
	slices.SortFunc(p.free, func(a, b string) int { return slices.Index(p.all, a) - slices.Index(p.all, b) })
	for len(p.waiting) > 0 && p.waiting[0].n <= len(p.free) {
		c := p.waiting[0]
		c.given <- slices.Clone(p.free[:c.n])
		p.free, p.waiting = p.free[c.n:], p.waiting[1:]
	}
}
