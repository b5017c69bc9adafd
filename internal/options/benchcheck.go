package options

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"headway/internal/fault"
)

// Simulated says that no endpoint is given.
func (b *Bench) Simulated() bool { return b.Endpoints() == 0 }

// Endpoints is how many are given.
func (b *Bench) Endpoints() int { return max(len(b.URLs), b.Forwarded) }

// Defaults fills in what was not given; a simulated endpoint has shorter
// lengths, so that a first try takes less than a minute.
func (b *Bench) Defaults(now time.Time) {
	isl, sd, osl := 2000.0, 10.0, 256.0
	if b.Simulated() {
		isl, sd, osl = 512, 0, 64
		if len(b.Model) == 0 {
			b.Model = []string{"simulated"}
		}
	}
	b.ISL, b.Std, b.OSL = Or(b.ISL, Given(isl)), Or(b.Std, Given(sd)), Or(b.OSL, Given(osl))
	if len(b.Names) == 0 {
		name := "run-" + now.Format("20060102-150405")
		if b.Simulated() {
			name = "simulated-" + now.Format("20060102-150405")
		}
		for i := range max(1, b.Endpoints()) {
			if i > 0 {
				b.Names = append(b.Names, fmt.Sprintf("%s-%d", name, i+1))
				continue
			}
			b.Names = append(b.Names, name)
		}
	}
}

var benchmarkName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// Validate lists every fault, and returns the addresses of the endpoints. Those
// of port-forwards are not known yet: there is a place for each. bad are faults
// that are known.
func (b *Bench) Validate(a Caller, bad fault.List) ([]string, error) {
	b.checkNames(&bad)
	urls, err := b.urls(a)
	if err != nil {
		bad = append(bad, err)
	}
	for range b.Forwarded { // their addresses come when all else is right
		urls = append(urls, "http://127.0.0.1")
	}
	b.checkLevels(&bad)
	bad.Positive("osl", b.OSL.Value)
	if b.Resume && b.Overwrite {
		bad.Add("%s and %s: give one of them", fault.Field("resume"), fault.Field("overwrite"))
	}
	if b.PerSlot.Set {
		bad.Positive("requests-per-slot", float64(b.PerSlot.Value))
		if b.Count.Set {
			bad.Add("%s and %s: give one of them", fault.Field("request-count"), fault.Field("requests-per-slot"))
		}
	}
	bad.NotNegative("warmup-request-count", float64(b.Warmup.Value))
	b.Until.check(&b.Output, a.Given, &bad)
	if _, err := b.Goals(); err != nil {
		bad = append(bad, err)
	}
	b.Audit.Faults(&bad)
	b.Telemetry.Faults(&bad)
	b.Exports.Faults(a, &bad)
	b.Web.Faults(&bad)
	b.Connect.Faults(&bad)
	client := urls
	if len(client) == 0 {
		client = []string{"http://127.0.0.1"}
	}
	if _, err := b.Client(a, client, b.Streaming); err != nil {
		bad = append(bad, err)
	}
	p := b.Plan(1)
	p.Given = a.Given
	if faults := p.Faults(); len(faults) > 0 {
		bad = append(bad, faults...)
	} else if err := p.Rehearse(); err != nil {
		bad = append(bad, err)
	}
	if err := bad.Usage(); err != nil {
		return nil, err
	}
	return urls, nil
}

func (b *Bench) checkNames(bad *fault.List) {
	for i, n := range b.Names {
		switch {
		case !benchmarkName.MatchString(n):
			bad.Add("%s %q: letters, digits, - and _ only", fault.Field("benchmark-name"), n)
		case strings.EqualFold(n, "plots"):
			bad.Add("%s %s: the name is taken by the folder of pictures", fault.Field("benchmark-name"), n)
		case slices.Contains(b.Names[:i], n):
			bad.Add("%s %q: given twice", fault.Field("benchmark-name"), n)
		case slices.ContainsFunc(b.Names[:i], func(other string) bool { return strings.EqualFold(other, n) }):
			bad.Add("%s %q: another name differs in case only, and some file systems make one folder of both",
				fault.Field("benchmark-name"), n)
		}
	}
	if len(b.Names) != max(1, b.Endpoints()) {
		bad.Add("%d %s for %d %s: give one name for each endpoint", len(b.Names), fault.Field("benchmark-name"),
			max(1, b.Endpoints()), fault.Field("endpoint-url"))
	}
}

func (b *Bench) checkLevels(bad *fault.List) {
	for i, n := range b.Levels {
		if n <= 0 {
			bad.Add("%s %d: must be above zero", fault.Field("concurrencies"), n)
		}
		if slices.Contains(b.Levels[:i], n) {
			bad.Add("%s: level %d is given twice", fault.Field("concurrencies"), n)
		}
	}
	if len(b.Levels) > 0 {
		Connections(bad, "concurrencies", slices.Max(b.Levels))
	}
}

// urls checks the endpoints. Inside a cluster a bare service:port is enough;
// outside one the scheme has to be said.
func (b *Bench) urls(a Caller) ([]string, error) {
	var bad fault.List
	var urls []string
	for _, u := range b.URLs {
		if !strings.Contains(u, "://") {
			if a.Getenv("KUBERNETES_SERVICE_HOST") == "" {
				bad.Add("%s %s: has no scheme; write http://%s", fault.Field("endpoint-url"), u, u)
				continue
			}
			scheme := a.Getenv("SERVICE_PROTOCOL")
			if scheme == "" {
				scheme = "http"
			}
			u = scheme + "://" + u
		}
		urls = append(urls, u)
	}
	return urls, bad.Usage()
}

// Plan is the load of one level.
func (b *Bench) Plan(level int) *Plan {
	p := &Plan{ISL: b.ISL.Value, ISLSD: b.Std.Value, OSL: b.OSL.Value, Streaming: b.Streaming}
	p.Concurrency = Given(level)
	p.Count = Given(b.count(level))
	p.WarmCount = b.Warmup.Value
	p.Entries = b.Entries
	p.NumPrefix = b.PrefixCount
	p.PrefixLength = b.PrefixLen
	p.Handover, p.KeepUp, p.Settle = true, true, !b.Warmup.Set
	p.Pattern = "poisson"
	p.Speedup = 1
	p.DelayRatio = 1
	p.BatchSize = 1
	p.Grace, p.WarmGrace = Seconds(30*time.Second), -1
	return p
}

// count is how many requests are measured at a level.
func (b *Bench) count(level int) int {
	switch {
	case b.Count.Set:
		return b.Count.Value
	case b.PerSlot.Set:
		return max(LeastPerLevel, b.PerSlot.Value*level)
	}
	return DefaultCount(level)
}
