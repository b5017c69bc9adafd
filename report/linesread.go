package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"headway/internal/bound"
	"headway/record"
)

// RequestLines is a profile_export.jsonl that is read back, ours or aiperf's, as
// it is or compressed (.zst). Its lines have the figures of each request and few
// of its times; the Records that are made of them have the same figures.
type RequestLines struct {
	Path string
	// Origin is the wall time that Records count from: just before the first
	// request.
	Origin time.Time
	// Streaming says that a reply came as a stream.
	Streaming bool
	// Begin and End are the first start and the last end of a measured request.
	Begin, End record.Time
	// Requests is how many lines were read, Skipped how many could not be, of
	// which Fault is the first.
	Requests, Skipped int
	Fault             error
}

// maxRequestLine bounds a line; one of a million chunks has about 20 MB.
const maxRequestLine = 64 << 20

// OpenLines looks through a file. One without a readable line is an error.
func OpenLines(path string) (*RequestLines, error) {
	l := &RequestLines{Path: path}
	first := int64(math.MaxInt64)
	err := l.each(func(q *requestLine) error {
		l.Requests++
		l.Streaming = l.Streaming || q.has("time_to_first_token")
		for _, at := range []int64{q.Metadata.Issued, q.Metadata.Start} {
			if at > 0 {
				first = min(first, at)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case l.Requests == 0 && l.Fault != nil:
		return nil, fmt.Errorf("reading requests %s: none of %d lines is readable, the first: %w", path, l.Skipped,
			l.Fault)
	case l.Requests == 0 || first == math.MaxInt64:
		return nil, fmt.Errorf("reading requests %s: no request with a time in it, so not a profile_export.jsonl", path)
	}
	l.Origin = time.Unix(0, first-1)
	return l, l.Each(recordFunc(l.span))
}

// span finds where the measured requests begin and end.
func (l *RequestLines) span(r *record.Record) error {
	if r.Warmup {
		return nil
	}
	if begin := max(r.Planned, 0); begin.Known() && (!l.Begin.Known() || begin < l.Begin) {
		l.Begin = begin
	}
	l.End = max(l.End, r.Done)
	return nil
}

type recordFunc func(*record.Record) error

// Take calls the function.
func (f recordFunc) Take(r *record.Record) error { return f(r) }

// Each hands a Record of every line to the sink.
func (l *RequestLines) Each(into record.Sink) error {
	return l.each(func(q *requestLine) error { return into.Take(q.record(l.Origin.UnixNano())) })
}

func (l *RequestLines) each(take func(*requestLine) error) error {
	f, err := bound.Open(l.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(l.Path, Zst) {
		z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxRequestLine))
		if err != nil {
			return fmt.Errorf("reading requests %s: %w", l.Path, err)
		}
		defer z.Close()
		in = z
	}
	l.Skipped, l.Fault = 0, nil
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxRequestLine)
	for n := 1; lines.Scan(); n++ {
		var q requestLine
		err := json.Unmarshal(lines.Bytes(), &q)
		switch {
		case len(strings.TrimSpace(lines.Text())) == 0:
			continue
		case err == nil && q.Metadata.Start <= 0:
			err = fmt.Errorf("no metadata.request_start_ns")
		}
		if err == nil {
			if err := take(&q); err != nil {
				return err
			}
			continue
		}
		if l.Skipped++; l.Fault == nil {
			l.Fault = fmt.Errorf("reading requests %s:%d: %w", l.Path, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading requests %s: %w", l.Path, err)
	}
	return nil
}
