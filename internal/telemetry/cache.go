package telemetry

import (
	"bytes"
	"strconv"
)

// pageCache remembers what the lines of a source's page mean. A page has the same
// series from one second to the next, and only their values change; parsing names and
// labels anew takes much longer. What is remembered is bounded by [MostSamples]. The nil
// pointer remembers nothing.
type pageCache struct {
	known map[string][]Sample // by the line up to its value
	lines int                 // of which the page consisted, of those that are read
}

// ruleKey finds what a quantity is called by an engine.
type ruleKey struct {
	engine   string
	quantity Quantity
}

// ruleOf are the rules of all engines.
var ruleOf = indexRules()

func indexRules() map[ruleKey]rule {
	all := map[ruleKey]rule{}
	for _, e := range engines {
		for _, r := range e.rules {
			all[ruleKey{e.name, r.quantity}] = r
		}
	}
	return all
}

// parse is what [parse] makes of the page.
func (c *pageCache) parse(page []byte) ([]Sample, error) {
	if c == nil {
		return parse(page)
	}
	samples, ok, same := c.fast(page)
	if ok {
		return samples, nil
	}
	all, err := read(page)
	if err == nil && !same && len(all) > 0 {
		c.learn(page, all)
	}
	return samplesOf(all), err
}

// fast reads the values alone; ok says that the page has the lines that are known,
// same that it may have and that a value among them is none.
func (c *pageCache) fast(page []byte) (samples []Sample, ok, same bool) {
	n := 0
	for line := range bytes.Lines(page) {
		key, value := cut(line)
		if key == nil {
			continue
		}
		templates, known := c.known[string(key)]
		if n++; !known {
			return nil, false, false
		}
		if len(templates) == 0 {
			continue // of a name that gives way to another
		}
		v, err := strconv.ParseFloat(string(value), 64)
		if err != nil {
			return nil, false, true
		}
		for _, s := range templates {
			if s.Value, ok = ruleOf[ruleKey{s.Engine, s.Quantity}].base(v); !ok {
				return nil, false, true
			}
			samples = append(samples, s)
		}
	}
	return samples, n > 0 && n == c.lines, false
}

// nameEnd is where the name at the begin of a line ends.
func nameEnd(line []byte) int {
	if end := bytes.IndexAny(line, "{ \t"); end >= 0 {
		return end
	}
	return len(line)
}

// cut takes a line with a known name apart; the key is nil of another.
func cut(line []byte) (key, value []byte) {
	line = bytes.TrimSpace(line)
	end := nameEnd(line)
	if end == 0 || end == len(line) || !wanted[string(line[:end])] {
		return nil, nil
	}
	if line[end] == '{' {
		if end = labelsEnd(line); end < 0 {
			return line, nil
		}
	}
	value = bytes.TrimLeft(line[end:], " \t")
	if i := bytes.IndexAny(value, " \t"); i >= 0 {
		value = value[:i]
	}
	return line[:end], value
}

// learn remembers what each line of the page means: the samples that were made of it.
// Where a value is none the page is not one to learn from, since other names may stand
// in for it, nor where a line stands there twice.
func (c *pageCache) learn(page []byte, all []found) {
	c.known, c.lines = nil, 0
	made := make(map[place][]Sample, len(all))
	for _, f := range all {
		f.Value = 0
		made[f.place] = append(made[f.place], f.Sample)
	}
	known, seen := make(map[string][]Sample, len(made)), map[string]int{}
	for line := range bytes.Lines(page) {
		key, value := cut(line)
		if key == nil {
			continue
		}
		v, err := strconv.ParseFloat(string(value), 64)
		if _, twice := known[string(key)]; err != nil || !sound(v) || twice {
			return
		}
		name := string(key[:nameEnd(key)])
		known[string(key)] = made[place{name, seen[name]}]
		seen[name]++
	}
	c.known, c.lines = known, len(known)
}
