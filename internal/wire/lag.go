package wire

import (
	"iter"
	"math/bits"
	"sync/atomic"
	"time"
)

// A Lags has lagParts cells for each doubling of the lag, so that a cell is at
// most 3 % wide, up to lagTop.
const (
	lagParts = 32
	lagTop   = 42 // 2⁴² ns are 73 minutes: more than is believed of a stamp
	lagCells = (lagTop - 4) * lagParts
)

// Lags counts how long data lay in the kernel before it was read, of the reads
// whose stamp is the kernel's. Adding takes some nanoseconds and allocates
// nothing; any number of goroutines may add and read. The zero value is empty.
type Lags struct {
	cells [lagCells]atomic.Int64
}

// add counts a read; one without the kernel's stamp has no lag to count.
func (l *Lags) add(s Stamp) {
	if s.Kernel {
		l.cells[lagCell(s.Lag)].Add(1)
	}
}

// All gives the cells that are not empty, from the least: the largest lag that
// falls into it, and how many did.
func (l *Lags) All() iter.Seq2[time.Duration, int64] {
	return func(yield func(time.Duration, int64) bool) {
		for i := range l.cells {
			if n := l.cells[i].Load(); n > 0 && !yield(lagBound(i), n) {
				return
			}
		}
	}
}

// lagCell is where a lag is counted: by its highest bit and the five below it.
func lagCell(lag time.Duration) int {
	v := uint64(max(0, lag))
	if v < lagParts {
		return int(v)
	}
	shift := bits.Len64(v) - 6
	return min(shift*lagParts+int(v>>shift), lagCells-1)
}

// lagBound is the largest lag of a cell.
func lagBound(cell int) time.Duration {
	if cell < 2*lagParts {
		return time.Duration(cell)
	}
	shift := cell/lagParts - 1
	return time.Duration((uint64(cell%lagParts)+lagParts+1)<<shift - 1)
}
