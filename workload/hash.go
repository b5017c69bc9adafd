package workload

import "math/bits"

// Sequence hashes name the full blocks of a prompt, each together with all that
// stands before it: two prompts have the same hash at a place exactly if they are
// the same up to the end of that block (but for chance, 1 in 2^64 a pair). They
// are what a KV cache is looked up by. No hash is 0.

// SequenceHashes returns the sequence hashes of a prompt of so many tokens whose
// trace blocks, of traceBlock tokens each, have these ids, for an engine whose own
// blocks have engineBlock tokens; neither need divide the other. Only full blocks
// have one, and only those that the ids reach. The sizes must be positive.
func SequenceHashes(blocks []int64, traceBlock, engineBlock, tokens int) []uint64 {
	p := Prompt{Tokens: min(tokens, len(blocks)*traceBlock), Blocks: blocks, BlockSize: traceBlock}
	return p.AppendHashes(nil, engineBlock)
}

// AppendHashes appends the sequence hashes of a prompt that is to be made to dst,
// for an engine whose blocks have engineBlock tokens, which must be positive. They
// follow from the names of its parts (system message, prefix, block ids, key), not
// from text: two prompts have as many equal leading hashes as they have full
// blocks in common. A prompt that was given as text, messages or payload has none;
// see [HashTokens].
func (p *Prompt) AppendHashes(dst []uint64, engineBlock int) []uint64 {
	rest := p.Tokens
	c := chain{size: engineBlock, left: engineBlock, dst: dst}
	c.grow((p.SystemTokens + p.Prefix.Tokens + rest) / engineBlock)
	c.add(p.SystemKey, p.SystemTokens)
	c.add(p.Prefix.Key, p.Prefix.Tokens)
	for _, id := range p.Blocks {
		n := min(p.BlockSize, rest)
		c.add(blockName(p.BlockKey, id), n)
		rest -= n
	}
	c.add(p.Key, rest)
	return c.dst
}

// blockName is the key of a trace's block. For one world it is another for every
// id: both steps can be undone.
func blockName(world Key, id int64) Key { return Key(mix(mix(uint64(world)) ^ uint64(id))) }

// BlockKeyOf is the key from which the text of a trace's block is made: another
// one for every id of a world, see [Prompt.BlockKey].
func (p *Prompt) BlockKeyOf(id int64) Key { return blockName(p.BlockKey, id) }

// chain hashes a sequence of parts, each named by a key, block by block.
type chain struct {
	size int
	left int    // tokens until the block under way is full
	hash uint64 // of all parts so far
	dst  []uint64
}

func (c *chain) grow(n int) {
	if free := cap(c.dst) - len(c.dst); free < n {
		c.dst = append(make([]uint64, 0, len(c.dst)+n), c.dst...)
	}
}

// add goes on by so many tokens of the part that the key names. Where a piece
// begins in its part, and how long it is, are hashed as well: without them a
// block of two parts would be the same wherever they meet.
func (c *chain) add(part Key, tokens int) {
	for from := 0; from < tokens; {
		n := min(c.left, tokens-from)
		c.hash = fold(c.hash^uint64(part), uint64(from)<<32|uint64(n))
		from += n
		if c.left -= n; c.left == 0 {
			c.left = c.size
			c.emit()
		}
	}
}

func (c *chain) emit() {
	if c.hash == 0 {
		c.hash = 1 // 0 stands for "no parent" in caches
	}
	c.dst = append(c.dst, c.hash)
}

// HashTokens returns the sequence hashes of a text's token ids, for an engine
// whose blocks have blockSize tokens, which must be positive. Only full blocks
// have one. They have nothing to do with those of [SequenceHashes]: use one of
// both in one cache.
func HashTokens(ids []int, blockSize int) []uint64 {
	return AppendTokenHashes(nil, ids, blockSize)
}

// AppendTokenHashes is [HashTokens] into memory that is there.
func AppendTokenHashes(dst []uint64, ids []int, blockSize int) []uint64 {
	c := chain{dst: dst}
	c.grow(len(ids) / blockSize)
	for ; len(ids) >= blockSize; ids = ids[blockSize:] {
		block := ids[:blockSize]
		for ; len(block) >= 2; block = block[2:] {
			c.hash = fold(c.hash^uint64(block[0]), uint64(block[1]))
		}
		if len(block) == 1 {
			c.hash = fold(c.hash^uint64(block[0]), 1<<63)
		}
		c.emit()
	}
	return c.dst
}

// fold mixes two words into one by the halves of their product, as wyhash does
// (Wang Yi, 2019). The constants keep a factor of zero from wiping out the other.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	return hi ^ lo
}
