// Package parquet writes the requests of a run as a Parquet table. It is apart from
// package report so that whoever only wants figures does not link a Parquet library.
package parquet

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"headway/metric"
	"headway/record"
	"headway/report"
)

// Table writes records.parquet, a row for every planned request: what
// profile_export.jsonl says of it under the same names, a column a metric; what
// became of it; and the time of every chunk with text. It is a record.Sink; the
// file is readable once the Table is closed. A row group ends at 20,000
// requests or a million chunks, so that memory does not grow with the run.
type Table struct {
	w       *parquet.GenericWriter[any]
	o       report.LineOptions
	columns []tableColumn
	row     parquet.Row
	rows    int // of the row group that is being written
	chunks  int
	err     error
}

// The size of a row group.
const (
	groupRows   = 20_000
	groupChunks = 1_000_000
)

// tableRow is what is known of the request that is being written.
type tableRow struct {
	r        *record.Record
	metadata map[string]any
	values   map[string]float64
	offsets  []int64
	failure  record.Failure
}

// tableColumn is a column that can be null, or a list.
type tableColumn struct {
	name string
	node parquet.Node
	// value is a whole number, a float64, a string or a bool; nil where there
	// is none.
	value func(*tableRow) any
	// list gives the elements of a list instead.
	list func(row *tableRow, add func(int64))
}

// NewTable begins the file. The connection's times (o.Trace) are not in it.
func NewTable(w io.Writer, o report.LineOptions) *Table {
	t := &Table{o: o}
	t.columns = slices.Concat(metadataColumns(), outcomeColumns(o.Secrets), toldColumns(), metricColumns(),
		chunkColumns())
	group := parquet.Group{}
	for _, c := range t.columns {
		if c.list != nil {
			group[c.name] = parquet.List(parquet.Encoded(c.node, &parquet.DeltaBinaryPacked))
		} else {
			group[c.name] = parquet.Optional(c.node)
		}
	}
	order := slices.Sorted(maps.Keys(group)) // that of the columns in the file
	slices.SortFunc(t.columns, func(a, b tableColumn) int {
		return slices.Index(order, a.name) - slices.Index(order,
			b.name)
	})
	t.w = parquet.NewGenericWriter[any](w, parquet.NewSchema("request", group), parquet.Compression(&zstd.Codec{}),
		parquet.CreatedBy("headway", "", ""))
	return t
}

// metadataColumns are the metadata of profile_export.jsonl.
func metadataColumns() []tableColumn {
	var list []tableColumn
	add := func(node parquet.Node, names ...string) {
		for _, name := range names {
			list = append(list, tableColumn{name: name, node: node,
				value: func(row *tableRow) any { return row.metadata[name] }})
		}
	}
	add(parquet.Int(64), "session_num", "turn_index", "credit_issued_ns", "request_start_ns", "request_ack_ns",
		"request_end_ns", "cancellation_time_ns")
	add(parquet.String(), "x_request_id", "x_correlation_id", "conversation_id", "benchmark_phase")
	add(parquet.Leaf(parquet.BooleanType), "was_cancelled")
	return list
}

// outcomeColumns say what became of the request.
func outcomeColumns(secrets report.Redactor) []tableColumn {
	text := func(name string, of func(*tableRow) string) tableColumn {
		return tableColumn{name: name, node: parquet.String(), value: func(row *tableRow) any {
			if s := secrets.Text(of(row)); s != "" {
				return s
			}
			return nil
		}}
	}
	return []tableColumn{
		text("outcome", func(row *tableRow) string { return row.r.Outcome.String() }),
		text("url", func(row *tableRow) string { return row.r.URL }),
		text("worker", func(row *tableRow) string { return row.r.Worker }),
		text("prefill_worker", func(row *tableRow) string { return toldOf(row.r).PrefillWorker }),
		text("error_class", func(row *tableRow) string { return string(row.failure.Class) }),
		text("error_type", func(row *tableRow) string { return row.failure.Type }),
		text("error_message", func(row *tableRow) string { return row.failure.Message }),
		{name: "error_code", node: parquet.Int(64), value: func(row *tableRow) any {
			if row.failure.Code == 0 {
				return nil
			}
			return row.failure.Code
		}},
	}
}

// metricColumns are the metrics of single requests, in the unit that is shown.
func metricColumns() []tableColumn {
	var list []tableColumn
	for _, m := range metric.All() {
		if m.Kind != metric.PerRecord || m.Group == metric.GroupAdjusted {
			continue
		}
		list = append(list, tableColumn{name: m.Tag, node: parquet.Leaf(parquet.DoubleType),
			value: func(row *tableRow) any {
				if v, ok := row.values[m.Tag]; ok {
					return v
				}
				return nil
			}})
	}
	return list
}

// chunkColumns are lists with an element for each chunk with text, as it was
// measured: a rule for chunks that were read together does not touch them.
func chunkColumns() []tableColumn {
	texts := func(row *tableRow, add func(a *record.Arrival)) {
		if row.offsets == nil {
			return
		}
		for i := range row.r.Arrivals {
			if a := &row.r.Arrivals[i]; a.Kind.Text() {
				add(a)
			}
		}
	}
	flag := func(set bool) int64 {
		if set {
			return 1
		}
		return 0
	}
	return []tableColumn{
		{name: "chunk_offset_ns", node: parquet.Int(64), list: func(row *tableRow, add func(int64)) {
			for _, at := range row.offsets {
				add(at)
			}
		}},
		{name: "chunk_tokens", node: parquet.Int(64), list: func(row *tableRow, add func(int64)) {
			texts(row, func(a *record.Arrival) { add(int64(a.Tokens)) })
		}},
		{name: "chunk_read_together", node: parquet.Int(64), list: func(row *tableRow, add func(int64)) {
			texts(row, func(a *record.Arrival) { add(flag(a.Coalesced)) })
		}},
	}
}

// Take writes the row of one Record. After an error every later call gives the
// same.
func (t *Table) Take(r *record.Record) error {
	if t.err != nil {
		return t.err
	}
	row := tableRow{r: r, offsets: metric.Offsets(r)}
	row.metadata, row.values = t.o.Request(r)
	row.failure, _ = metric.FailureOf(r)
	t.row = t.row[:0]
	for i, c := range t.columns {
		if c.list == nil {
			t.row = append(t.row, cellOf(c.value(&row), i))
			continue
		}
		n := 0
		c.list(&row, func(v int64) {
			t.row = append(t.row, parquet.ValueOf(v).Level(min(n, 1), 1, i))
			n++
		})
		if n == 0 {
			t.row = append(t.row, parquet.NullValue().Level(0, 0, i))
		}
	}
	_, err := t.w.WriteRows([]parquet.Row{t.row})
	t.rows, t.chunks = t.rows+1, t.chunks+len(row.offsets)
	if err == nil && (t.rows >= groupRows || t.chunks >= groupChunks) {
		err = t.w.Flush()
		t.rows, t.chunks = 0, 0
	}
	return t.keep(err)
}

// cellOf is a value of an optional column.
func cellOf(v any, column int) parquet.Value {
	if v == nil {
		return parquet.NullValue().Level(0, 0, column)
	}
	return parquet.ValueOf(v).Level(0, 1, column)
}

// Close writes what is left and the file's end; what it was written to stays
// the caller's.
func (t *Table) Close() error {
	if t.err != nil {
		return t.err
	}
	return t.keep(t.w.Close())
}

func (t *Table) keep(err error) error {
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("writing the table of requests: %w", err)
	}
	return t.err
}
