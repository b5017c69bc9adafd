package endpoint

import (
	"encoding/json"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"headway/internal/fault"
	"headway/internal/openai"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Header is what results say of the endpoint and of this machine: model, address without
// secrets, tokenizer. What a run adds (its ID, its load) is not set.
func (e *Endpoint) Header() record.Header {
	h := record.Header{Model: e.model, URL: e.Secrets().Text(strings.Join(e.client.URLs, ",")), Endpoint: e.client.Type}
	h.Streaming, h.ServerCount = e.client.Streaming, e.client.UseServerTokenCount
	h.Tokenizer = e.tokens.Info
	h.Machine = record.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()}
	return h
}

// Warnings are what a reader of the results must know of the endpoint: that another
// tokenizer than the model's counts, that requests go through a proxy.
func (e *Endpoint) Warnings() []record.Warning { return slices.Clone(e.warnings) }

// Streaming reports whether replies are asked for as streams.
func (e *Endpoint) Streaming() bool { return e.client.Streaming }

// Secrets takes the key, the headers and the passwords of addresses out of results; see
// report.Report.
func (e *Endpoint) Secrets() report.Redactor { return report.Redactor{Redactor: e.client.Secrets()} }

// Body is the exact body of a request that has text, for a file of what was sent.
func (e *Endpoint) Body(r workload.Request) (json.RawMessage, error) {
	return openai.Body(e.client, r, nil)
}

// Advice says in a sentence or two what can be done about a failure, "" where there is
// nothing to say.
func (e *Endpoint) Advice(f record.Failure) string {
	return flag.ReplaceAllStringFunc(openai.Advice(f, e.client.Address()), func(option string) string {
		return fieldName(fault.Field(strings.TrimPrefix(option, "--")))
	})
}

// flag is an option of the command line in a text.
var flag = regexp.MustCompile(`--[a-z][a-z0-9-]*`)
