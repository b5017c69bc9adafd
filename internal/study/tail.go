package study

import (
	"headway/internal/tail"
	"headway/record"
)

// tailOf says where the time of a run's slowest requests went, with what its servers
// counted.
func tailOf(e *tail.Evidence, t record.Trailer) *tail.Result {
	return tail.Analyse(e, tail.Server{Preemptions: preemptionsOf(t)})
}

// preemptionsOf is how many preemptions the engines counted; nil where one of them does
// not, and where none was read.
func preemptionsOf(t record.Trailer) *float64 {
	if c := t.Cluster; c != nil {
		n := float64(c.Preemptions)
		return &n
	}
	if t.Servers == nil {
		return nil
	}
	var sum float64
	known := false
	for _, s := range t.Servers.Sources {
		n, counts := s.Moved["preemptions"]
		switch {
		case counts:
			sum, known = sum+n, true
		case s.Moved["generated_tokens"] > 0 && s.Engine != "dynamo_frontend":
			return nil
		}
	}
	if !known {
		return nil
	}
	return &sum
}
