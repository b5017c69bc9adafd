package parquet

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/report/internal/fixture"
)

func options(t *testing.T, m fixture.Made) report.LineOptions {
	t.Helper()
	return report.LineOptions{Clock: record.ClockAt(fixture.Origin), Metrics: m.Options(t),
		Secrets: report.NewRedactor("hunter22-abc")}
}

// tableOf writes the records of a run.
func tableOf(t *testing.T, m fixture.Made, list []*record.Record) []byte {
	t.Helper()
	var b bytes.Buffer
	table := NewTable(&b, options(t, m))
	for _, r := range list {
		if err := table.Take(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readTable gives the rows by column; lists are []any.
func readTable(t *testing.T, raw []byte) []map[string]any {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	reader := parquet.NewGenericReader[any](f, f.Schema())
	defer reader.Close()
	columns := f.Schema().Columns()
	var all []map[string]any
	rows := make([]parquet.Row, 16)
	for {
		n, err := reader.ReadRows(rows)
		for _, row := range rows[:n] {
			got := map[string]any{}
			for i, v := range row {
				path := columns[v.Column()]
				switch {
				case v.IsNull():
				case len(path) == 1:
					got[path[0]] = goValue(v)
				default:
					list, _ := got[path[0]].([]any)
					got[path[0]] = append(list, goValue(row[i]))
				}
			}
			all = append(all, got)
		}
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func goValue(v parquet.Value) any {
	switch v.Kind() {
	case parquet.Int64:
		return float64(v.Int64())
	case parquet.Double:
		return v.Double()
	case parquet.Boolean:
		return v.Boolean()
	}
	return string(v.ByteArray())
}

// What the table says of a request is what its line says, and the chunks are
// those of the Record.
func TestTableAgreesWithLines(t *testing.T) {
	m := fixture.Made{C: 3, N: 40, Failures: true, Warmup: true, Seed: 5}
	list := m.Records()
	rows := readTable(t, tableOf(t, m, list))
	if len(rows) != len(list) {
		t.Fatalf("%d rows of %d requests", len(rows), len(list))
	}
	for i, r := range list {
		row := rows[i]
		if row["outcome"] != r.Outcome.String() || row["session_num"] != float64(r.Index) {
			t.Fatalf("row %d is %v", i, row)
		}
		var offsets []any
		for _, at := range metric.Offsets(r) {
			offsets = append(offsets, float64(at))
		}
		got, _ := row["chunk_offset_ns"].([]any)
		tokens, _ := row["chunk_tokens"].([]any)
		if !slices.Equal(got, offsets) || len(tokens) != len(offsets) {
			t.Fatalf("row %d has the offsets %v and the tokens %v, want %v", i, got, tokens, offsets)
		}
		var line bytes.Buffer
		l := report.NewLines(&line, options(t, m))
		if err := errors.Join(l.Take(r), l.Flush()); err != nil {
			t.Fatal(err)
		}
		if line.Len() > 0 {
			sameAsLine(t, row, line.Bytes())
		}
	}
}

func sameAsLine(t *testing.T, row map[string]any, raw []byte) {
	t.Helper()
	var line struct {
		Metadata map[string]any
		Metrics  map[string]struct{ Value any }
		Error    *struct {
			Code          float64
			Type, Message string
		}
	}
	if err := json.Unmarshal(raw, &line); err != nil {
		t.Fatal(err)
	}
	for name, v := range line.Metadata {
		// What aiperf's own processes are called, and what follows from other columns.
		if slices.Contains([]string{"worker_id", "record_processor_id", "agent_depth", "phase_name", "phase_kind",
			"profiling_index", "context_overflow_skip", "root_correlation_id"}, name) {
			continue
		}
		if row[name] != v {
			t.Errorf("%s is %v in the table and %v in the line", name, row[name], v)
		}
	}
	for tag, v := range line.Metrics {
		if list, isList := v.Value.([]any); isList {
			if got, _ := row["chunk_offset_ns"].([]any); len(got) != len(list)+1 {
				t.Errorf("%d chunks and %d gaps", len(got), len(list))
			}
		} else if row[tag] != v.Value {
			t.Errorf("%s is %v in the table and %v in the line", tag, row[tag], v.Value)
		}
	}
	if e := line.Error; e != nil && (row["error_type"] != e.Type || row["error_message"] != e.Message ||
		row["error_code"] != e.Code) {
		t.Errorf("the error is %v in the table and %+v in the line", row, e)
	}
	if strings.Contains(string(raw), "hunter22") {
		t.Error("the line has a secret")
	}
}

// A long run has several row groups, so that little of it is in memory.
func TestTableRowGroups(t *testing.T) {
	m := fixture.Made{C: 3, N: 2, Seed: 5}
	r := m.Records()[0]
	long := *r
	long.Arrivals = slices.Repeat(r.Arrivals[:12], 25_000)
	raw := tableOf(t, m, []*record.Record{&long, r, &long, &long, &long, r})
	f, err := parquet.OpenFile(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.RowGroups()); n != 2 || f.NumRows() != 6 {
		t.Errorf("%d row groups, %d rows", n, f.NumRows())
	}
}

// A disk that is full is said once, with what was being written.
func TestTableFault(t *testing.T) {
	m := fixture.Made{C: 3, N: 2, Seed: 5}
	table := NewTable(fullDisk{}, options(t, m))
	r := m.Records()[0]
	var err error
	for i := 0; i <= groupRows && err == nil; i++ {
		err = table.Take(r)
	}
	if err == nil || !strings.HasPrefix(err.Error(), "writing the table of requests: ") ||
		!strings.HasSuffix(err.Error(), "no room") {
		t.Fatal(err)
	}
	if again := table.Take(r); again != err {
		t.Error(again)
	}
	if again := table.Close(); again != err {
		t.Error(again)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no room") }
