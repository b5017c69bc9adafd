package fleet

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
)

// A file that an earlier headway wrote is read as the program in docs/format-columns.md
// reads it, which printed these figures:
//
//	python3 read.py internal/fleet/testdata/columns-1
func TestVersion1IsRead(t *testing.T) {
	file, err := os.ReadFile("testdata/columns-1")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Merge(opened(t, file))
	if err != nil || m.Counts != (Counts{OK: 34, Failed: 2, Dropped: 2}) {
		t.Fatalf("%+v, %v", m, err)
	}
	want := map[string][4]float64{ // number, least, most, sum
		"time_to_first_token":              {34, 0.00094514, 0.131112217, 1.0983508639999995},
		"time_to_second_token":             {27, 7.677e-05, 0.170320677, 0.725701313},
		"request_latency":                  {34, 0.004160248, 0.348605533, 2.669342686},
		"decode_duration":                  {34, 0, 0.270577476, 1.5709918219999996},
		"inter_token_latency":              {27, 0.000628661, 0.170320677, 0.8457099131666667},
		"output_token_throughput_per_user": {27, 5.871277742748756, 1590.6824186644312, 4384.386105556572},
		"prefill_throughput_per_user":      {34, 762.7054311803757, 105804.43108957403, 420556.5120311911},
		"output_sequence_length":           {34, 1, 4, 87},
		"input_sequence_length":            {34, 100, 100, 3400},
		"error_isl":                        {2, 100, 100, 200},
		"credit_to_start_latency":          {34, 0, 0, 0},
	}
	for _, s := range m.Summaries {
		w, ok := want[s.Metric.Tag]
		delete(want, s.Metric.Tag)
		if ok && (s.Count != int(w[0]) || s.Min != w[1] || s.Max != w[2] || math.Abs(s.Sum-w[3]) > 1e-12*w[3]) {
			t.Errorf("%s: %d from %v to %v, sum %v, want %v", s.Metric.Tag, s.Count, s.Min, s.Max, s.Sum, w)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// full is a disk with so many bytes left.
type full struct {
	bytes.Buffer
	left int
}

var errFull = errors.New("no space left on device")

func (f *full) Write(b []byte) (int, error) {
	n := min(len(b), f.left)
	f.left -= n
	f.Buffer.Write(b[:n])
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

// A disk that fills up is said at the Record that did it and ever after, and what was
// written before is a part that was killed. It never looks whole.
func TestColumnsOnAFullDisk(t *testing.T) {
	records := measured(6, 2*frameRecords+10)
	size := len(written(t, records, 1)[0])
	if _, err := NewColumns(&full{left: 10}, streaming); !errors.Is(err, errFull) {
		t.Fatalf("no room for the header: %v", err)
	}
	for left := 4 << 10; left < size; left += size / 23 {
		disk := &full{left: left}
		c, err := NewColumns(disk, streaming)
		if err != nil {
			t.Fatal(err)
		}
		var failed error
		for _, rec := range records {
			if err := c.Take(rec); failed != nil && err != failed {
				t.Fatalf("%v, then %v", failed, err)
			} else if err != nil {
				failed = err
			}
		}
		if err := c.Close(); !errors.Is(err, errFull) || !strings.HasPrefix(err.Error(), "writing columns: ") {
			t.Fatalf("%d bytes of %d: %v", left, size, err)
		}
		p := opened(t, disk.Bytes())[0]
		m, err := Merge([]*Part{p})
		if err != nil || p.Whole || m.Counts != p.Counts || m.Counts.Planned() > int64(len(records)) ||
			failed != nil && m.Counts.Planned()%frameRecords != 0 {
			t.Errorf("%d bytes of %d: whole %v, %+v, %v", left, size, p.Whole, p.Counts, err)
		}
	}
}
