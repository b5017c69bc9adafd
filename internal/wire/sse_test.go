package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// said is an Event that outlives its emit.
type said struct {
	Name    string
	Data    string
	NoData  bool
	Comment string
	Unknown string
	Strange int
}

func keep(e Event) said {
	return said{e.Name, string(e.Data), e.Data == nil, string(e.Comment), string(e.Unknown), e.UnknownLines}
}

// collect feeds the pieces, overwriting each afterwards as a reader that uses
// its buffer again would, and returns the events with the tail.
func collect(limit int, pieces ...[]byte) (events []said, tail *said, err error) {
	s := Splitter{Limit: limit}
	for _, p := range pieces {
		p = bytes.Clone(p)
		err = s.Feed(p, func(e Event) error {
			events = append(events, keep(e))
			return nil
		})
		for i := range p {
			p[i] = '!'
		}
		if err != nil {
			break
		}
	}
	if e, ok := s.Tail(); ok {
		k := keep(e)
		tail = &k
	}
	return events, tail, err
}

// split cuts p into pieces of n bytes.
func split(p []byte, n int) (pieces [][]byte) {
	for len(p) > n {
		pieces = append(pieces, p[:n])
		p = p[n:]
	}
	return append(pieces, p)
}

var sseCases = []struct {
	name   string
	stream string
	want   []said
	tail   *said
}{
	{name: "nothing"},
	{name: "one", stream: "data: a\n\n", want: []said{{Data: "a"}}},
	{name: "three", stream: "data: a\n\ndata: b\n\ndata: [DONE]\n\n",
		want: []said{{Data: "a"}, {Data: "b"}, {Data: "[DONE]"}}},
	{name: "crlf", stream: "data: a\r\n\r\ndata: b\r\n\r\n", want: []said{{Data: "a"}, {Data: "b"}}},
	{name: "cr", stream: "data: a\r\rdata: b\r\r", want: []said{{Data: "a"}, {Data: "b"}}},
	{name: "mixed ends", stream: "data: a\r\n\ndata: b\n\r\ndata: c\r\n\r",
		want: []said{{Data: "a"}, {Data: "b"}, {Data: "c"}}},
	{name: "no space", stream: "data:a\n\n", want: []said{{Data: "a"}}},
	{name: "two spaces", stream: "data:  a \n\n", want: []said{{Data: " a "}}},
	{name: "colons in data", stream: "data: {\"a\":1}\n\n", want: []said{{Data: `{"a":1}`}}},
	{name: "lines of data", stream: "data: a\ndata:\ndata: b\n\n", want: []said{{Data: "a\n\nb"}}},
	{name: "empty data", stream: "data:\n\ndata\n\n", want: []said{{}, {}}},
	{name: "named", stream: "event: x\ndata: a\n\ndata: b\n\n", want: []said{{Name: "x", Data: "a"}, {Data: "b"}}},
	{name: "named after", stream: "data: a\nevent: x\n\n", want: []said{{Name: "x", Data: "a"}}},
	{name: "last name counts", stream: "event: x\nevent: y\ndata: a\n\nevent: x\nevent\ndata: a\n\n",
		want: []said{{Name: "y", Data: "a"}, {Data: "a"}}},
	{name: "comment", stream: ": ping\n\ndata: a\n\n", want: []said{{Data: "a"}}},
	{name: "comment in event", stream: ": one\n:two\ndata: a\n\n", want: []said{{Data: "a", Comment: "two"}}},
	{name: "comment after data", stream: ": abcd\ndata:z\n: long comment\n\n",
		want: []said{{Data: "z", Comment: "long comment"}}},
	{name: "error without data", stream: "event: error\n: no such model\n\n",
		want: []said{{Name: "error", NoData: true, Comment: "no such model"}}},
	{name: "empty name", stream: "event:\n\n"},
	{name: "ignored", stream: "id: 7\nretry: 10\ndata: a\n\nid: 8\n\n", want: []said{{Data: "a"}}},
	{name: "unknown lines", stream: "foo: bar\nbaz\ndatum: 1\nDATA: 1\n data: 1\ndata: a\n\n",
		want: []said{{Data: "a", Unknown: "foo: bar\nbaz\ndatum: 1\nDATA: 1\n data: 1", Strange: 5}}},
	{name: "unknown alone", stream: "data: a\n\nerror: {\"code\":500}\n\n{}\n\n\x00text\n\ndata: b\n\n",
		want: []said{{Data: "a"},
			{NoData: true, Unknown: `error: {"code":500}`, Strange: 1}, {NoData: true, Unknown: "{}", Strange: 1},
			{NoData: true, Unknown: "\x00text", Strange: 1}, {Data: "b"}}},
	{name: "unknown at the end", stream: "data: a\n\n{\n}", want: []said{{Data: "a"}},
		tail: &said{NoData: true, Unknown: "{\n}", Strange: 2}},
	{name: "cut field", stream: "data: a\n\nretr", want: []said{{Data: "a"}}},
	{name: "blank lines", stream: "\n\n\r\n\rdata: a\n\n\n\n", want: []said{{Data: "a"}}},
	{name: "byte order mark", stream: "\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n",
		want: []said{{Data: "a"}, {NoData: true, Unknown: "\xef\xbb\xbfdata: b", Strange: 1}}},
	{name: "byte order mark alone", stream: "\xef\xbb\xbf\ndata: a\n\n", want: []said{{Data: "a"}}},
	{name: "byte order mark, cut", stream: "\xef\xbb\xbfdata: a", tail: &said{Data: "a"}},
	{name: "invalid UTF-8", stream: "data: \xff\x00\xc3\n\n", want: []said{{Data: "\xff\x00\xc3"}}},
	{name: "cut in line", stream: "data: a\n\ndata: b", want: []said{{Data: "a"}}, tail: &said{Data: "b"}},
	{name: "cut after line", stream: "data: a\ndata: b\n", tail: &said{Data: "a\nb"}},
	{name: "cut in second line", stream: "data: a\ndata: b", tail: &said{Data: "a\nb"}},
	{name: "cut in name", stream: "data: a\n\neve", want: []said{{Data: "a"}}},
	{name: "cut comment", stream: ": x"},
}

