package chart

import "testing"

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"org/model-7B": "org/model-7B", " a\x1b[31mb\nc ": "a [31mb c", "user\u202egnp": "user gnp", "a\ufffeb": "a b",
		"a\xffb": "a\ufffdb",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}
