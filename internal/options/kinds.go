package options

import "reflect"

// NamesOfLoad are the options that say what is sent and when: of two measurements
// that differ in one of them the figures are of different loads. How long a
// measurement takes, and what is drawn for it, is not among them. Files kept the names
// of the options.
func NamesOfLoad() map[string]bool {
	all := map[string]bool{"isl": true, "isl-stddev": true, "std": true, "osl": true, "osl-stddev": true,
		"streaming": true, "ignore-eos": true, "trace": true}
	for _, of := range []any{Prompts{}, Load{}, PrefixRatio{}, Conversations{}, Tiers{}, Trace{}} {
		eachName(reflect.TypeOf(of), func(name string, tag reflect.StructTag) {
			if _, apart := tag.Lookup("apart"); !apart {
				all[name] = true
			}
		})
	}
	eachName(reflect.TypeFor[Warmup](), func(name string, _ reflect.StructTag) { delete(all, name) })
	for _, name := range []string{"request-count", "requests", "num-requests", "benchmark-duration",
		"benchmark-grace-period", "failed-request-threshold", "conversation-num", "random-seed", "lenient"} {
		delete(all, name)
	}
	return all
}

// NamesApart are the options that change no measurement, by their tag.
func NamesApart() map[string]bool {
	all := map[string]bool{"artifact-dir": true, "profile-export-prefix": true}
	for _, of := range []any{OneRun{}, Bench{}, Replay{}, Comparison{}} {
		eachName(reflect.TypeOf(of), func(name string, tag reflect.StructTag) {
			if _, apart := tag.Lookup("apart"); apart {
				all[name] = true
			}
		})
	}
	return all
}

// eachName calls with the name of every option of a struct and of those embedded in it.
func eachName(t reflect.Type, call func(name string, tag reflect.StructTag)) {
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get("name"); name != "" {
			call(name, f.Tag)
		} else if f.Anonymous && f.Type.Kind() == reflect.Struct {
			eachName(f.Type, call)
		}
	}
}
