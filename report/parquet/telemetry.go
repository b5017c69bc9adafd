package parquet

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"headway/report"
)

// telemetryRow is a value of a sample, a sample that failed, or a phase.
type telemetryRow struct {
	At     float64   `parquet:"t_s"`
	Time   time.Time `parquet:"time,timestamp(microsecond)"`
	Phase  *string   `parquet:"phase,optional,dict"`
	Source *string   `parquet:"source,optional,dict"`
	Kind   *string   `parquet:"kind,optional,dict"`
	Engine *string   `parquet:"engine,optional,dict"`
	Of     *string   `parquet:"of,optional,dict"`
	Name   *string   `parquet:"name,optional,dict"`
	Value  *float64  `parquet:"value,optional"`
	Error  *string   `parquet:"error,optional,dict"`
}

// Telemetry writes telemetry.parquet of what r holds, a telemetry.jsonl: a row for each
// value of each line, in its order and with its names sorted. It reads line by line. A
// line that cannot be read is left out; the number of these is returned.
func Telemetry(w io.Writer, r io.Reader) (skipped int, err error) {
	lines, err := report.NewTelemetryLines(r)
	if err != nil {
		return 0, err
	}
	out := parquet.NewGenericWriter[telemetryRow](w, parquet.Compression(&zstd.Codec{}),
		parquet.MaxRowsPerRowGroup(groupChunks), parquet.CreatedBy("headway", "", ""),
		parquet.KeyValueMetadata("headway_telemetry", "1"),
		parquet.KeyValueMetadata("origin", lines.Head.Origin.UTC().Format(time.RFC3339Nano)),
		parquet.KeyValueMetadata("interval_s", strconv.FormatFloat(lines.Head.Interval, 'g', -1, 64)))
	var rows []telemetryRow
	for {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			rows = telemetryRows(rows[:0], lines.Head, l)
			_, err = out.Write(rows)
		}
		if err != nil {
			return lines.Skipped, fmt.Errorf("writing the table of telemetry: %w", err)
		}
	}
	if err := out.Close(); err != nil {
		return lines.Skipped, fmt.Errorf("writing the table of telemetry: %w", err)
	}
	return lines.Skipped, nil
}

// telemetryRows adds the rows of a line.
func telemetryRows(rows []telemetryRow, h report.TelemetryHead, l *report.TelemetryLine) []telemetryRow {
	row := telemetryRow{At: l.At, Time: h.Origin.Add(time.Duration(l.At * float64(time.Second))).UTC()}
	row.Phase, row.Kind = said(l.Phase), said(l.Kind)
	row.Engine, row.Of = said(l.Engine), said(l.Of)
	row.Error = said(l.Error)
	if l.Source != nil {
		row.Source = &h.Sources[*l.Source]
	}
	if len(l.Values) == 0 {
		return append(rows, row)
	}
	for _, name := range slices.Sorted(maps.Keys(l.Values)) {
		value := l.Values[name]
		row.Name, row.Value = &name, &value
		rows = append(rows, row)
	}
	return rows
}

// said is a text that may be missing.
func said(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
