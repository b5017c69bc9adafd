package tokenizer

import "strings"

// The pieces that the known patterns are made of.
const (
	reContraction = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`
	reCapitals    = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
	reSmalls      = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
	rePrefix      = `[^\r\n\p{L}\p{N}]?`
	reSigns       = `| ?[^\s\p{L}\p{N}]+[\r\n`
	reSpace       = `]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	reGPT2        = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	reDeepSeek    = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+" +
		`|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n` + reSpace
)

// knownPattern is a scanner for a regular expression, and whether it matches at
// every position of every text.
type knownPattern struct {
	scan  scanner
	total bool
}

// findPattern returns the scanner for a pattern of a tokenizer.json, by its
// exact text. Patterns that mean the same but are written otherwise are
// unknown: whether they do mean the same is for a person and a test to say.
func findPattern(regex string) (p knownPattern, ok bool) {
	t := classTable()
	cl100k := func(letters class, digits int) knownPattern {
		return knownPattern{scanCL100K(t, wordRules{letters: letters, digits: digits}), true}
	}
	cased := func(digits int, suffix bool) knownPattern {
		return knownPattern{scanO200K(t, wordRules{digits: digits, suffix: suffix, trailing: '/'}), true}
	}
	word := func(suffix string) string {
		return rePrefix + reCapitals + `*` + reSmalls + `+` + suffix + `|` +
			rePrefix + reCapitals + `+` + reSmalls + `*` + suffix
	}
	// Line ends stand as escapes or as themselves in a character class.
	switch strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(regex) {
	case reGPT2:
		return knownPattern{scanGPT2(t), true}, true
	case reContraction + `|` + rePrefix + `\p{L}+|\p{N}{1,3}` + reSigns + reSpace:
		return cl100k(classLetter, 3), true // cl100k, Llama 3, GLM 4
	case reContraction + `|` + rePrefix + `\p{L}+|\p{N}` + reSigns + reSpace:
		return cl100k(classLetter, 1), true // Qwen 2 and 3
	case reContraction + `|` + rePrefix + `\p{L}+|\p{N}+` + reSigns + reSpace:
		return cl100k(classLetter, -1), true
	case reContraction + `|` + rePrefix + `[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n` + reSpace:
		return cl100k(classLetter|classMark, 1), true // Qwen 3.5
	case word(reContraction+`?`) + `|\p{N}{1,3}` + reSigns + `/` + reSpace:
		return cased(3, true), true // o200k, gpt-oss, Llama 4
	case word("") + `|\p{N}` + reSigns + `/` + reSpace:
		return cased(1, false), true // Mistral's Tekken
	case word("") + `|\p{N}{1,3}` + reSigns + `/` + reSpace:
		return cased(3, false), true
	case reDeepSeek:
		return knownPattern{scan: scanDeepSeek(t)}, true
	case `[一-龥぀-ゟ゠-ヿ]+`:
		return knownPattern{scan: scanKana(t)}, true
	case `\p{N}{1,3}`:
		return knownPattern{scan: scanClass(t, classNumber, 3)}, true
	case `\p{N}`:
		return knownPattern{scan: scanClass(t, classNumber, 1)}, true
	case `\p{N}+`:
		return knownPattern{scan: scanClass(t, classNumber, -1)}, true
	case `\s+`:
		return knownPattern{scan: scanClass(t, classSpace, -1)}, true
	}
	return knownPattern{}, false
}
