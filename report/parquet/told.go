package parquet

import (
	"github.com/parquet-go/parquet-go"

	"headway/record"
)

// toldOf is what a server said of a request; nothing where it said nothing.
func toldOf(r *record.Record) record.Told {
	if r.Told == nil {
		return record.Told{}
	}
	return *r.Told
}

// toldColumns are what a server said of a request, but for its workers and the
// durations that are metrics.
func toldColumns() []tableColumn {
	whole := func(name string, of func(record.Told) *int) tableColumn {
		return tableColumn{name: name, node: parquet.Int(64), value: func(row *tableRow) any {
			if n := of(toldOf(row.r)); n != nil {
				return *n
			}
			return nil
		}}
	}
	return []tableColumn{
		whole("prefill_dp_rank", func(t record.Told) *int { return t.PrefillRank }),
		whole("decode_dp_rank", func(t record.Told) *int { return t.DecodeRank }),
		whole("router_queue_depth", func(t record.Told) *int { return t.Queued }),
		{name: "server_received_unix_ms", node: parquet.Int(64), value: func(row *tableRow) any {
			if at := toldOf(row.r).Received; at != 0 {
				return at
			}
			return nil
		}},
	}
}
