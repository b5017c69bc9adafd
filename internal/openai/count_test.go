package openai

import (
	"errors"
	"strings"
	"testing"

	"headway/internal/tokenizer"
	"headway/record"
)

type sink struct {
	got []*record.Record
	err error
}

func (s *sink) Take(r *record.Record) error {
	s.got = append(s.got, r)
	return s.err
}

// taped is a record as a target leaves it; each chunk is reasoning, tool,
// content.
func taped(prompt string, chunks ...[3]string) *record.Record {
	t := record.NewTape(record.NewClock(), record.Record{}, nil)
	t.Text.Prompt = prompt
	for _, c := range chunks {
		t.Arrive(record.Arrival{}, []byte(c[0]), []byte(c[1]), []byte(c[2]))
	}
	return &t.Record
}

func TestCounter(t *testing.T) {
	tok, err := tokenizer.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name               string
		r                  *record.Record
		in, out, reasoning int
		arrivals           []int
	}{
		{"plain", taped("hello world", [3]string{}, [3]string{"", "", "hello"}, [3]string{"", "", " world"}),
			2, 2, 0, []int{0, 1, 1}},
		{"counted as a whole", taped("", [3]string{"", "", "hel"}, [3]string{"", "", "lo"}),
			-1, tok.Count("hello"), 0, []int{tok.Count("hel"), tok.Count("lo")}},
		{"reasoning apart", taped("x", [3]string{" let me think"}, [3]string{" more", "", " answer"}),
			1, 1, tok.Count(" let me think more"), []int{3, 2}},
		{"tools and prose in order", taped("x", [3]string{"", "look{\"q\":", " a"}, [3]string{"", "1}", ""}),
			1, tok.Count("look{\"q\": a1}"), 0, []int{tok.Count("look{\"q\":") + 1, tok.Count("1}")}},
		{"no reply", taped("x"), 1, -1, -1, nil},
		{"no text in the reply", taped("x", [3]string{}), 1, -1, -1, []int{0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &sink{}
			if err := NewCounter(s, tok, CounterConfig{}).Take(tt.r); err != nil {
				t.Fatal(err)
			}
			r := s.got[0]
			if r.TokensIn != tt.in || r.TokensOut != tt.out || r.TokensReasoning != tt.reasoning {
				t.Errorf("%d in, %d out, %d reasoning, want %d, %d, %d", r.TokensIn, r.TokensOut, r.TokensReasoning,
					tt.in, tt.out, tt.reasoning)
			}
			for i, want := range tt.arrivals {
				if r.Arrivals[i].Tokens != want {
					t.Errorf("arrival %d: %d tokens, want %d", i, r.Arrivals[i].Tokens, want)
				}
			}
			if r.Text != nil {
				t.Error("the text was kept")
			}
		})
	}
}

func TestServerCounts(t *testing.T) {
	for _, tt := range []struct {
		usage              map[string]int
		in, out, reasoning int
	}{
		{map[string]int{"prompt_tokens": 5, "completion_tokens": 9, "reasoning_tokens": 4}, 5, 5, 4},
		{map[string]int{"prompt_tokens": 5, "completion_tokens": 9}, 5, 9, -1},
		{map[string]int{"completion_tokens": 3, "reasoning_tokens": 4}, -1, 0, 4},
		{map[string]int{"reasoning_tokens": 4}, -1, -1, 4},
		{nil, -1, -1, -1},
	} {
		r := taped("hello world", [3]string{"", "", "hello"})
		r.Usage = tt.usage
		s := &sink{err: errors.New("full")}
		if err := NewCounter(s, nil, CounterConfig{Server: true, Keep: true}).Take(r); err == nil ||
			err.Error() != "full" {
			t.Errorf("the next sink's error became %v", err)
		}
		if r.TokensIn != tt.in || r.TokensOut != tt.out || r.TokensReasoning != tt.reasoning {
			t.Errorf("%v: %d in, %d out, %d reasoning", tt.usage, r.TokensIn, r.TokensOut, r.TokensReasoning)
		}
		if r.Text == nil {
			t.Error("the text was not kept")
		}
	}
}

func TestCounterPassesOnWhatWasNotSent(t *testing.T) {
	tok, err := tokenizer.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{}
	r := &record.Record{Outcome: record.Dropped, TokensIn: -1, TokensOut: -1, TokensReasoning: -1}
	if err := NewCounter(s, tok, CounterConfig{}).Take(r); err != nil || s.got[0] != r || r.TokensIn != -1 {
		t.Error(err, r)
	}
	if err := NewCounter(s, nil, CounterConfig{}).Take(taped("x")); err != nil || s.got[1].TokensIn != -1 {
		t.Error(err, s.got[1])
	}
}

// Counting a long text tells how far it is and ends when it is to stop; short
// ones are counted all the same.
func TestCountingStops(t *testing.T) {
	tok, err := tokenizer.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("word ", 2*longText/5)
	request := func(content string) *record.Record {
		tape := record.NewTape(record.NewClock(), record.Record{}, nil)
		tape.Text.Prompt = "one two"
		tape.Arrive(record.Arrival{At: 1}, nil, nil, []byte(content))
		return &tape.Record
	}
	stop := make(chan struct{})
	var told [][2]int
	c := NewCounter(&sink{}, tok,
		CounterConfig{Stop: stop, Progress: func(done, total int) { told = append(told, [2]int{done, total}) }})
	take := func(content string) *record.Record {
		r := request(content)
		if err := c.Take(r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := take(text); r.TokensOut < 2*longText/5 || r.TokensIn != 2 || r.Arrivals[0].Tokens != r.TokensOut ||
		len(told) < 4 || told[0][1] != len(text) {
		t.Errorf("in %d, out %d, arrival %d; told %v", r.TokensIn, r.TokensOut, r.Arrivals[0].Tokens, told)
	}
	close(stop)
	if r := take(text); r.TokensOut != -1 || r.TokensIn != 2 || r.Arrivals[0].Tokens != 0 {
		t.Errorf("stopped: in %d, out %d, arrival %d", r.TokensIn, r.TokensOut, r.Arrivals[0].Tokens)
	}
	if r := take("three words here"); r.TokensOut != 3 {
		t.Errorf("short: out %d", r.TokensOut)
	}
}
