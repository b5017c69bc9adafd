package llmd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/report/llmd"
)

// A run becomes the report that llm-d's tools read.
func ExampleWrite() {
	c := metric.NewCollector(metric.Options{Clock: record.ClockAt(time.Unix(0, 0))})
	if err := c.Take(&record.Record{Start: 1, Done: 1_000_000, Outcome: record.Failed}); err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	run := record.Run{Header: record.Header{Version: "0.1.0", ID: "a"},
		Trailer: record.Trailer{Begin: 1, End: 1_000_000}}
	if err := llmd.Write(&file, &report.Report{Run: run, Result: c.Result()}); err != nil {
		log.Fatal(err)
	}
	var read struct{ Version string }
	if err := json.Unmarshal(file.Bytes(), &read); err != nil {
		log.Fatal(err)
	}
	fmt.Println("Benchmark Report", read.Version)
	// Output:
	// Benchmark Report 0.2
}
