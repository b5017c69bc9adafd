package profile

import (
	"errors"
	"io/fs"
	"slices"

	"headway/internal/profile/step"
)

// readFailed are the points that failed, which only the table of all points has.
func readFailed(dir string, p Phase) ([]step.Row, error) {
	rows, err := step.ReadTable(dir, string(p))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return slices.DeleteFunc(rows, func(r step.Row) bool { return !r.Failed() }), err
}

// failedQuality is that of a point that failed.
func failedQuality(r step.Row) Quality { return Quality{Cached: -1, Failed: r["failed"]} }
