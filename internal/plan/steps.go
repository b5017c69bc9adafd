package plan

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"headway/internal/bound"
	"headway/internal/settings"
	"headway/record"
)

// step is what is remembered of a replay.
type step struct {
	Name string `json:"name"`
	// Miss is the window that was lost, nil where none was; Full says that the replay
	// went to its end.
	Miss *Miss `json:"miss,omitempty"`
	Full bool  `json:"full,omitempty"`
	// Stats are those of a drawn load, by objective and window, seconds; null where
	// nothing was drawn.
	Stats [][]record.Number `json:"stats,omitempty"`
}

// Steps remember what was replayed, in a file of JSON lines of which the first has the
// settings, so that a plan that was interrupted goes on. A nil *Steps remembers nothing.
type Steps struct {
	mutex sync.Mutex
	known map[string]*step
	file  *os.File
}

// OpenSteps begins the file, or with resume goes on with it, which it refuses where it
// was begun with other settings. A line that was cut off by a crash is passed over.
func OpenSteps(path string, now settings.Settings, resume bool) (*Steps, error) {
	s := &Steps{known: map[string]*step{}}
	flag := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if resume {
		begun, err := s.read(path, now)
		if err != nil {
			return nil, err
		}
		if begun {
			flag = os.O_WRONLY | os.O_APPEND
		}
	}
	f, err := os.OpenFile(path, flag, 0o644)
	if err != nil {
		return nil, fmt.Errorf("keeping the steps of a plan: %w", err)
	}
	s.file = f
	if flag&os.O_TRUNC != 0 {
		return s, s.write(now)
	}
	_, err = f.Write([]byte("\n")) // ends a line that was cut off
	return s, err
}

// read takes what a file has; there need not be one.
func (s *Steps) read(path string, now settings.Settings) (begun bool, err error) {
	data, err := bound.ReadFile(path, bound.Document, "the steps of the plan")
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for line := range bytes.Lines(data) {
		if !begun {
			var before settings.Settings
			if json.Unmarshal(line, &before) != nil {
				return false, nil
			}
			if err := settings.Compare(path, before, now); err != nil {
				return false, err
			}
			begun = true
			continue
		}
		var st step
		if json.Unmarshal(line, &st) == nil && st.Name != "" {
			s.known[st.Name] = &st
		}
	}
	return begun, nil
}

// of is the step of a name, made where it is not known.
func (s *Steps) of(name string, make func() (*step, error)) (*step, error) {
	if s == nil {
		return make()
	}
	s.mutex.Lock()
	st := s.known[name]
	s.mutex.Unlock()
	if st != nil {
		return st, nil
	}
	st, err := make()
	if err != nil {
		return nil, err
	}
	st.Name = name
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.known[name] = st
	return st, s.write(st)
}

func (s *Steps) write(v any) error {
	w := bufio.NewWriter(s.file)
	err := json.NewEncoder(w).Encode(v)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return fmt.Errorf("keeping the steps of a plan: %w", err)
	}
	return nil
}

// Close ends the file.
func (s *Steps) Close() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}
