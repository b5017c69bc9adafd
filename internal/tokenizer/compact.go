package tokenizer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"unsafe"

	"headway/internal/bound"
)

// A compact file holds the tables of a tokenizer.json as they lie in memory. It is
// mapped, so that all processes share one copy and only what is looked at is read.
// Its name is the hash of the tokenizer.json and the version of the format; a file
// that is torn, of another version or of another kind of machine is made again.
const (
	compactMagic   = "hwtokens"
	compactVersion = 1
	compactOrder   = 0x01020304 // as this machine writes it
	compactEnding  = ".tokens"
	// leastCompact is the size of a tokenizer.json that is worth a file.
	leastCompact = bound.MiB
	// mostCompact is how many are kept; the oldest goes.
	mostCompact = 16
)

// The parts of a compact file, in this order.
const (
	partRest = iota // the tokenizer.json without its large lists
	partBlob
	partEnds
	partOdd
	partMerges
	partScores
	partFirst
	partBytes
	partValues
	parts
)

// compactHeader stands at the beginning.
type compactHeader struct {
	magic          [8]byte
	version, order uint32
	source         [sha256.Size]byte
	sum            uint32 // CRC-32C of what follows the header
	_              uint32
	size           uint64 // of the whole file
	count          uint64 // see tables
	ends           [parts]uint64
}

const headerSize = int(unsafe.Sizeof(compactHeader{}))

// aligned is where a part may begin.
func aligned(n int) int { return (n + 15) &^ 15 }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errNotCompact = errors.New("no compact tokenizer of this version")

// compactName is where the compact form of a tokenizer.json is kept.
func compactName(dir string, source [sha256.Size]byte) string {
	return filepath.Join(dir, hex.EncodeToString(source[:])+compactEnding)
}

// keep writes what was read of a tokenizer.json. The file gets its name when it is
// whole.
func (d *document) keep(dir string, source [sha256.Size]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "*.part")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = d.put(f, source)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), compactName(dir, source)); err != nil {
		return err
	}
	prune(dir)
	return nil
}

func (d *document) put(w io.Writer, source [sha256.Size]byte) error {
	t := d.tables
	odd, err := json.Marshal(t.odd)
	if err != nil {
		return err
	}
	list := [parts][]byte{partRest: d.rest, partBlob: []byte(t.blob), partEnds: bytesOf(t.ends), partOdd: odd,
		partScores: bytesOf(t.scores)}
	if t.merges != nil {
		list[partMerges] = bytesOf(t.merges.slots)
	}
	if t.trie != nil {
		list[partFirst], list[partBytes], list[partValues] = bytesOf(t.trie.first), t.trie.bytes, bytesOf(t.trie.values)
	}
	h := compactHeader{version: compactVersion, order: compactOrder, source: source, count: uint64(t.count)}
	copy(h.magic[:], compactMagic)
	body := make([]byte, aligned(headerSize)-headerSize)
	for i, p := range list {
		body = append(body, p...)
		h.ends[i] = uint64(headerSize + len(body))
		body = append(body, make([]byte, aligned(headerSize+len(body))-headerSize-len(body))...)
	}
	h.sum, h.size = crc32.Checksum(body, castagnoli), uint64(headerSize+len(body))
	if _, err := w.Write(bytesOf([]compactHeader{h})); err != nil {
		return err
	}
	_, err = w.Write(body)
	return err
}

// prune removes the oldest files. What cannot be removed stays.
func prune(dir string) {
	names, err := bound.Glob(dir, "*"+compactEnding)
	if err != nil || len(names) <= mostCompact {
		return
	}
	age := func(name string) int64 {
		info, err := os.Stat(name)
		if err != nil {
			return 0
		}
		return info.ModTime().UnixNano()
	}
	slices.SortFunc(names, func(a, b string) int { return int(age(a)>>10) - int(age(b)>>10) })
	for _, name := range names[:len(names)-mostCompact] {
		os.Remove(name)
	}
}

// findCompact maps the compact form of a tokenizer.json; nil where there is none that
// can be used.
func findCompact(file, dir string) *document {
	source, err := hashOf(file)
	if err != nil {
		return nil // reading the file says why
	}
	data, err := mapFile(compactName(dir, source))
	if err != nil {
		return nil
	}
	d, err := readCompact(data, source)
	if err != nil {
		unmap(data)
		return nil
	}
	return d
}

// hashOf is the SHA-256 of a file.
func hashOf(file string) (sum [sha256.Size]byte, err error) {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() < int64(leastCompact) || info.Size() > int64(largestFile) {
		return sum, errors.Join(err, errNotCompact)
	}
	f, err := os.Open(file)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, io.LimitReader(f, int64(largestFile)), make([]byte, 256<<10)); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}

// readCompact takes a compact file apart. What it returns lies in data.
func readCompact(data []byte, source [sha256.Size]byte) (*document, error) {
	if len(data) < headerSize {
		return nil, errNotCompact
	}
	h := (*compactHeader)(unsafe.Pointer(unsafe.SliceData(data)))
	if string(h.magic[:]) != compactMagic || h.version != compactVersion || h.order != compactOrder ||
		h.source != source || h.size != uint64(len(data)) || h.sum != crc32.Checksum(data[headerSize:], castagnoli) {
		return nil, errNotCompact
	}
	var list [parts][]byte
	from := aligned(headerSize)
	for i, end := range h.ends {
		if end < uint64(from) || end > uint64(len(data)) {
			return nil, errNotCompact
		}
		list[i] = data[from:end:end]
		from = aligned(int(end))
	}
	t := &tables{blob: view(list[partBlob]), ends: sliceOf[uint32](list[partEnds]), count: int(h.count),
		scores: sliceOf[float64](list[partScores])}
	if err := json.Unmarshal(list[partOdd], &t.odd); err != nil {
		return nil, errNotCompact
	}
	if slots := sliceOf[pairSlot](list[partMerges]); len(slots) > 0 {
		t.merges = tableOf(slots)
	}
	if len(t.scores) > 0 {
		t.trie = &trie{first: sliceOf[uint32](list[partFirst]), bytes: list[partBytes],
			values: sliceOf[int32](list[partValues])}
	}
	return &document{rest: list[partRest], tables: t, fingerprint: hex.EncodeToString(source[:8])}, nil
}

// bytesOf are the bytes of numbers as they lie in memory.
func bytesOf[T any](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

// sliceOf are the numbers of which bytes are those; the bytes begin at an aligned
// address.
func sliceOf[T any](b []byte) []T {
	if len(b) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(*new(T))))
}
