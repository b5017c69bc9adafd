package record

// ServerTokens are the counts of the server's usage as TokensIn, TokensOut and
// TokensReasoning have them: output is completion without reasoning, and what
// the server did not say is -1.
func (r *Record) ServerTokens() (in, out, reasoning int) {
	get := func(name string) int {
		if n, ok := r.Usage[name]; ok {
			return n
		}
		return -1
	}
	in, out, reasoning = get("prompt_tokens"), get("completion_tokens"), get("reasoning_tokens")
	if out >= 0 && reasoning > 0 {
		out = max(0, out-reasoning)
	}
	return in, out, reasoning
}