func TestSplitter(t *testing.T) {
	for _, tt := range sseCases {
		t.Run(tt.name, func(t *testing.T) {
			for n := 1; n <= len(tt.stream)+1; n++ {
				got, tail, err := collect(0, split([]byte(tt.stream), n)...)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Fatalf("in pieces of %d (-want +got):\n%s", n, d)
				}
				if d := cmp.Diff(tt.tail, tail); d != "" {
					t.Fatalf("in pieces of %d, tail (-want +got):\n%s", n, d)
				}
			}
		})
	}
}

func TestSplitterLimit(t *testing.T) {
	tests := []struct {
		name, stream string
		want         int // events before the error
		ok           bool
	}{
		{"line that fits", "data:7890\n\n", 1, true},
		{"line too long", "data: a\n\ndata:789012\n\n", 1, false},
		{"line too long without end", "data:7890123", 0, false},
		{"comment too long", ":234567890123\n", 0, false},
		{"data that fits", "data:a\ndata:b\ndata:c\ndata:d\ndata:e\n\n", 1, true},
		{"data too long", "data:a\ndata:b\ndata:c\ndata:d\ndata:e\ndata:f\n\n", 0, false},
		{"many comments", strings.Repeat(": ping\n", 100) + "data: a\n\n", 1, true},
		{"many events", strings.Repeat("data: a\n\n", 100), 100, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for n := 1; n <= len(tt.stream); n++ {
				got, tail, err := collect(10, split([]byte(tt.stream), n)...)
				if len(got) != tt.want || tail != nil {
					t.Fatalf("in pieces of %d: %d events, tail %v", n, len(got), tail)
				}
				var large *EventTooLargeError
				if errors.As(err, &large) == tt.ok || (large != nil && large.Limit != 10) {
					t.Fatalf("in pieces of %d: %v", n, err)
				}
			}
		})
	}
}

func TestSplitterStopsOnError(t *testing.T) {
	var s Splitter
	enough := errors.New("enough")
	calls := 0
	stop := func(Event) error { calls++; return enough }
	for range 2 {
		if err := s.Feed([]byte("data: a\n\ndata: b\n\n"), stop); err != enough {
			t.Errorf("got %v", err)
		}
	}
	if _, ok := s.Tail(); ok || calls != 1 {
		t.Errorf("tail %v after %d calls", ok, calls)
	}
	s.Reset()
	got := ""
	if err := s.Feed([]byte("data: c\n\n"), func(e Event) error { got = string(e.Data); return nil }); err != nil ||
		got != "c" {
		t.Errorf("after Reset: %q, %v", got, err)
	}
}

