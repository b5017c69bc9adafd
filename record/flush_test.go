package record

import (
	"bytes"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shared is a file that is looked at while it is written.
type shared struct {
	mu   sync.Mutex
	text []byte
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, p...)
	return len(p), nil
}

func (s *shared) lines() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Count(s.text, []byte("\n"))
}

// TestWriterFlushesByTime: a Record is in the file half a second after it was
// taken, also where none follows it.
func TestWriterFlushesByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var file shared
		w, err := NewWriter(&file, testHeader())
		if err != nil {
			t.Fatal(err)
		}
		lines := func() int { return file.lines() - 1 }
		for _, step := range []struct {
			wait time.Duration
			take bool
			want int
		}{
			{0, true, 0}, {400 * time.Millisecond, true, 0}, {99 * time.Millisecond, false, 0},
			{time.Millisecond, false, 2},
			{time.Hour, true, 2}, {flushAfter, false, 3}, {0, true, 3}, {0, true, 3}, {flushAfter, false, 5},
		} {
			<-time.After(step.wait)
			synctest.Wait()
			if step.take {
				err = w.Take(&Record{})
			}
			if err != nil || lines() != step.want {
				t.Fatalf("after %v more: %d lines in the file, want %d, %v", step.wait, lines(), step.want, err)
			}
		}
		if err := w.Take(&Record{}); err != nil {
			t.Fatal(err)
		}
		w.Leave()
		if lines() != 6 || w.Take(&Record{}) == nil {
			t.Errorf("%d lines after it was left", lines())
		}
		if time.Sleep(time.Hour); lines() != 6 {
			t.Errorf("%d lines an hour later", lines())
		}
	})
}
