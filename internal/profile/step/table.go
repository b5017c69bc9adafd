package step

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"

	"headway/internal/bound"
)

// Row is a point in the table of a profile's points, by the names of the columns.
type Row map[string]string

// ReadTable reads the table of the points of a phase (prefill or decode), which a
// profile leaves in dir. It wraps [fs.ErrNotExist] where there is none.
func ReadTable(dir, phase string) ([]Row, error) {
	path := filepath.Join(dir, phase+"_points.csv")
	data, err := bound.ReadFile(path, bound.Document, "the points")
	if err != nil {
		return nil, err
	}
	all, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading the points %s: %w", path, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("reading the points %s: the file is empty", path)
	}
	var rows []Row
	for _, cells := range all[1:] {
		row := Row{}
		for i, name := range all[0] {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Number is that of a column, 0 where there is none.
func (r Row) Number(column string) float64 {
	v, _ := strconv.ParseFloat(r[column], 64) // our own file; 0 is as good as any other
	return v
}

// Count is Number as a whole number.
func (r Row) Count(column string) int { return int(r.Number(column)) }

// Failed says whether the point could not be measured.
func (r Row) Failed() bool { return r["failed"] != "" }

// counted is the sentence by which profiles of earlier versions, and those whose
// tokens the client counts, say that the server counts others.
var counted = regexp.MustCompile(`the server counted ([0-9.]+) times as many reply tokens`)

// ServerTokens is how many reply tokens the server counted for one of the client's,
// as the warnings of a point say; 1 where they say nothing.
func ServerTokens(warnings string) float64 {
	m := counted.FindStringSubmatch(warnings)
	if m == nil {
		return 1
	}
	if share, err := strconv.ParseFloat(m[1], 64); err == nil && share > 0 {
		return share
	}
	return 1
}

// FrontColumn is the column of decode points that says whether the front end bounds
// them. Tables that have it are of profiles whose arrays hold times per token as the
// server counts; those of earlier versions hold them as their client counted.
const FrontColumn = "front_end_bound"
