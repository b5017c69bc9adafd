package secret

import "strings"

// Name reports whether a header, an option, a key of a configuration or
// a URL's parameter of this name holds a secret.
func Name(name string) bool {
	n := strings.ToLower(name)
	if compiled.part.MatchString(n) {
		return true
	}
	before, isToken := strings.CutSuffix(n, "token")
	if !isToken {
		return false
	}
	// time_to_first_token and its like are metrics.
	before = strings.TrimRight(before, "-_.")
	for _, w := range []string{"first", "second", "output", "input", "per", "last", "next", "each", "inter",
		"reasoning", "eos", "bos", "pad", "unk", "stop", "special", "unexpected", "illegal"} {
		if strings.HasSuffix(before, w) {
			return false
		}
	}
	return true
}