// Reset forgets a half-received event, a half-received line and a pending \r.
func TestSplitterReset(t *testing.T) {
	for _, rest := range []string{"event: x\ndata: a\n: c\nda", "data: a\r", "data: a\n\n", "\xef\xbb"} {
		var s Splitter
		if err := s.Feed([]byte(rest), func(Event) error { return nil }); err != nil {
			t.Fatal(err)
		}
		s.Reset()
		var got []said
		err := s.Feed([]byte("\xef\xbb\xbfdata: b\n\n"), func(e Event) error { got = append(got, keep(e)); return nil })
		if d := cmp.Diff([]said{{Data: "b"}}, got); d != "" || err != nil {
			t.Errorf("after %q: %v (-want +got):\n%s", rest, err, d)
		}
	}
}

func TestFeedAllocatesNothing(t *testing.T) {
	ignore := func(Event) error { return nil }
	for _, tt := range []struct {
		name   string
		pieces []string
	}{
		{"whole", []string{"data: hello\n\n"}},
		{"named", []string{"event: chunk\ndata: hello\n\n"}},
		{"several lines", []string{"data: a\ndata: b\n\n"}},
		{"cut", []string{"da", "ta: hel", "lo\n", "\n"}},
	} {
		var s Splitter
		var pieces [][]byte
		for _, p := range tt.pieces {
			pieces = append(pieces, []byte(p))
		}
		allocs := testing.AllocsPerRun(100, func() {
			for _, p := range pieces {
				if err := s.Feed(p, ignore); err != nil {
					t.Fatal(err)
				}
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", tt.name, allocs)
		}
	}
}

// reference splits a whole stream the plain way, to hold Splitter against.
func reference(stream string) (events []said, tail *said) {
	stream = strings.TrimPrefix(stream, "\xef\xbb\xbf")
	stream = strings.ReplaceAll(stream, "\r\n", "\n")
	stream = strings.ReplaceAll(stream, "\r", "\n")
	lines := strings.Split(stream, "\n")
	var data []string
	var unknown []string
	e := said{}
	end := func() *said {
		defer func() { e, data, unknown = said{}, nil, nil }()
		if len(data) == 0 && e.Name == "" && len(unknown) == 0 {
			return nil
		}
		k := e
		k.Unknown, k.Strange = strings.Join(unknown, "\n"), len(unknown)
		k.Data, k.NoData = strings.Join(data, "\n"), len(data) == 0
		return &k
	}
	for i, line := range lines {
		if line == "" && i < len(lines)-1 {
			if k := end(); k != nil {
				events = append(events, *k)
			}
			continue
		}
		key, value, colon := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case key == "data":
			data = append(data, value)
		case key == "event":
			e.Name = value
		case key == "" && colon:
			e.Comment = value
		case line == "", key == "id", key == "retry":
		case i == len(lines)-1 && (strings.HasPrefix("data", line) || strings.HasPrefix("event", line) ||
			strings.HasPrefix("id", line) || strings.HasPrefix("retry", line)):
		default:
			unknown = append(unknown, line)
		}
	}
	return events, end()
}

// FuzzSSE: the events are those of the plain way, however the stream is cut,
// and a limit strikes in the same place.
func FuzzSSE(f *testing.F) {
	for _, c := range sseCases {
		f.Add([]byte(c.stream), []byte{1, 2, 3})
	}
	f.Add([]byte("data: a\r\r\ndata: b\r\n\r\n"), []byte{8, 1, 1, 7})
	f.Add([]byte("event: x\n: y\ndata: 0123456789\ndata: 0123456789012345678901234567\n\n"), []byte{0, 30})
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		want, wantTail := reference(string(stream))
		got, tail, err := collect(0, stream)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got) + cmp.Diff(wantTail, tail); d != "" {
			t.Fatalf("%q differs from the plain way (-want +got):\n%s", stream, d)
		}
		for _, limit := range []int{0, 32} {
			want, wantTail, wantErr := collect(limit, stream)
			got, tail, err := collect(limit, cut(stream, cuts)...)
			if d := cmp.Diff(want, got) + cmp.Diff(wantTail, tail); d != "" {
				t.Fatalf("%q cut by %v, limit %d (-whole +cut):\n%s", stream, cuts, limit, d)
			}
			if (wantErr == nil) != (err == nil) {
				t.Fatalf("%q cut by %v, limit %d: %v, whole %v", stream, cuts, limit, err, wantErr)
			}
		}
	})
}

// cut cuts p into pieces of the given sizes, over and over; 0 is an empty one.
func cut(p, sizes []byte) (pieces [][]byte) {
	for i, empty := 0, 0; len(p) > 0 && len(sizes) > 0 && empty < 8; i++ {
		n := min(int(sizes[i%len(sizes)]), len(p))
		if n == 0 {
			empty++
		} else {
			empty = 0
		}
		pieces = append(pieces, p[:n])
		p = p[n:]
	}
	return append(pieces, p)
}
