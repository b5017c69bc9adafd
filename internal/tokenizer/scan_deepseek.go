package tokenizer

// scanKana is [一-龥぀-ゟ゠-ヿ]+, the second of DeepSeek's three patterns: Han
// characters and kana, U+4E00 to U+9FA5 and U+3040 to U+30FF.
func scanKana(t *classes) scanner {
	return func(s string, at int) int {
		end := at
		for {
			_, r, w := t.next(s, end)
			if w == 0 || (r < 0x4E00 || r > 0x9FA5) && (r < 0x3040 || r > 0x30FF) {
				return end - at
			}
			end += w
		}
	}
}

// scanDeepSeek is the third of DeepSeek's patterns:
//
//	[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|
//	[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|
//	\s*[\r\n]+|\s+(?!\S)|\s+
//
// It does not match everywhere: control characters, joiners and digits may be
// left between two matches.
func scanDeepSeek(t *classes) scanner {
	const letters, signs = classLetter | classMark, classPunct | classSymbol
	return func(s string, at int) int {
		c, r, w := t.next(s, at)
		if r < 0x80 && c&signs != 0 {
			if end := asciiLetters(s, at+w); end > at+w {
				return end - at
			}
		}
		if r != '\r' && r != '\n' && c&(classLetter|signs) == 0 {
			if end := t.run(s, at+w, letters, -1); end > at+w {
				return end - at
			}
		}
		if end := t.run(s, at, letters, -1); end > at {
			return end - at
		}
		from := at
		if r == ' ' {
			from++
		}
		if end := t.run(s, from, signs, -1); end > from {
			return t.trail(s, end, 0) - at
		}
		return t.lines(s, at)
	}
}

func asciiLetters(s string, at int) int {
	for at < len(s) && (s[at]|0x20) >= 'a' && (s[at]|0x20) <= 'z' {
		at++
	}
	return at
}
