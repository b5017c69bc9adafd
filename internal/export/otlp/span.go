package otlp

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"

	"headway/internal/export/tally"
	"headway/metric"
	"headway/record"
)

// span is what a trace says of a request: a copy, since a Record with its chunks is
// large and others hold it.
type span struct {
	run                                  *Run
	index, turn                          int
	warmup                               bool
	session, request, url, finish        string
	planned, start, connect, connected   record.Time
	sent, first, last, done              record.Time
	tokensIn, tokensOut, tokensReasoning int
	outcome                              record.Outcome
	class                                record.Class
	status                               int
}

func spanOf(run *Run, r *record.Record) span {
	c := tally.Counted(r, run.by)
	s := span{run: run, index: r.Index, turn: r.Turn, warmup: r.Warmup, session: r.Session, request: r.RequestID,
		url: r.URL, finish: r.Finish, outcome: r.Outcome, status: r.HTTP.Status}
	s.planned = r.Planned
	s.start = r.Start
	s.connect = r.HTTP.ConnectStart
	s.connected = r.HTTP.ConnectDone
	s.sent = r.Sent
	s.done = r.Done
	s.tokensIn, s.tokensOut, s.tokensReasoning = c.TokensIn, c.TokensOut, c.TokensReasoning
	for _, a := range r.Arrivals {
		if !a.Kind.Text() {
			continue
		}
		if s.first == 0 {
			s.first = a.At
		}
		s.last = a.At
	}
	if metric.Erred(r) {
		s.class = tally.ClassOf(r)
	}
	return s
}

// traces is the message of a batch.
func (e *Exporter) traces(batch []span) *tracepb.TracesData {
	scope := &tracepb.ScopeSpans{Scope: e.scope()}
	for i := range batch {
		scope.Spans = append(scope.Spans, e.spans(&batch[i])...)
	}
	return &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{
		{Resource: e.resource(), ScopeSpans: []*tracepb.ScopeSpans{scope}}}}
}

// spans are those of one request: the whole, and below it its parts, as far as they
// happened.
func (e *Exporter) spans(s *span) []*tracepb.Span {
	id := s.id()
	clock := record.ClockAt(s.run.header.Origin)
	at := func(t record.Time) uint64 { return uint64(clock.Wall(t).UnixNano()) }
	operation := e.operation(s.run.header)
	root := &tracepb.Span{TraceId: id[:16], SpanId: id[16:24], Kind: tracepb.Span_SPAN_KIND_CLIENT,
		Name:              operation[0].Value.GetStringValue() + " " + s.run.header.Model,
		StartTimeUnixNano: at(s.start), EndTimeUnixNano: at(max(s.start, s.done)),
		Attributes: append(operation, s.attributes()...)}
	if s.class != "" {
		root.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: string(s.class)}
	}
	all := []*tracepb.Span{root}
	part := func(name string, from, to record.Time) {
		if !from.Known() || to < from {
			return
		}
		n := binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(id[16:24])+uint64(len(all)))
		all = append(all, &tracepb.Span{TraceId: id[:16], SpanId: n, ParentSpanId: id[16:24], Name: name,
			Kind: tracepb.Span_SPAN_KIND_INTERNAL, StartTimeUnixNano: at(from), EndTimeUnixNano: at(to)})
	}
	part("connect", s.connect, s.connected)
	part("wait for first token", s.sent, s.first)
	part("generate", s.first, s.last)
	return all
}

// id are the ids of a trace and its first span: those of one request are the same
// whoever asks, and different in every run.
func (s *span) id() [sha256.Size]byte {
	return sha256.Sum256([]byte(s.run.header.ID + s.run.header.Origin.String() + "/" + s.request + "/" +
		strconv.FormatBool(s.warmup) + strconv.Itoa(s.index)))
}

func (s *span) attributes() []*commonpb.KeyValue {
	all := append(server(s.url), whole("headway.request.index", s.index), flag("headway.warmup", s.warmup),
		text("headway.outcome", s.outcome.String()), text("headway.run.id", s.run.header.ID),
		flag("gen_ai.request.stream", s.run.header.Streaming))
	for _, a := range []struct{ key, value string }{{"gen_ai.conversation.id", s.session},
		{"headway.request.id", s.request}, {"error.type", string(s.class)}} {
		if a.value != "" {
			all = append(all, text(a.key, a.value))
		}
	}
	if s.finish != "" {
		all = append(all, list("gen_ai.response.finish_reasons", s.finish))
	}
	if s.tokensIn >= 0 {
		all = append(all, whole("gen_ai.usage.input_tokens", s.tokensIn))
	}
	if s.tokensOut >= 0 {
		all = append(all, whole("gen_ai.usage.output_tokens", s.tokensOut+max(0, s.tokensReasoning)))
	}
	if s.status != 0 {
		all = append(all, whole("http.response.status_code", s.status))
	}
	if s.turn > 0 {
		all = append(all, whole("headway.turn", s.turn))
	}
	return append(all, of(s.run.point)...)
}
