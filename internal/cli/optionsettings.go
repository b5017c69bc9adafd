package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/alecthomas/kong"

	"headway/internal/settings"
	"headway/record"
	"headway/report"
)

// OptionSettings are the options of a verb as two calls have to have them in
// common, secrets taken out. The tag "apart" of an option says that calls may
// differ in it: it changes no measurement, or what it comes to is compared instead.
// With apart:"records" it changes what is made of the records; calls may differ in
// it where records says that those are read again.
func (a App) OptionSettings(secrets report.Redactor, records bool) (settings.Settings, error) {
	raw, err := a.Options()
	if err != nil {
		return nil, err
	}
	s, err := settings.Read(secrets.JSON(raw))
	if err != nil {
		return nil, fmt.Errorf("describing the options: %w", err)
	}
	maps.DeleteFunc(s, func(name, _ string) bool {
		of, tagged := a.apart[name]
		return tagged && (records || of != "records")
	})
	return s, nil
}

// apart are the tags of the options of a command, and of those above it, that two
// calls need not have in common, by name.
func apart(n *kong.Node) map[string]string {
	all := map[string]string{}
	for _, group := range n.AllFlags(false) {
		for _, f := range group {
			if f.Tag.Has("apart") {
				all[f.Name] = f.Tag.Get("apart")
			}
		}
	}
	return all
}

// Header is what is known of a run before where it goes is: who makes it, how,
// and on what.
func (a App) Header(secrets report.Redactor, seed uint64) (h record.Header, err error) {
	h = record.Header{Version: Version, Seed: seed, AsAiperf: a.AsAiperf,
		Command: secrets.Command("headway", repeating(a.Args[1:])),
		Machine: record.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()}}
	h.Config, err = a.Config(secrets)
	return h, err
}

// repeating are arguments without the option that goes on with an earlier call:
// what they asked for is the same without it.
func repeating(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args),
		func(arg string) bool { return arg == "--resume" || arg == "--resume=true" })
}

// Config are the options of this call as records keep them, without secrets; nil
// where there was no command line.
func (a App) Config(secrets report.Redactor) (json.RawMessage, error) {
	if a.Options == nil {
		return nil, nil
	}
	all, err := a.Options()
	if err != nil {
		return nil, err
	}
	return secrets.JSON(all), nil
}
