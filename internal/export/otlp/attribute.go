package otlp

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"

	commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/slim/otlp/resource/v1"

	"headway/record"
)

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key,
		Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

func whole(key string, value int) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key,
		Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: int64(value)}}}
}

func flag(key string, value bool) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key,
		Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: value}}}
}

func list(key string, values ...string) *commonpb.KeyValue {
	all := &commonpb.ArrayValue{}
	for _, v := range values {
		all.Values = append(all.Values, &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: v}})
	}
	return &commonpb.KeyValue{Key: key,
		Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: all}}}
}

// resource is what everything that is sent is of.
func (e *Exporter) resource() *resourcepb.Resource {
	r := &resourcepb.Resource{}
	for _, key := range slices.Sorted(maps.Keys(e.c.Resource)) {
		r.Attributes = append(r.Attributes, text(key, e.c.Resource[key]))
	}
	return r
}

func (e *Exporter) scope() *commonpb.InstrumentationScope {
	return &commonpb.InstrumentationScope{Name: "headway", Version: e.c.Version}
}

// operation are the attributes of the conventions that all requests of a run share.
func (e *Exporter) operation(h record.Header) []*commonpb.KeyValue {
	name := "chat"
	if h.Endpoint == "completions" {
		name = "text_completion"
	}
	return []*commonpb.KeyValue{text("gen_ai.operation.name", name),
		text("gen_ai.provider.name", cmp.Or(e.c.Provider, "openai")), text("gen_ai.request.model", h.Model)}
}

// of are the attributes of a point of a measurement, such as headway.level.
func of(point map[string]string) []*commonpb.KeyValue {
	all := make([]*commonpb.KeyValue, 0, len(point))
	for _, name := range slices.Sorted(maps.Keys(point)) {
		all = append(all, text("headway."+name, point[name]))
	}
	return all
}

// server are the host and port of an address, which may hold a password.
func server(address string) []*commonpb.KeyValue {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	all := []*commonpb.KeyValue{text("server.address", u.Hostname())}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		port = map[string]int{"http": 80, "https": 443}[u.Scheme]
	}
	return append(all, whole("server.port", port))
}
