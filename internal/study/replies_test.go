package study

import (
	"testing"

	"headway/record"
)

// Of a reply after 100 tokens of prompt, in blocks of 64, the blocks that it
// fills and the next prompt has are counted, but for its last token, for which
// nothing was computed.
func TestRepliesComputedAnew(t *testing.T) {
	turn := func(n, in, out int) record.Record {
		return record.Record{Session: "a", Turn: n, Outcome: record.OK, TokensIn: in, TokensOut: out}
	}
	failed := turn(1, 500, 0)
	failed.Outcome = record.Failed
	for _, c := range []struct {
		name  string
		turns []record.Record
		want  int64
	}{
		{"two blocks", []record.Record{turn(0, 100, 93), turn(1, 300, 5)}, 128},
		{"the last token has no keys", []record.Record{turn(0, 100, 92), turn(1, 300, 5)}, 64},
		{"the next prompt ends there", []record.Record{turn(0, 100, 92), turn(1, 192, 5)}, 64},
		{"a history without the reply", []record.Record{turn(0, 100, 300), turn(1, 200, 5)}, 0},
		{"after a failure", []record.Record{turn(0, 100, 93), failed, turn(2, 900, 5)}, 0},
		{"three turns", []record.Record{turn(0, 64, 65), turn(1, 192, 65), turn(2, 400, 1)}, 128},
	} {
		p := NewReplies(64)
		for i := range c.turns {
			if err := p.Take(&c.turns[i]); err != nil {
				t.Fatal(err)
			}
		}
		if p.anew != c.want {
			t.Errorf("%s: %d tokens, want %d", c.name, p.anew, c.want)
		}
	}
}
