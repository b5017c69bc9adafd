package synth

import (
	"maps"
	"math/rand/v2"
	"slices"

	"headway/workload"
)

// deckLimit is up to how many cards a deck is dealt; beyond it draws are
// independent, which then makes no difference that could be seen.
const deckLimit = 1 << 22

// dealer draws an index in proportion to weights by dealing cards: each index is
// on as many cards as it has weight, every card is dealt once, in random order,
// and then again in another.
//
// Independent draws, which Dynamo's generator makes, have the same law one by one.
// But lengths in real traces are so spread out that the mean of 12,031 independent
// draws of the conversation trace is off by more than 1 % nearly every second time,
// and one in seven of the blocks that two rows share is never drawn. Dealt cards
// have neither fault: as many rows as the trace has take every shared prefix exactly
// as often as its rows did.
type dealer struct {
	r     *rand.Rand
	cards []int32
	at    int
	alias alias
}

// newDealer makes a dealer that begins with a full deck; if independent it puts every
// card back at once. The weights must not be negative and not all be 0.
func newDealer(weights []int, key workload.Key, independent bool) *dealer {
	d := &dealer{r: key.Rand()}
	total := 0
	for _, w := range weights {
		total += w
	}
	if total > deckLimit || independent {
		shares := make([]float64, len(weights))
		for i, w := range weights {
			shares[i] = float64(w)
		}
		d.alias = newAlias(shares)
		return d
	}
	d.cards = make([]int32, 0, total)
	for i, w := range weights {
		for range w {
			d.cards = append(d.cards, int32(i))
		}
	}
	return d
}

// draw deals the next card. Fisher and Yates' shuffle goes on by one step each
// time, and does so from any order of the deck.
func (d *dealer) draw() int {
	left := len(d.cards) - d.at
	if left == 0 {
		if d.cards == nil {
			return d.alias.draw(d.r)
		}
		d.at, left = 0, len(d.cards)
	}
	i := d.at + int(d.r.Uint64N(uint64(left)))
	d.at++
	d.cards[i], d.cards[d.at-1] = d.cards[d.at-1], d.cards[i]
	return int(d.cards[d.at-1])
}

// counts are whole numbers and how often each was counted.
type counts struct {
	values  []int
	weights []int
}

func newCounts(count map[int]int) counts {
	c := counts{values: slices.Sorted(maps.Keys(count))}
	for _, v := range c.values {
		c.weights = append(c.weights, count[v])
	}
	return c
}

// shares returns the chance of each value.
func (c counts) shares() []float64 {
	sum := 0
	for _, w := range c.weights {
		sum += w
	}
	s := make([]float64, len(c.weights))
	for i, w := range c.weights {
		s[i] = share(w, sum)
	}
	return s
}
