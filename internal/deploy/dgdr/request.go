package dgdr

import (
	"headway/internal/fault"
)

// Request is what a DynamoGraphDeploymentRequest asks for.
type Request struct {
	// Name is metadata.name, Version the version of the API; both "" of a bare spec.
	Name, Version string
	// Spec is the path of the specification with a dot behind it, "" of a bare spec.
	Spec string
	// Values are those of options of the search, by the names that the options have,
	// the defaults of the API among them.
	Values []Value
	// Latency is the target of a request from end to end, in seconds, instead of
	// targets of TTFT and ITL; 0 without one.
	Latency float64
	// Measured is the field that asks for engines that are measured, "" where a
	// simulation is asked for; Simulated is the field that asks for that.
	Measured, Simulated string
	// AnyBackend is set where the choice of the engine is left to the search.
	AnyBackend bool
	// Image is that of the profiler, at ImagePath, of which PlannerImage follows;
	// "" without one.
	Image, ImagePath, PlannerImage string
	// Planner asks for a planner, with arguments, at PlannerPath; Mocker for mock
	// engines, and MockerPath is the field that does.
	Planner     bool
	PlannerArgs []string
	PlannerPath string
	Mocker      bool
	MockerPath  string
	// Final is what is done to the deployment in the end.
	Final Final
	// Base is the deployment to start from, where the file holds it; BaseRef is
	// what it is called there.
	Base    []byte
	BaseRef string
	// Links are what the request says of the hardware and what only a simulation
	// has to agree with.
	Interconnect string
	NoRDMA       bool
	// Unused are the fields that nothing was made of, since they do not change the
	// answer; Notes are what was assumed.
	Unused, Notes []Note
}

// Final is what is done to the deployment that the search ends with.
type Final struct {
	// Override is a partial deployment that is merged onto it; nil is none.
	Override map[string]any
	// Tolerations are added to every pod.
	Tolerations []any
	// RuntimeVersion is that of every service, "" leaves it open.
	RuntimeVersion string
	// KVRouter makes the frontend route by what is in caches; TrustRemoteCode lets
	// workers run code of the model's repository.
	KVRouter, TrustRemoteCode bool
	// Name, Namespace, Labels and Annotations are those of the deployment.
	Name, Namespace     string
	Labels, Annotations map[string]any
}

// Value is one that an option gets.
type Value struct {
	Option fault.Field
	// Path is the field that says so; Default that it is the API's default.
	Path    string
	Default bool
	// V is a string, int, float64 or bool. Times are milliseconds, memory is GiB.
	V any
}

// Note is about a field.
type Note struct{ Path, Text string }

// set gives an option a value.
func (r *Request) set(option fault.Field, path string, v any) {
	r.Values = append(r.Values, Value{Option: option, Path: path, V: v})
}

// number gives an option the value of a field above 0, multiplied.
func (r *Request) number(f *fields, name string, option fault.Field, unit string, scale float64) {
	if x, given := f.number(name, unit); given {
		r.set(option, f.where(name), x*scale)
	}
}

// whole gives an option the value of a field.
func (r *Request) whole(f *fields, name string, option fault.Field, least int) {
	if n, given := f.whole(name, least); given {
		r.set(option, f.where(name), n)
	}
}

// text gives an option the value of a field.
func (r *Request) text(f *fields, name string, option fault.Field) {
	if s := f.text(name); s != "" {
		r.set(option, f.where(name), s)
	}
}

// otherwise gives an option the default of the API where no field did.
func (r *Request) otherwise(option fault.Field, path string, v any) {
	for _, x := range r.Values {
		if x.Option == option {
			return
		}
	}
	r.Values = append(r.Values, Value{Option: option, Path: path, V: v, Default: true})
}

func (r *Request) unused(path, why string) { r.Unused = append(r.Unused, Note{path, why}) }
func (r *Request) note(path, text string)  { r.Notes = append(r.Notes, Note{path, text}) }

// At is the path of a field of the specification.
func (r *Request) At(field string) string { return r.Spec + field }

// PathOf is the field that gives an option its value, "" where none does.
func (r *Request) PathOf(option fault.Field) string {
	for _, v := range r.Values {
		if v.Option == option {
			return v.Path
		}
	}
	return ""
}

// Of is the value that an option gets, nil where the request says nothing of it.
func (r *Request) Of(option fault.Field) any {
	for _, v := range r.Values {
		if v.Option == option {
			return v.V
		}
	}
	return nil
}

// Identity is a partial deployment with the name, the labels and the annotations; nil
// without any.
func (f Final) Identity() map[string]any {
	meta := map[string]any{}
	if f.Name != "" {
		meta["name"] = f.Name
	}
	for key, v := range map[string]map[string]any{"labels": f.Labels, "annotations": f.Annotations} {
		if len(v) > 0 {
			meta[key] = v
		}
	}
	if len(meta) == 0 {
		return nil
	}
	return map[string]any{"metadata": meta}
}
