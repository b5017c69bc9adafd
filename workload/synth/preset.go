package synth

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"headway/internal/fault"
)

// presetFiles are compact models of public traces; `go test ./workload/synth -run
// Presets -update` fits them again.
//
//go:embed presets/*.json
var presetFiles embed.FS

// Presets returns the names of the models that are built in:
//
//   - azure-code: the code completion service of the Azure LLM inference traces
//     2023 (CC-BY; Splitwise, ISCA 2024). It has lengths and times and no prefixes.
//   - mooncake-conversation: the chat service of the Mooncake traces (Apache-2.0;
//     FAST 2025), with shared prefixes in blocks of 512 tokens. Its timestamps are
//     rounded to about three seconds.
func Presets() []string {
	entries, err := presetFiles.ReadDir("presets")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	slices.Sort(names)
	return names
}

// Preset returns a model that is built in.
func Preset(name string) (*Model, error) {
	names := Presets()
	if !slices.Contains(names, name) {
		return nil, fault.New("%s %q: must be one of %s", fault.Field("preset"), name, strings.Join(names, ", "))
	}
	f, err := presetFiles.Open("presets/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("reading preset %s: %w", name, err)
	}
	defer f.Close()
	return ReadModel(f, "preset "+name)
}
