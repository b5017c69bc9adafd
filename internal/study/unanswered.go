package study

import (
	"errors"
	"fmt"

	"headway/metric"
	"headway/record"
	"headway/report"
)

// Unanswered is the error of a result of which every request failed, and nil of any
// other. advise says what can be done about a failure, "" for nothing.
func Unanswered(r *metric.Result, secrets report.Redactor, advise func(record.Failure) string) error {
	of, which := r, "every request"
	if w := r.Warmup; r.Failed == 0 && w != nil { // the run may have ended in it
		of, which = w, "every request of the warm-up"
	}
	if r.OK > 0 || of.OK > 0 || of.Failed == 0 {
		return nil
	}
	f := of.Failures[0].Failure
	err := fmt.Errorf("%s failed: %s", which, secrets.Text(f.Described()))
	if hint := advise(f); hint != "" {
		err = errors.Join(err, errors.New(secrets.Text(hint)))
	}
	return err
}
