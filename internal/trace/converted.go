package trace

import (
	"fmt"
	"io"

	"headway/internal/plain"
	"headway/internal/tokenizer"
	"headway/workload"
)

// Converted is a trace that was converted.
type Converted struct {
	From     string `json:"from"`
	Format   string `json:"format"`
	File     string `json:"file"`
	Requests int    `json:"requests"`
	Skipped  int    `json:"skipped"`
	Unwanted int    `json:"left_out"`
	Warning  string `json:"warning,omitempty"`

	firstSkip error
	unknown   string
}

// Convert makes a trace of a file of another format; tokens are counted with the
// built-in tokenizer. It goes into a file, or to stdout where that is named [Stdout].
func Convert(c workload.Conversion, from, name string, stdout io.Writer) (Converted, error) {
	done := Converted{From: from, File: name}
	t, err := tokenizer.Builtin()
	if err != nil {
		return done, fmt.Errorf("loading the tokenizer: %w", err)
	}
	c.Count = t.Count
	var d *workload.Dataset
	err = write(name, stdout, func(w io.Writer) (err error) {
		d, done.Requests, err = c.File(from, w)
		return err
	})
	if err != nil {
		return done, err
	}
	done.Format = fmt.Sprint(d.Format)
	done.Skipped = d.Skipped
	done.Unwanted = d.Unwanted
	done.firstSkip = d.FirstSkip
	done.unknown = d.UnknownFields()
	if c.Spread == workload.AsRecorded {
		done.Warning = d.Rounded().Warning()
	}
	return done, nil
}

// Lines are what is to be said of it.
func (d Converted) Lines() []string {
	var all []string
	if text := Skipped(d.Skipped, d.firstSkip); text != "" {
		all = append(all, text)
	}
	if d.Unwanted > 0 {
		all = append(all, plain.HowMany(d.Unwanted, "row was", "rows were")+
			" left out, of other models or kinds of log")
	}
	if d.unknown != "" {
		all = append(all, "warning: "+d.unknown)
	}
	if d.Warning != "" {
		all = append(all, "warning: "+d.Warning)
	}
	return append(all, fmt.Sprintf("%s from %s (%s) in %s", plain.HowMany(d.Requests, "request", "requests"), d.From,
		d.Format, d.File))
}

// Skipped says how many lines of a file were passed over, and why the first was; ""
// for none.
func Skipped(n int, first error) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("warning: %s skipped, the first for this: %v", plain.HowMany(n, "line was", "lines were"), first)
}
