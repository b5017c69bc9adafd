package tokenizer

import (
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// TestComposed compares composed with the library: it never says of a text that NFC
// changes that it does not, for every character by itself and between others, and
// for random texts of the characters for which that is hardest.
func TestComposed(t *testing.T) {
	check := func(text string) bool {
		fast := composed(text)
		if want := norm.NFC.String(text); fast && want != text {
			t.Fatalf("%+q is %+q in NFC", text, want)
		}
		return fast
	}
	var hard []rune
	for r := rune(0); r < tabled; r++ {
		if r == 0xD800 {
			r = 0xE000
		}
		check("e" + string(r) + "가")
		if !check(string(r)) {
			hard = append(hard, r)
		}
	}
	if len(hard) < 1000 || len(hard) > 10000 {
		t.Errorf("%d characters of the first plane need the library", len(hard))
	}
	rng := rand.New(rand.NewPCG(4, 5))
	for range 20000 {
		var text strings.Builder
		for range 1 + rng.IntN(6) {
			switch rng.IntN(3) {
			case 0:
				text.WriteRune(hard[rng.IntN(len(hard))])
			case 1:
				text.WriteByte(byte(rng.IntN(256)))
			default:
				text.WriteRune(rune(rng.IntN(0xD800)))
			}
		}
		check(text.String())
	}
	for _, text := range []string{"今天的天气很好，我们一起去公园散步吧。", "東京の夜はとても明るいです", "Это ещё", "naïve “café”"} {
		if !check(text) {
			t.Errorf("%q needs the library", text)
		}
	}
}

// TestASCIIEnd compares with looking at one byte after the other, around the eight
// that are looked at together.
func TestASCIIEnd(t *testing.T) {
	for length := range 20 {
		for odd := range length + 1 {
			for at := range length + 1 {
				text := []byte(strings.Repeat("x", length))
				want := length
				if odd < length {
					text[odd] = 0x80
				}
				if odd >= at { // what is before at does not count
					want = odd
				}
				if got := asciiEnd(string(text), at); got != want {
					t.Errorf("of %d bytes, %d not ASCII: from %d to %d, want %d", length, odd, at, got, want)
				}
				if got := isASCII(string(text)); got != (odd == length) {
					t.Errorf("%q is ASCII: %v", text, got)
				}
			}
		}
	}
}
