package model

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The shares that docs/h200-study.md says the roofline is below what was
// measured are those of the measured points beside it.
func TestStudyOfH200(t *testing.T) {
	r := roofline(t, setup(t, "Llama-3.1-8B", "h200", "TP=1"))
	prefill, decode := newSpan(), newSpan()
	for _, p := range table(t, "../../docs/h200/prefill_points.csv", "isl", "ttft_ms") {
		if n := int(p[0]); n > 2000 {
			prefill.add(1e3*r.StepTime(n, PrefillContext(0, n), 0, 0).Seconds(), p[1])
		}
	}
	for _, p := range table(t, "../../docs/h200/decode_points.csv", "requests", "context", "itl_ms") {
		if n := int(p[0]); n <= 100 {
			decode.add(1e3*r.StepTime(0, 0, n, n*int(p[1])).Seconds(), p[2])
		}
	}
	page, err := os.ReadFile("../../docs/h200-study.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		prefill.String() + " below the measured prefill of prompts above 2,000 tokens",
		decode.String() + " below decode up to 100 sequences",
	} {
		if !strings.Contains(strings.Join(strings.Fields(string(page)), " "), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// span is how far below its measured value a prediction lies, in percent.
type span struct{ least, most float64 }

func newSpan() span { return span{math.Inf(1), math.Inf(-1)} }

func (s *span) add(predicted, measured float64) {
	below := 100 * (measured - predicted) / measured
	s.least, s.most = min(s.least, below), max(s.most, below)
}

func (s span) String() string { return fmt.Sprintf("%.1f to %.1f %%", s.least, s.most) }

// table is columns of a CSV file.
func table(t *testing.T, path string, columns ...string) (rows [][]float64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range all[1:] {
		var row []float64
		for _, c := range columns {
			for i, name := range all[0] {
				if name != c {
					continue
				}
				v, err := strconv.ParseFloat(line[i], 64)
				if err != nil {
					t.Fatal(err)
				}
				row = append(row, v)
			}
		}
		rows = append(rows, row)
	}
	return rows
}
