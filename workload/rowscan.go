package workload

import "math"

// rowScan reads the usual line. Its methods return false for anything unusual, a
// fault or not, and the line is then read by [parseRow].
type rowScan struct {
	text []byte
	at   int
	row  Row
	ids  []int64
}

func (s *rowScan) object() bool {
	if !s.token('{') || s.token('}') {
		return false
	}
	for {
		key, ok := s.str()
		if !ok || !s.token(':') || !s.field(key) {
			return false
		}
		if s.token('}') {
			s.space()
			return s.at == len(s.text)
		}
		if !s.token(',') {
			return false
		}
	}
}

func (s *rowScan) field(key []byte) (ok bool) {
	switch string(key) {
	case "timestamp":
		s.row.Timed = true
		s.row.Timestamp, ok = s.millis()
	case "delay":
		s.row.Delay, ok = s.millis()
	case "input_length":
		s.row.InputLength, ok = s.tokens()
	case "output_length":
		s.row.OutputLength, ok = s.tokens()
	case "hash_ids":
		ok = s.list()
	case "session_id":
		var name []byte
		name, ok = s.str()
		s.row.Session = string(name)
	case "context_len", "unique_user_prompt_len":
		_, ok = s.whole()
	}
	return ok
}

func (s *rowScan) space() {
	for s.at < len(s.text) && isSpace(s.text[s.at]) {
		s.at++
	}
}

// token passes white space and then c, if c comes next.
func (s *rowScan) token(c byte) bool {
	s.space()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// str reads a string of plain ASCII.
func (s *rowScan) str() ([]byte, bool) {
	if !s.token('"') {
		return nil, false
	}
	from := s.at
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return s.text[from : s.at-1], true
		case c == '\\' || c < ' ' || c > '~':
			return nil, false
		}
	}
	return nil, false
}

// digits reads up to 15 digits, which a float64 holds exactly.
func (s *rowScan) digits() (n int64, count int, ok bool) {
	from := s.at
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		n = n*10 + int64(s.text[s.at]-'0')
		s.at++
		if s.at-from > 15 {
			return 0, 0, false
		}
	}
	return n, s.at - from, s.at > from
}

// whole reads a number without sign, fraction and exponent; what follows it is
// left to the caller, who expects a comma or a bracket.
func (s *rowScan) whole() (int64, bool) {
	s.space()
	from := s.at
	n, count, ok := s.digits()
	return n, ok && (count == 1 || s.text[from] != '0')
}

func (s *rowScan) tokens() (int, bool) {
	n, ok := s.whole()
	return int(n), ok && n >= 1 && n <= MaxTokens
}

func (s *rowScan) millis() (float64, bool) {
	n, ok := s.whole()
	if !ok || s.at >= len(s.text) || s.text[s.at] != '.' {
		return float64(n), ok && n <= maxMillis
	}
	s.at++
	fraction, count, ok := s.digits()
	// Both operands are exact, so the quotient is the nearest float64.
	scale := math.Pow10(count)
	if !ok || count > 15 || float64(n)*scale > 1e15 {
		return 0, false
	}
	ms := (float64(n)*scale + float64(fraction)) / scale
	return ms, ms <= maxMillis
}

func (s *rowScan) list() bool {
	s.ids = s.ids[:0]
	if !s.token('[') {
		return false
	}
	if s.token(']') {
		return true
	}
	for {
		id, ok := s.whole()
		if !ok {
			return false
		}
		s.push(id)
		if s.token(']') {
			return true
		}
		if !s.token(',') {
			return false
		}
	}
}

// push appends an id; a full piece of memory is left to the rows that use it and
// a larger one begun.
func (s *rowScan) push(id int64) {
	if len(s.ids) == cap(s.ids) {
		s.ids = append(make([]int64, 0, max(1<<14, 2*len(s.ids))), s.ids...)
	}
	s.ids = append(s.ids, id)
}
