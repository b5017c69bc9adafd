package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// mostTelemetryLine bounds a line of telemetry.jsonl, in bytes.
const mostTelemetryLine = 1 << 20

// TelemetryHead is the first line of telemetry.jsonl.
type TelemetryHead struct {
	// Origin is the wall time of the run's time 0, Interval how often each source was
	// to be read, in seconds.
	Origin   time.Time `json:"origin"`
	Interval float64   `json:"interval_s"`
	Sources  []string  `json:"sources"`
}

// TelemetryLine is another line of it: what a source said of one server, GPU or host,
// why it said nothing, or that the measured phase began or ended.
type TelemetryLine struct {
	// At is in seconds on the run's clock, above 0.
	At float64 `json:"t_s"`
	// Phase is begin or end; a line with it has no source.
	Phase string `json:"phase"`
	// Source is the place of the source in the head; nil without one.
	Source *int               `json:"source"`
	Kind   string             `json:"kind"`
	Engine string             `json:"engine"`
	Of     string             `json:"of"`
	Values map[string]float64 `json:"values"`
	Error  string             `json:"error"`
}

// TelemetryLines reads telemetry.jsonl line by line.
type TelemetryLines struct {
	Head TelemetryHead
	// Skipped is how many lines could not be read so far.
	Skipped int

	in *bufio.Scanner
}

// NewTelemetryLines reads the head; a file without one is an error.
func NewTelemetryLines(r io.Reader) (*TelemetryLines, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 64<<10), mostTelemetryLine)
	var h struct {
		Version int `json:"headway_telemetry"`
		TelemetryHead
	}
	if !in.Scan() || json.Unmarshal(in.Bytes(), &h) != nil || h.Version != 1 {
		return nil, errors.New("reading telemetry: the first line is no head of version 1 of the format")
	}
	return &TelemetryLines{Head: h.TelemetryHead, in: in}, nil
}

// Next is the next line that can be read, io.EOF after the last.
func (t *TelemetryLines) Next() (*TelemetryLine, error) {
	for t.in.Scan() {
		l := &TelemetryLine{}
		if json.Unmarshal(t.in.Bytes(), l) == nil && l.At > 0 && (l.Source == nil || t.knows(*l.Source)) {
			return l, nil
		}
		t.Skipped++
	}
	if err := t.in.Err(); err != nil {
		return nil, fmt.Errorf("reading telemetry: %w", err)
	}
	return nil, io.EOF
}

func (t *TelemetryLines) knows(source int) bool { return source >= 0 && source < len(t.Head.Sources) }
