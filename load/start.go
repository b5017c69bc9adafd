package load

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// start watches the times to first token of a closed loop's warm-up and knows
// when its start has passed; see [workload.LeadIn]. One that was not armed does
// nothing.
//
// All slots of a closed loop start at one instant, so that its first requests
// wait for each other, and those after them again, less and less. Requests are
// therefore taken in blocks, in the order in which they were sent, and the start
// has passed when a block was like the one before it. A block is at least as
// large as there are slots: where replies of one length end together, the
// requests after them wait for each other for as long as the loop runs, and only
// whole rounds of all slots are alike.
type start struct {
	passed atomic.Bool

	mu     sync.Mutex
	size   int // requests of a block; 0 is not armed
	sent   int
	blocks []*block
}

// block sums up the times to first token, in seconds, of some requests.
type block struct {
	n            int
	sum, squares float64
	most         float64
}

// alike and alikeMost are how far apart, as a share, two blocks may be in their
// means and in their longest times to be alike.
const alike, alikeMost = 0.01, 0.015

// arm begins to watch blocks of so many requests.
func (s *start) arm(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = size
}

// request is called before a warm-up request is sent, and what it returns when
// it has its first token or has ended without.
func (s *start) request() (told func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size == 0 || s.passed.Load() {
		return func() {}
	}
	k := s.sent / s.size
	s.sent++
	if k == len(s.blocks) {
		s.blocks = append(s.blocks, &block{})
	}
	begin := time.Now()
	return func() {
		took := time.Since(begin).Seconds()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.blocks[k].add(took)
		if s.alike(k) || s.alike(k+1) {
			s.passed.Store(true)
		}
	}
}

// alike reports whether a block and the one before it are whole and alike.
func (s *start) alike(k int) bool {
	if k < 1 || k >= len(s.blocks) || s.blocks[k].n < s.size || s.blocks[k-1].n < s.size {
		return false
	}
	a, b := s.blocks[k-1], s.blocks[k]
	return near(a.mean(), b.mean(), alike) && near(a.most, b.most, alikeMost)
}

// drift is by which share the last two whole blocks differ in their means,
// beyond twice the standard error of that; 0 where there are no two.
func (s *start) drift() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := len(s.blocks) - 1; k > 0; k-- {
		a, b := s.blocks[k-1], s.blocks[k]
		if a.n == s.size && b.n == s.size {
			off := math.Abs(a.mean()-b.mean()) - 2*math.Sqrt(a.variance()+b.variance())
			return max(0, off) / b.mean()
		}
	}
	return 0
}

func (b *block) add(v float64) {
	b.n++
	b.sum, b.squares = b.sum+v, b.squares+v*v
	b.most = max(b.most, v)
}

func (b *block) mean() float64 { return b.sum / float64(b.n) }

// variance is that of the mean.
func (b *block) variance() float64 {
	n := float64(b.n)
	return max(0, b.squares/n-b.mean()*b.mean()) / n
}

func near(a, b, share float64) bool { return math.Abs(a-b) <= share*b }
