package sla

import (
	"fmt"
	"io"
	"time"

	"headway/internal/bound"
	"headway/internal/deploy/dgdr"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/settings"
)

// requested is the field of a request.
const requested fault.Field = "dgdr"

// readRequest reads the request that the options name, and gives what it says to
// the options that were not set. Nil is no request. The error has every fault.
func (q Asked) readRequest() (*dgdr.Request, error) {
	if q.DGDR == "" {
		return nil, nil
	}
	data, name, err := q.requestText()
	if err != nil {
		return nil, fault.New("%s: %w", requested, err)
	}
	r, err := dgdr.Read(data)
	if err != nil {
		return nil, faultsOf(name, err)
	}
	var own fault.List
	for _, take := range []func(*dgdr.Request, *fault.List){q.takeValues, q.takeLatency, q.takeWhere, q.takeHardware,
		q.takeImage, q.takeBase, q.takePlanner} {
		take(r, &own)
	}
	if err := own.Err(); err != nil {
		return nil, faultsOf(name, err)
	}
	for _, n := range r.Unused {
		q.Note("warning: %s: %s is not used: %s", name, n.Path, n.Text)
	}
	for _, n := range r.Notes {
		q.Note("note: %s: %s: %s", name, n.Path, n.Text)
	}
	return r, nil
}

// requestText is the text of the request, and what it is called in messages.
func (q Asked) requestText() (data []byte, name string, err error) {
	switch {
	case dgdr.Inline(q.DGDR):
		return []byte(q.DGDR), "the request", nil
	case q.DGDR != "-":
		data, err = bound.ReadFile(q.DGDR, bound.Document, "the request")
		return data, q.DGDR, err
	case q.Stdin == nil:
		return nil, "", fault.New("there is no standard input to read it from")
	}
	data, err = io.ReadAll(io.LimitReader(q.Stdin, int64(bound.Document)+1))
	if err == nil && int64(len(data)) > int64(bound.Document) {
		err = fmt.Errorf("standard input has more than %s", bound.Document)
	}
	return data, "standard input", err
}

// faultsOf are the faults of a request, each with where it was read.
func faultsOf(name string, err error) error {
	if err == nil {
		return nil
	}
	var bad fault.List
	list := []error{err}
	if joined, is := err.(interface{ Unwrap() []error }); is {
		list = joined.Unwrap()
	}
	for _, e := range list {
		bad.Add("%s: %w", name, e)
	}
	return bad.Err()
}

// targets are the options that a request gives values to.
func (q Asked) targets() map[fault.Field]any {
	return map[fault.Field]any{
		"model": &q.Model, "backend": &q.Backend, "dgd-image": &q.Image, "dgd-config": &q.DGD,
		"model-cache-pvc-name": &q.PVC, "model-cache-pvc-path": &q.PVCPath, "model-cache-pvc-mount-path": &q.PVCMount,
		"gpu": &q.GPU, "gpu-memory-gib": &q.GPUMemory, "total-gpus": &q.TotalGPUs, "num-gpus-per-node": &q.PerNode,
		"min-num-gpus-per-engine": &q.MinGPUs, "max-num-gpus-per-engine": &q.MaxGPUs,
		"isl": &q.ISL, "osl": &q.OSL, "ttft": &q.TTFT, "itl": &q.ITL, "max-context-length": &q.MaxContext,
		"request-rate": &q.Rate, "concurrency": &q.InFlight, "search": &q.Method,
		"prefill-interpolation-granularity": &q.PrefillG, "decode-interpolation-granularity": &q.DecodeG,
		"dry-run": &q.DryRun, "output-dir": &q.OutputDir, "namespace": &q.Namespace, "service-name": &q.ServiceName,
	}
}

// rivals are options of which one takes the place of the other.
var rivals = map[fault.Field]fault.Field{"request-rate": "concurrency", "concurrency": "request-rate"}

// takeValues gives options the values of the request. An option that was set keeps
// its own, which is said where the two differ.
func (q Asked) takeValues(r *dgdr.Request, bad *fault.List) {
	targets := q.targets()
	for _, v := range r.Values {
		to, known := targets[v.Option]
		by := v.Option
		if rival := rivals[v.Option]; q.named(rival) {
			by = rival
		}
		switch {
		case !known:
			bad.Add("%s: there is no %s to give it to", v.Path, v.Option)
		case !q.named(by):
			assign(to, v.V)
		case !v.Default && (by != v.Option || valueText(to) != fmt.Sprint(v.V)):
			q.replaced(by, valueText(targets[by]), v.Path, fmt.Sprint(v.V))
		}
	}
}

func (q Asked) named(option fault.Field) bool { return q.Caller.Named[string(option)] }

// replaced says that an option wins over the request.
func (q Asked) replaced(option fault.Field, value, path, instead string) {
	q.Note("%s", fault.Text(q.Name, "note: %s %s takes the place of %s %s", option, value, path, instead))
}

// assign gives an option a value of a request. Times are milliseconds there.
func assign(to, v any) {
	switch to := to.(type) {
	case *string:
		*to = v.(string)
	case *int:
		*to = v.(int)
	case *bool:
		*to = v.(bool)
	case *float64:
		*to = v.(float64)
	case *options.Milliseconds:
		*to = options.Milliseconds(v.(float64) * float64(time.Millisecond))
	}
}

// valueText is the value of an option as a request has it.
func valueText(of any) string {
	switch of := of.(type) {
	case *string:
		return *of
	case *int:
		return fmt.Sprint(*of)
	case *bool:
		return fmt.Sprint(*of)
	case *float64:
		return fmt.Sprint(*of)
	case *options.Milliseconds:
		return fmt.Sprint(float64(*of) / float64(time.Millisecond))
	}
	return ""
}

// takeLatency lets targets of TTFT and ITL that were set take the place of one of
// both together.
func (q Asked) takeLatency(r *dgdr.Request, bad *fault.List) {
	first, between := q.named("ttft"), q.named("itl")
	if r.Latency == 0 || !first && !between {
		return
	}
	bad.When(first != between, "%s and %s: give both, which then take the place of %s",
		fault.Field("ttft"), fault.Field("itl"), r.At("sla.e2eLatency"))
	q.replaced("ttft", valueText(&q.TTFT), r.At("sla.e2eLatency"), fmt.Sprint(r.Latency*1e3))
	r.Latency = 0
}

// requested is the request with the deployment to answer it by. Where engines of a
// cluster are measured they get what the request adds to them.
func (q Asked) requested(r *dgdr.Request, served *Served, bad *fault.List) *Requested {
	if r == nil || served.Document == nil {
		return nil
	}
	made := &Requested{Request: r, Document: served.Document}
	f := r.Final
	f.KVRouter, f.Name = false, ""
	doc, _, err := finished(served.Document, served.Backend, f)
	if err != nil {
		bad.Add("%s: %w", r.At("overrides"), err)
		return made
	}
	if q.On == "kube" {
		served.Document = doc
	}
	if f.Namespace != "" {
		made.Document, err = made.Document.WithNamespace(f.Namespace)
		bad.Join(err)
	}
	return made
}

// withRequest adds to what two calls must have in common what the request does to
// engines that are measured.
func (q Asked) withRequest(set settings.Settings, r *Requested) {
	if r == nil || q.On != "kube" {
		return
	}
	f := r.Final
	set["overrides of the request"] = fmt.Sprint(f.Override, f.Tolerations, f.RuntimeVersion, f.TrustRemoteCode)
}
