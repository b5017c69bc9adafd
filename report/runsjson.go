package report

import (
	"bytes"
	"encoding/json"
)

// RunsDocument is the JSON of several runs of one load: the document of each, and
// what they give together where there are several.
type RunsDocument struct {
	Runs      []json.RawMessage `json:"runs"`
	Aggregate json.RawMessage   `json:"aggregate,omitempty"`
}

// OfRuns is the JSON of several runs; confidence (0 to 1) is that of the intervals
// over them.
func OfRuns(reports []*Report, confidence float64) (RunsDocument, error) {
	var d RunsDocument
	for _, r := range reports {
		text, err := r.JSON()
		if err != nil {
			return d, err
		}
		d.Runs = append(d.Runs, text)
	}
	if len(reports) < 2 {
		return d, nil
	}
	var b bytes.Buffer
	err := (&Aggregate{Runs: reports, Confidence: confidence}).WriteJSON(&b)
	d.Aggregate = b.Bytes()
	return d, err
}

// JSON is the document of one run, as profile_export_aiperf.json holds it.
func (r *Report) JSON() (json.RawMessage, error) {
	var b bytes.Buffer
	err := r.WriteJSON(&b)
	return b.Bytes(), err
}
