package router

import "math/bits"

// table says which workers have a block. It is a hash table with linear
// probing whose entries are a block and a bit for each worker, side by side:
// a look-up touches one cache line for up to 64 workers, and the look-ups for
// the blocks of a prompt do not wait for one another, as steps down a tree of
// pointers would. A sequence hash covers all that precedes its block, so the
// flat table knows as much as a tree does.
type table struct {
	words int // of 64 workers each
	// entries holds 1+words values an entry: the block and its workers. A
	// block of 0 marks a free entry; the block 0 itself has the entry behind
	// the last one.
	entries []uint64
	shift   uint // 64 − log2 of the number of entries
	n       int  // entries in use, block 0 apart
}

const firstBits = 6

func newTable(workers int) *table {
	t := &table{words: (workers + 63) / 64}
	t.allocate(firstBits)
	return t
}

func (t *table) allocate(logSize uint) {
	t.shift, t.n = 64-logSize, 0
	t.entries = make([]uint64, (1<<logSize+1)*(1+t.words))
}

func (t *table) size() int { return 1 << (64 - t.shift) }

// home is Fibonacci hashing (Knuth, The Art of Computer Programming, vol. 3,
// 6.4): the top bits of a product. Blocks may be small consecutive numbers.
func (t *table) home(block uint64) int { return int(block * 0x9e3779b97f4a7c15 >> t.shift) }

// find returns where the workers of a block are in entries, or -1.
func (t *table) find(block uint64) int {
	stride, mask := 1+t.words, t.size()-1
	if block == 0 {
		return (mask+1)*stride + 1
	}
	for i := t.home(block); ; i = (i + 1) & mask {
		switch at := i * stride; t.entries[at] {
		case block:
			return at + 1
		case 0:
			return -1
		}
	}
}

func (t *table) has(worker int, block uint64) bool {
	at := t.find(block)
	return at >= 0 && t.entries[at+worker/64]&(1<<(worker%64)) != 0
}

// add reports whether the worker did not have the block.
func (t *table) add(worker int, block uint64) bool {
	at := t.find(block)
	if at < 0 {
		if t.n++; t.n*8 > t.size()*5 {
			t.grow()
			t.n++
		}
		at = t.insert(block)
	}
	word, bit := &t.entries[at+worker/64], uint64(1)<<(worker%64)
	added := *word&bit == 0
	*word |= bit
	return added
}

// insert takes a free entry for a block that has none.
func (t *table) insert(block uint64) int {
	stride, mask := 1+t.words, t.size()-1
	i := t.home(block)
	for t.entries[i*stride] != 0 {
		i = (i + 1) & mask
	}
	t.entries[i*stride] = block
	return i*stride + 1
}

func (t *table) grow() {
	old, stride := t.entries, 1+t.words
	t.allocate(64 - t.shift + 1)
	last := len(old) - stride
	copy(t.entries[len(t.entries)-stride:], old[last:])
	for at := 0; at < last; at += stride {
		if old[at] != 0 {
			copy(t.entries[t.insert(old[at]):], old[at+1:at+stride])
			t.n++
		}
	}
}

// remove reports whether the worker had the block.
func (t *table) remove(worker int, block uint64) bool {
	at := t.find(block)
	if at < 0 {
		return false
	}
	word, bit := &t.entries[at+worker/64], uint64(1)<<(worker%64)
	if *word&bit == 0 {
		return false
	}
	*word &^= bit
	if block != 0 && t.nobody(at) {
		t.free((at - 1) / (1 + t.words))
	}
	return true
}

func (t *table) nobody(at int) bool {
	for _, w := range t.entries[at : at+t.words] {
		if w != 0 {
			return false
		}
	}
	return true
}

// free empties entry i and moves back what its place had pushed on, so that
// no marks of deleted entries pile up in a table that changes for hours.
func (t *table) free(i int) {
	stride, mask := 1+t.words, t.size()-1
	for j := i; ; {
		j = (j + 1) & mask
		block := t.entries[j*stride]
		if block == 0 {
			break
		}
		// Entry j may move to i unless its home lies cyclically in (i, j].
		if home := t.home(block); (j-home)&mask >= (j-i)&mask {
			copy(t.entries[i*stride:(i+1)*stride], t.entries[j*stride:(j+1)*stride])
			i = j
		}
	}
	clear(t.entries[i*stride : (i+1)*stride])
	t.n--
}

// clearWorker forgets all blocks of a worker. Freeing entry i moves only
// later entries into it, so looking at i again misses none.
func (t *table) clearWorker(worker int) {
	stride, word, bit := 1+t.words, worker/64, uint64(1)<<(worker%64)
	for i := 0; i <= t.size(); i++ {
		at := i*stride + 1
		t.entries[at+word] &^= bit
		for i < t.size() && t.entries[at-1] != 0 && t.nobody(at) {
			t.free(i)
			t.entries[at+word] &^= bit
		}
	}
}

// runs sets out to how many of the leading blocks each worker has without a
// gap. alive is scratch space of words values.
func (t *table) runs(blocks []uint64, out []int32, alive []uint64) {
	clear(out)
	if len(blocks) == 0 {
		return
	}
	at := t.find(blocks[0])
	if at < 0 {
		return
	}
	if t.words == 1 {
		t.runsOfWord(t.entries[at], blocks, out)
		return
	}
	copy(alive, t.entries[at:at+t.words])
	for i, block := range blocks[1:] {
		if !t.narrow(alive, block, int32(i+1), out) {
			return
		}
	}
	for k, w := range alive {
		mark(w, k, int32(len(blocks)), out)
	}
}

// runsOfWord is runs for up to 64 workers, of which those in alive have the
// first block. It takes two thirds of the time of the general walk.
func (t *table) runsOfWord(alive uint64, blocks []uint64, out []int32) {
	for i := 1; i < len(blocks); i++ {
		var has uint64
		if at := t.find(blocks[i]); at >= 0 {
			has = t.entries[at]
		}
		if alive&^has != 0 {
			mark(alive&^has, 0, int32(i), out)
			if alive &= has; alive == 0 {
				return
			}
		}
	}
	mark(alive, 0, int32(len(blocks)), out)
}

// narrow takes from alive the workers that do not have a block, notes their
// run, and reports whether any is left.
func (t *table) narrow(alive []uint64, block uint64, run int32, out []int32) bool {
	at := t.find(block)
	if at < 0 {
		for k, w := range alive {
			mark(w, k, run, out)
		}
		return false
	}
	var left uint64
	for k, w := range t.entries[at : at+len(alive)] {
		if gone := alive[k] &^ w; gone != 0 {
			mark(gone, k, run, out)
			alive[k] &= w
		}
		left |= alive[k]
	}
	return left != 0
}

func mark(workers uint64, word int, run int32, out []int32) {
	for ; workers != 0; workers &= workers - 1 {
		out[word*64+bits.TrailingZeros64(workers)] = run
	}
}

// empty says that nobody has any block.
func (t *table) empty() bool { return t.n == 0 && t.nobody(t.find(0)) }
