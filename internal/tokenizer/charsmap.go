package tokenizer

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// charsmap is SentencePiece's precompiled normalisation: a double-array trie
// (Darts-clone's layout) from characters and short sequences to what replaces
// them.
type charsmap struct {
	units  []uint32
	values string // replacements, each ended by a zero byte
}

var errCharsmap = errors.New("the character map is damaged")

// parseCharsmap reads base64 of: the size of the trie in bytes (32 bits, least
// byte first), the trie, the replacements.
func parseCharsmap(encoded string) (*charsmap, error) {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCharsmap, err)
	}
	if len(data) < 4 {
		return nil, errCharsmap
	}
	size := int64(binary.LittleEndian.Uint32(data))
	data = data[4:]
	if size > int64(len(data)) || size < 4 || size%4 != 0 {
		return nil, errCharsmap
	}
	m := &charsmap{units: make([]uint32, size/4), values: string(data[size:])}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	if !utf8.ValidString(m.values) {
		return nil, errCharsmap
	}
	return m, nil
}

// normalize replaces grapheme by grapheme, as Hugging Face's library does: one
// of less than six bytes is looked up whole, and where that finds nothing, or it
// is longer, its characters one by one.
func (m *charsmap) normalize(text string) string {
	var b strings.Builder
	state := -1
	for rest := text; rest != ""; {
		var g string
		g, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if len(g) < 6 {
			if to, ok := m.find(g); ok {
				b.WriteString(to)
				continue
			}
		}
		for at := 0; at < len(g); {
			n := charLen(g, at)
			if to, ok := m.find(g[at : at+n]); ok {
				b.WriteString(to)
			} else {
				b.WriteString(g[at : at+n])
			}
			at += n
		}
	}
	return b.String()
}

// find returns the replacement of the shortest prefix of s that has one: the
// rest of s goes with it, which is how the original reads its own results.
func (m *charsmap) find(s string) (to string, ok bool) {
	at := unitOffset(m.units[0])
	for i := range len(s) {
		if s[i] == 0 {
			return "", false
		}
		at ^= uint32(s[i])
		if at >= uint32(len(m.units)) {
			return "", false
		}
		unit := m.units[at]
		if unit&(1<<31|0xFF) != uint32(s[i]) {
			return "", false
		}
		at ^= unitOffset(unit)
		if unit>>8&1 == 1 {
			return m.value(at)
		}
	}
	return "", false
}

// value returns the replacement that the leaf at a unit points to.
func (m *charsmap) value(at uint32) (string, bool) {
	if at >= uint32(len(m.units)) {
		return "", false
	}
	from := m.units[at] &^ (1 << 31)
	if from >= uint32(len(m.values)) {
		return "", from == uint32(len(m.values))
	}
	to, _, _ := strings.Cut(m.values[from:], "\x00")
	return to, true
}

// unitOffset is the distance to a unit's children (bits 10 and up, times 256
// when bit 9 is set).
func unitOffset(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }
