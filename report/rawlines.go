package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"headway/metric"
	"headway/record"
)

// RawLines writes profile_export_raw.jsonl: the body of every request that was
// sent and its reply as they went over the wire, in aiperf's form, while the run
// goes. Secrets that are known are taken out; headers are left out. It is a
// record.Sink, buffered, and not safe for concurrent use. It lets go what it
// wrote, so that whoever keeps the Record does not keep the texts.
type RawLines struct {
	w *bufio.Writer
	l Lines // for the metadata
	e encoder
}

// NewRawLines makes a RawLines that writes to w.
func NewRawLines(w io.Writer, o LineOptions) *RawLines {
	return &RawLines{w: bufio.NewWriterSize(w, 64<<10), l: Lines{o: o, worker: "headway"}}
}

// Take writes the line of one Record.
func (l *RawLines) Take(r *record.Record) error {
	if r.Outcome == record.Dropped {
		return nil
	}
	l.e.b = l.e.b[:0]
	l.e.object(l.line(r))
	l.e.b = append(l.e.b, '\n')
	r.Raw = nil
	if _, err := l.w.Write(l.e.b); err != nil {
		return fmt.Errorf("writing requests and replies: %w", err)
	}
	return nil
}

// Flush hands what is buffered to the file.
func (l *RawLines) Flush() error { return l.w.Flush() }

func (l *RawLines) line(r *record.Record) object {
	secrets := l.l.o.Secrets
	o := object{{"metadata", l.l.metadata(r)}, {"start_perf_ns", int64(r.Start)}}
	if r.Raw != nil {
		o.add("payload", oneLine(secrets.Body(r.Raw.Body)))
	}
	if r.HTTP.Status != 0 {
		o.add("status", r.HTTP.Status)
	}
	o = append(o, field{"responses", l.responses(r)})
	if f, erred := metric.FailureOf(r); erred {
		f.Type, f.Message = secrets.Text(f.Type), secrets.Text(f.Message)
		o.add("error", errorDetails(&f))
	}
	return o
}

// oneLine is JSON without line ends, and what is none as a string: a secret that
// was taken out may have been a number.
func oneLine(body []byte) any {
	var b bytes.Buffer
	if err := json.Compact(&b, body); err != nil {
		return string(body)
	}
	return json.RawMessage(b.Bytes())
}

// clean takes known secrets out of what a server sent. What only looks like one is
// left: the texts of a model would not be as they came.
func (l *RawLines) clean(text string) string {
	return l.l.o.Secrets.Values(string(l.l.o.Secrets.Body([]byte(text))))
}

// responses are the events of a stream, each a list of its fields, or the text of
// another reply. Times are those of the run's monotonic clock.
func (l *RawLines) responses(r *record.Record) []object {
	list := []object{}
	if r.Raw == nil {
		return list
	}
	for _, p := range r.Raw.Parts {
		text := l.clean(string(p.Data))
		if !r.Streamed {
			list = append(list, object{{"perf_ns", int64(p.At)}, {"text", text}})
			continue
		}
		packets := []object{}
		if p.Name != "" {
			packets = append(packets, object{{"name", "event"}, {"value", l.clean(p.Name)}})
		}
		packets = append(packets, object{{"name", "data"}, {"value", text}})
		list = append(list, object{{"perf_ns", int64(p.At)}, {"packets", packets}})
	}
	return list
}
