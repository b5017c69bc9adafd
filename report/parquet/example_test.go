package parquet_test

import (
	"bytes"
	"fmt"
	"log"
	"time"

	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/report/parquet"
)

// A Table is a sink beside others: a row for each request, for DuckDB or pandas.
func ExampleTable() {
	var file bytes.Buffer
	table := parquet.NewTable(&file, report.LineOptions{Clock: record.ClockAt(time.Unix(0, 0)),
		Metrics: metric.Options{Streaming: true}})
	for i := range 10 {
		if err := table.Take(&record.Record{Index: i, Start: 1, Done: 1_000_000, Outcome: record.OK}); err != nil {
			log.Fatal(err)
		}
	}
	if err := table.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s…%s\n", file.Bytes()[:4], file.Bytes()[file.Len()-4:])
	// Output:
	// PAR1…PAR1
}
