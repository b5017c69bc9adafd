package tokenizer

import "unicode/utf8"

// A byte-level vocabulary writes every byte as a visible character: printable
// Latin-1 as itself, the other 68 as U+0100 and on, in order. The mapping is
// that of GPT-2's encoder.py (bytes_to_unicode).

// byteChar returns the character that stands for b.
func byteChar(b byte) rune {
	switch {
	case b <= ' ':
		return 0x100 + rune(b)
	case b >= 0x7F && b <= 0xA0:
		return 0x121 + rune(b-0x7F)
	case b == 0xAD:
		return 0x143
	}
	return rune(b)
}

// charByte is the inverse of byteChar.
func charByte(r rune) (b byte, ok bool) {
	switch {
	case r >= 0x100 && r <= 0x120:
		return byte(r - 0x100), true
	case r >= 0x121 && r <= 0x142:
		return byte(r - 0x121 + 0x7F), true
	case r == 0x143:
		return 0xAD, true
	case r > ' ' && r < 0x7F || r > 0xA0 && r <= 0xFF && r != 0xAD:
		return byte(r), true
	}
	return 0, false
}

// pieceBytes returns the bytes that piece stands for; ok is false, and dst as it
// was, when a character of it stands for none.
func pieceBytes(dst []byte, piece string) (bytes []byte, ok bool) {
	bytes = dst
	for at := 0; at < len(piece); {
		r, n := utf8.DecodeRuneInString(piece[at:])
		b, ok := charByte(r)
		if !ok || r == utf8.RuneError {
			return dst, false
		}
		bytes = append(bytes, b)
		at += n
	}
	return bytes, true
}
