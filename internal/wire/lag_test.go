package wire

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Every lag lies at or below the bound of its cell, above that of the cell
// before, and within 3.2 % of it.
func TestLagCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lag := time.Duration(rapid.Int64Range(0, 1<<lagTop-1).Draw(t, "lag"))
		cell := lagCell(lag)
		high := lagBound(cell)
		if lag > high || cell > 0 && lag <= lagBound(cell-1) {
			t.Fatalf("%d is in cell %d, which ends at %d", lag, cell, high)
		}
		if float64(high-lag) > 0.032*float64(lag) {
			t.Fatalf("%d is counted as %d", lag, high)
		}
	})
	if c := lagCell(1 << 62); c != lagCells-1 {
		t.Errorf("a lag of 146 years is in cell %d of %d", c, lagCells)
	}
	if c := lagCell(-5); c != 0 {
		t.Errorf("a negative lag is in cell %d", c)
	}
}

func TestLagsCountKernelStampsAlone(t *testing.T) {
	var l Lags
	l.add(Stamp{Kernel: true, Lag: 20 * time.Microsecond})
	l.add(Stamp{Kernel: true, Lag: 20 * time.Microsecond})
	l.add(Stamp{Lag: 0})
	var n int64
	for lag, count := range l.All() {
		n += count
		if lag < 20*time.Microsecond || lag > 21*time.Microsecond {
			t.Errorf("counted at %v", lag)
		}
	}
	if n != 2 {
		t.Errorf("%d counted", n)
	}
	if allocs := testing.AllocsPerRun(100, func() { l.add(Stamp{Kernel: true, Lag: time.Millisecond}) }); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
