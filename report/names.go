package report

import (
	"path/filepath"
	"strings"
)

// Names are the files of one run inside its folder.
type Names struct {
	JSON    string // the figures, aiperf's schema
	CSV     string // the same as a table
	JSONL   string // one line a request
	Console string // the tables as the terminal showed them
	Inputs  string // the request bodies
	Records string // headway's own lossless records
	Table   string // the requests as Parquet
	Raw     string // bodies and replies as they went over the wire
	// Telemetry is what servers, GPUs and hosts said during the run, TelemetryTable the
	// same as Parquet.
	Telemetry, TelemetryTable string

	Page string // everything on one page, HTML
}

// FileNames gives the names for a --profile-export-prefix. The empty prefix
// gives aiperf's default names, the only ones that plot looks for. A suffix
// that the names would bring along is taken off the prefix, as aiperf does.
func FileNames(prefix string) Names {
	n := Names{
		JSON:    "profile_export_aiperf.json",
		CSV:     "profile_export_aiperf.csv",
		JSONL:   "profile_export.jsonl",
		Console: "profile_export_console.txt",
		Inputs:  "inputs.json",
		Records: "records.jsonl",
		Table:   "records.parquet",
		Raw:     "profile_export_raw.jsonl",

		Telemetry:      "telemetry.jsonl",
		TelemetryTable: "telemetry.parquet",
		Page:           "report.html",
	}
	for _, s := range []string{"_console.txt", "_raw.jsonl", "_records.jsonl", "_records.parquet",
		"_telemetry.jsonl", "_telemetry.parquet", ".csv", ".jsonl", ".json"} {
		if p, ok := strings.CutSuffix(prefix, s); ok {
			prefix = p
			break
		}
	}
	if prefix == "" {
		return n
	}
	n.JSON, n.CSV, n.JSONL = prefix+".json", prefix+".csv", prefix+".jsonl"
	n.Console, n.Records, n.Table = prefix+"_console.txt", prefix+"_records.jsonl", prefix+"_records.parquet"
	n.Raw = prefix + "_raw.jsonl"
	n.Telemetry, n.TelemetryTable = prefix+"_telemetry.jsonl", prefix+"_telemetry.parquet"
	n.Page = prefix + "_report.html"
	return n
}

func join(dir, name string) string { return filepath.Join(dir, name) }
