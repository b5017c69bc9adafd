package tokenizer

import (
	"slices"
	"strings"
	"testing"
)

// TestCacheRemembers checks that a short word is remembered at once, and a long one
// from the second time on.
func TestCacheRemembers(t *testing.T) {
	for _, tt := range []struct {
		word  string
		times int
	}{
		{"word", 1},
		{strings.Repeat("x", cacheFirst), 1},
		{strings.Repeat("x", cacheFirst+1), 2},
		{strings.Repeat("今", cacheWord/3), 2},
	} {
		c := newWordCache()
		ids := []int32{7, 8, 9}
		for time := range tt.times {
			known, hash := c.find(tt.word)
			if known != nil {
				t.Errorf("%q is remembered after %d times", tt.word, time)
			}
			c.put(hash, tt.word, ids)
		}
		ids[0] = 0 // the cache has its own
		if known, _ := c.find(tt.word); !slices.Equal(known, []int32{7, 8, 9}) {
			t.Errorf("%q after %d times: %v", tt.word, tt.times, known)
		}
	}
}

// TestCacheOfNothing checks that a word without ids is remembered as that.
func TestCacheOfNothing(t *testing.T) {
	c := newWordCache()
	_, hash := c.find("x")
	c.put(hash, "x", nil)
	if known, _ := c.find("x"); known == nil || len(known) != 0 {
		t.Errorf("got %v, want a list of no ids", known)
	}
}
