package profile

import (
	"fmt"
	"time"
)

// Teller tells a user of each point what came of it, and how long the rest of the
// sweep may take, of which kept points were measured before. A warning is told once.
func Teller(kept int, tell func(format string, args ...any)) func(Step) {
	begin, told := time.Now(), map[string]bool{}
	return func(s Step) {
		if !s.Done {
			return
		}
		tell("%s %d/%d: %s: %s%s", s.Phase, s.Point, s.Points, s.Name, s.Result, s.left(time.Since(begin), kept))
		for _, w := range s.Warnings {
			if !told[w] {
				tell("warning: %s", w)
			}
			told[w] = true
		}
	}
}

// left is how long the points after this one may take, when those of this call took
// so long; empty where that is not known.
func (s Step) left(took time.Duration, kept int) string {
	measured := s.Point - kept
	if measured <= 0 || s.Point == s.Points {
		return ""
	}
	each := took / time.Duration(measured)
	return fmt.Sprintf(" · about %v left", (each * time.Duration(s.Points-s.Point)).Round(time.Second))
}
