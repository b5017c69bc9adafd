package report

import (
	"bufio"
	"fmt"
	"io"

	"headway/metric"
	"headway/record"
)

// LineOptions say what stands in profile_export.jsonl.
type LineOptions struct {
	// Clock turns the run's times into wall time.
	Clock record.Clock
	// Metrics are the options of the run's Collector, so that a line and the
	// summary agree.
	Metrics metric.Options
	// Trace adds trace_data: the times of the connection and of the exchange.
	Trace   bool
	Secrets Redactor
}

// Lines writes profile_export.jsonl, one line a request that was sent, while
// the run goes. A request that was dropped has no line; headway's own
// records.jsonl has it. It is a record.Sink, buffered, and not safe for
// concurrent use.
type Lines struct {
	w      *bufio.Writer
	o      LineOptions
	e      encoder
	worker string
	err    error
}

// NewLines makes a Lines that writes to w.
func NewLines(w io.Writer, o LineOptions) *Lines {
	return &Lines{w: bufio.NewWriterSize(w, 64<<10), o: o, worker: "headway"}
}

// Take writes the line of one Record.
func (l *Lines) Take(r *record.Record) error {
	if l.err != nil || r.Outcome == record.Dropped {
		return l.err
	}
	l.e.b = l.e.b[:0]
	l.e.object(l.line(r))
	l.e.b = append(l.e.b, '\n')
	_, err := l.w.Write(l.e.b)
	return l.keep(err)
}

// Flush hands what is buffered to the file.
func (l *Lines) Flush() error {
	if l.err != nil {
		return l.err
	}
	return l.keep(l.w.Flush())
}

func (l *Lines) keep(err error) error {
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("writing the lines of requests: %w", err)
	}
	return l.err
}

func (l *Lines) line(r *record.Record) object {
	values := l.o.Metrics.Values(r)
	metrics := object{}
	for _, v := range values {
		metrics.add(v.Tag, object{{"value", lineValue(v)}, {"unit", v.Unit}})
	}
	o := object{{"metadata", l.metadata(r)}, {"metrics", metrics}}
	if l.o.Trace {
		o.add("trace_data", l.trace(r, values))
	}
	if f, erred := metric.FailureOf(r); erred {
		f.Type, f.Message = l.o.Secrets.Text(f.Type), l.o.Secrets.Text(f.Message)
		o.add("error", errorDetails(&f))
	}
	return o
}

// Request is what profile_export.jsonl has of one request, by the names that stand there:
// its metadata, and its figures but for lists, in the unit that is shown.
func (o LineOptions) Request(r *record.Record) (metadata map[string]any, figures map[string]float64) {
	l := Lines{o: o, worker: "headway"}
	metadata, figures = map[string]any{}, map[string]float64{}
	for _, f := range l.metadata(r) {
		metadata[f.key] = f.value
	}
	for _, v := range o.Metrics.Values(r) {
		if v.List == nil {
			figures[v.Tag] = tidy(v.Value)
		}
	}
	return metadata, figures
}

func lineValue(v metric.Value) any {
	switch {
	case v.List != nil:
		list := make([]float64, len(v.List))
		for i, x := range v.List {
			list[i] = tidy(x)
		}
		return list
	case v.Integer:
		return int64(v.Value)
	}
	return tidy(v.Value)
}

func (l *Lines) metadata(r *record.Record) object {
	var o object
	o.add("session_num", r.Index)
	o.add("x_request_id", l.o.Secrets.Values(r.RequestID))
	o.add("x_correlation_id", l.o.Secrets.Values(r.CorrelationID))
	o.add("conversation_id", l.o.Secrets.Values(r.Session))
	o.add("turn_index", r.Turn)
	l.wall(&o, "credit_issued_ns", r.Planned)
	l.wall(&o, "request_start_ns", r.Start)
	l.wall(&o, "request_ack_ns", r.Ack)
	l.wall(&o, "request_end_ns", r.Done)
	o.add("worker_id", l.worker)
	o.add("record_processor_id", l.worker)
	phase := "profiling"
	if r.Warmup {
		phase = "warmup"
	}
	o.add("benchmark_phase", phase)
	if !r.Warmup {
		o.add("profiling_index", 0)
	}
	o.add("phase_name", phase)
	o.add("phase_kind", phase)
	o.add("was_cancelled", r.Outcome == record.Cancelled)
	if r.Outcome == record.Cancelled {
		l.wall(&o, "cancellation_time_ns", r.Done)
	}
	o.add("context_overflow_skip", false)
	o.add("agent_depth", 0)
	o.add("root_correlation_id", l.o.Secrets.Values(r.CorrelationID))
	return o
}

// wall adds a time in nanoseconds since 1970, when it happened.
func (l *Lines) wall(o *object, key string, t record.Time) {
	if t.Known() {
		o.add(key, l.o.Clock.Wall(t).UnixNano())
	}
}

// trace is the exchange on the wire under aiperf's names. The spans at its end
// are the http_req_* metrics in nanoseconds, which only a good reply has.
func (l *Lines) trace(r *record.Record, values []metric.Value) object {
	h := &r.HTTP
	o := object{{"trace_type", "headway"}}
	l.wall(&o, "request_send_start_ns", h.GotConn)
	l.wall(&o, "request_headers_sent_ns", h.HeadersSent)
	l.wall(&o, "request_send_end_ns", r.Sent)
	o.add("request_bytes_total", h.BytesSent)
	if h.Status != 0 {
		o.add("response_status_code", h.Status)
	}
	l.wall(&o, "response_receive_start_ns", h.FirstBody)
	l.wall(&o, "response_headers_received_ns", h.FirstByte)
	o.add("response_chunks_count", h.Chunks)
	o.add("response_bytes_total", h.BytesReceived)
	l.wall(&o, "response_receive_end_ns", h.End)
	l.wall(&o, "dns_lookup_start_ns", h.DNSStart)
	l.wall(&o, "dns_lookup_end_ns", h.DNSDone)
	l.wall(&o, "tcp_connect_start_ns", h.ConnectStart)
	l.wall(&o, "tcp_connect_end_ns", h.ConnectDone)
	l.wall(&o, "tls_handshake_start_ns", h.TLSStart)
	l.wall(&o, "tls_handshake_end_ns", h.TLSDone)
	if h.Reused {
		l.wall(&o, "connection_reused_ns", h.GotConn)
	}
	o.add("remote", h.Remote)
	for _, span := range [...]struct{ tag, key string }{
		{"http_req_sending", "sending_ns"}, {"http_req_waiting", "waiting_ns"},
		{"http_req_receiving", "receiving_ns"}, {"http_req_duration", "duration_ns"},
		{"http_req_blocked", "blocked_ns"}, {"http_req_dns_lookup", "dns_lookup_ns"},
		{"http_req_connecting", "connecting_ns"},
	} {
		for _, v := range values {
			if v.Tag == span.tag {
				o.add(span.key, int64(v.Value*1e6+0.5))
			}
		}
	}
	return o
}
