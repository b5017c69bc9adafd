package record

// Tape is what a target writes while a request runs. One goroutine writes it
// at a time. It stamps and stores; it computes nothing.
type Tape struct {
	Record
	Clock Clock
	first func()
	seen  bool
}

// NewTape makes an empty tape for a Record that is known so far. first, which
// may be nil, is called once, at the first arrival that carries text.
func NewTape(clock Clock, r Record, first func()) *Tape {
	r.TokensIn, r.TokensOut, r.TokensReasoning = -1, -1, -1
	r.Text = &Text{}
	return &Tape{Record: r, Clock: clock, first: first}
}

// Arrive adds a chunk. The texts are those of the chunk, nil where it has none;
// Kind and Bytes of a are filled in from them.
func (t *Tape) Arrive(a Arrival, reasoning, tool, content []byte) {
	n := len(t.Arrivals)
	t.Text.Reasoning = t.piece(&a, n, Reasoning, t.Text.Reasoning, reasoning)
	t.Text.ToolCalls = t.piece(&a, n, ToolCall, t.Text.ToolCalls, tool)
	t.Text.Content = t.piece(&a, n, Content, t.Text.Content, content)
	t.Arrivals = append(t.Arrivals, a)
	if a.Kind.Text() && !t.seen {
		t.seen = true
		if t.first != nil {
			t.first()
		}
	}
}

func (t *Tape) piece(a *Arrival, n int, k Kind, all, part []byte) []byte {
	if len(part) == 0 {
		return all
	}
	a.Kind |= k
	a.Bytes += len(part)
	t.Text.Pieces = append(t.Text.Pieces, Piece{Arrival: n, Kind: k, Len: len(part)})
	return append(all, part...)
}

// HasText reports whether any arrival carried output of the model.
func (t *Tape) HasText() bool { return t.seen }

// Fail closes the record as failed.
func (t *Tape) Fail(f *Failure) {
	t.Outcome, t.Failure = Failed, f
	if f.Class == ClassCancelled {
		t.Outcome = Cancelled
	}
}
