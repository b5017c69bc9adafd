package compare

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"headway/internal/options"
	"headway/internal/settings"
	"headway/record"
	"headway/report"
)

// Difference is a setting in which two sides differ.
type Difference struct {
	Name string   `json:"name"`
	A    []string `json:"a"` // the values of that side's runs, in order
	B    []string `json:"b"`
}

// String is the setting with both values.
func (d Difference) String() string {
	return fmt.Sprintf("%s: %s → %s", d.Name, valuesText(d.A), valuesText(d.B))
}

func valuesText(all []string) string {
	if len(all) == 0 {
		return "not set"
	}
	const most = 3
	if len(all) > most {
		return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", len(all)-most)
	}
	return strings.Join(all, ", ")
}

// Names of options by what they mean here, which do not change while the program runs.
var (
	namesOfLoad = sync.OnceValue(options.NamesOfLoad)
	namesApart  = sync.OnceValue(options.NamesApart)
)

// spelled are options that have one meaning under several names.
var spelled = map[string]string{"std": "isl-stddev", "trace": "input-file", "input-dataset": "input-file"}

// inHeader are options whose meaning the header has, after defaults.
var inHeader = []string{"model", "url", "urls", "endpoint-url", "endpoint-type", "num-gpus", "concurrency",
	"concurrencies", "request-rate", "streaming", "random-seed", "seed", "token-count", "simulated", "arrival-pattern"}

// settingsOf are the settings of a run: those that say what was sent, and the others
// that may change a figure.
func settingsOf(h record.Header) (load, others map[string]string) {
	load = map[string]string{
		"concurrency": strconv.Itoa(h.Concurrency),
		"streaming":   strconv.FormatBool(h.Streaming),
	}
	if len(h.Config) > 0 { // lines of aiperf do not tell
		load["arrivals"] = h.Arrivals
	}
	if h.Rate > 0 {
		load["request rate"] = fmt.Sprintf("%g/s", h.Rate)
	}
	others = map[string]string{"model": h.Model, "endpoint type": h.Endpoint, "headway": h.Version,
		"tokens counted by": h.TokenCount, "tokenizer": h.Tokenizer.Name}
	if !h.Simulated {
		others["url"] = h.URL // a simulated one has whatever port was free
	}
	if h.NumGPUs > 0 {
		others["GPUs"] = strconv.Itoa(h.NumGPUs)
	}
	if h.Machine.CPUs > 0 {
		others["client"] = fmt.Sprintf("%s/%s, %d CPUs", h.Machine.OS, h.Machine.Arch, h.Machine.CPUs)
	}
	kept, err := settings.Read(h.Config)
	if err != nil {
		return load, others // aiperf's lines have no settings
	}
	for name, value := range kept {
		if slices.Contains(inHeader, name) || namesApart()[name] {
			continue
		}
		if namesOfLoad()[name] {
			if full := spelled[name]; full != "" {
				name = full
			}
			if value = plainValue(value); value != "" || load[name] == "" {
				load[name] = value
			}
			continue
		}
		others[name] = plainValue(value)
	}
	if f := load["input-file"]; f != "" {
		load["input-file"] = filepath.Base(f)
	}
	return load, others
}

// plainValue is a setting's value, empty where it is as if it were not there.
func plainValue(v string) string {
	switch v {
	case "null", "[]", "{}", "false", "0":
		return ""
	}
	return v
}

// unlike are the names of settings that both have and that differ.
func unlike(a, b map[string]string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if v, both := b[name]; both && v != a[name] {
			names = append(names, name)
		}
	}
	return names
}

// differing are the settings in which the runs of two sides differ, whatever they are:
// a value that only one side has, or that varies within a side.
func differing(a, b []run) (between []Difference, within []string) {
	names := map[string]bool{}
	for _, r := range slices.Concat(a, b) {
		for name := range r.others {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		d := Difference{Name: name, A: valuesOf(a, name), B: valuesOf(b, name)}
		if !slices.Equal(d.A, d.B) {
			between = append(between, d)
		} else if len(d.A) > 1 {
			within = append(within, name+": "+valuesText(d.A))
		}
	}
	return between, within
}

// valuesOf are the different values of a setting over runs, in order.
func valuesOf(of []run, name string) (all []string) {
	for _, r := range of {
		if v := r.others[name]; v != "" {
			all = append(all, report.Redactor{}.Text(v))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
