package record

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

// TestWriterFlushesByTime: what a killed process leaves is at most about a
// second old.
func TestWriterFlushesByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var file bytes.Buffer
		w, err := NewWriter(&file, testHeader())
		if err != nil {
			t.Fatal(err)
		}
		lines := func() int { return bytes.Count(file.Bytes(), []byte("\n")) - 1 }
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 0}, {400 * time.Millisecond, 0}, {600 * time.Millisecond, 3}, {900 * time.Millisecond, 3}, {100 * time.Millisecond, 5}, {time.Hour, 6}} {
			<-time.After(step.wait)
			if err := w.Take(&Record{}); err != nil || lines() != step.want {
				t.Fatalf("after %v more: %d lines in the file, want %d, %v", step.wait, lines(), step.want, err)
			}
		}
	})
}
