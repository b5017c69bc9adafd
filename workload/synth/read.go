package synth

import (
	"fmt"

	"headway/internal/bound"
	"headway/workload"
)

// ReadRows reads a trace as rows: those of Mooncake as they are, those of files of
// lengths (Azure, BurstGPT, spans, logs) without block ids, and of Bailian with those of
// its own blocks. Without Lenient a line that cannot be
// read is an error that names its place.
func ReadRows(path string, o workload.TraceOptions) (*workload.Trace, error) {
	format, err := workload.Detect(path)
	if err != nil {
		return nil, err
	}
	if format == workload.Mooncake {
		return workload.ReadTraceFile(path, o)
	}
	d, err := workload.ReadFile(path, workload.ReadOptions{Format: format, Lenient: o.Lenient})
	if err != nil {
		return nil, err
	}
	rows, err := Rows(d.Requests)
	if err != nil {
		return nil, fmt.Errorf("%s (%s): %w", path, d.Format, err)
	}
	block := o.BlockSize
	if d.BlockSize > 0 { // ids of the format's own blocks, as Bailian's of 16 tokens
		block = d.BlockSize
	}
	return &workload.Trace{Name: path, BlockSize: block, Rows: rows, Skipped: d.Skipped,
		FirstSkip: d.FirstSkip}, nil
}

// ReadModelFile reads a model that was fitted before.
func ReadModelFile(path string) (*Model, error) {
	f, err := bound.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading model: %w", err)
	}
	defer f.Close()
	return ReadModel(f, path)
}
