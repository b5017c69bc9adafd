package profile

import (
	"fmt"
	"strings"
	"testing"
)

// A warning that several points have is told once.
func TestTellerTellsAWarningOnce(t *testing.T) {
	var said strings.Builder
	tell := Teller(0, func(format string, args ...any) { fmt.Fprintf(&said, format+"\n", args...) })
	for i := range 3 {
		warnings := []string{"no GPUs", fmt.Sprint("point ", i)}
		tell(Step{Point: i + 1, Points: 3, Name: "x", Done: true, Warnings: warnings})
	}
	got := said.String()
	if strings.Count(got, "warning: no GPUs\n") != 1 || strings.Count(got, "warning: point ") != 3 {
		t.Error(got)
	}
}
