package dgd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// kvPattern is how a backend's log says what its KV cache holds.
type kvPattern struct {
	// shown is the line as a person would look for it.
	shown string
	line  *regexp.Regexp
	// tokens computes the figure from what the line's groups say.
	tokens func(groups []string) (float64, error)
	// later says that of several lines the last counts, and not the smallest.
	later bool
	// whole reads the figure where one line alone does not give it; it
	// reports false where no line does.
	whole func(log io.Reader) (tokens float64, seen bool, err error)
}

// read is the figure of a log.
func (p kvPattern) read(log io.Reader) (found float64, seen bool, err error) {
	if p.whole != nil {
		return p.whole(log)
	}
	err = eachLine(log, func(line string) error {
		groups := p.line.FindStringSubmatch(line)
		if groups == nil {
			return nil
		}
		n, err := p.tokens(groups[1:])
		if err != nil {
			return fmt.Errorf("the line %q: %w", clip(line), err)
		}
		if n = math.Floor(n); !seen || p.later || n < found {
			found, seen = n, true
		}
		return nil
	})
	return found, seen, err
}

// kvPatternOf gives the pattern of a backend, after the log lines that Dynamo's
// profiler reads.
//
// vLLM says how many requests of the longest length fit. SGLang's
// lines are several, see [sglangTokens].
// TensorRT-LLM first allocates a small cache to measure with, and then the one
// that it keeps: the last counts.
func kvPatternOf(backend string) (kvPattern, error) {
	switch backend {
	case VLLM:
		return kvPattern{
			shown: "Maximum concurrency for <N> tokens per request: <C>x",
			line: regexp.MustCompile(`Maximum concurrency for ([0-9][0-9,]*) tokens per request: ` +
				`([0-9][0-9,]*(?:\.[0-9]+)?)x`),
			tokens: product,
		}, nil
	case SGLang:
		return kvPattern{
			shown: "KV Cache is allocated. … #tokens: <N>",
			whole: sglangTokens,
		}, nil
	case TRTLLM:
		return kvPattern{
			shown:  "Allocated … for max tokens in paged KV cache (<N>)",
			line:   regexp.MustCompile(`Allocated .*for max tokens in paged KV cache \(([0-9][0-9,]*)\)`),
			tokens: product,
			later:  true,
		}, nil
	}
	_, err := engineOf(backend)
	return kvPattern{}, err
}

// product multiplies the numbers of a line, which may have commas for
// thousands.
func product(groups []string) (float64, error) {
	all := 1.0
	for _, g := range groups {
		f, err := strconv.ParseFloat(strings.ReplaceAll(g, ",", ""), 64)
		if err != nil {
			return 0, err
		}
		all *= f
	}
	return all, nil
}

// longestLine is how much of a log's line is looked at, in bytes.
const longestLine = 1 << 20

// KVTokens reads from a worker's log how many tokens its KV cache holds, over
// all of its attentionDP attention ranks (1 without attention DP): a rank's
// line speaks for that rank. There is no default: a log without the line is a
// [NoKVLineError].
func KVTokens(backend string, log io.Reader, attentionDP int) (int, error) {
	pattern, err := kvPatternOf(backend)
	if err != nil {
		return 0, err
	}
	if attentionDP < 1 {
		return 0, fmt.Errorf("reading the KV cache's size: %d attention ranks; there is at least 1", attentionDP)
	}
	found, seen, err := pattern.read(log)
	if err != nil {
		return 0, fmt.Errorf("reading the KV cache's size from the log: %w", err)
	}
	if !seen {
		return 0, &NoKVLineError{backend, pattern.shown}
	}
	total := found * float64(attentionDP)
	if total < 1 || total > 1<<50 {
		return 0, fmt.Errorf("reading the KV cache's size from the log: the line %q gives %g tokens, which cannot be",
			pattern.shown, total)
	}
	return int(total), nil
}

// NoKVLineError says that a log does not have the line with the KV cache's
// size.
type NoKVLineError struct {
	Backend string
	// Pattern is the line, with <N> and <C> for its numbers.
	Pattern string
}

func (e *NoKVLineError) Error() string {
	return fmt.Sprintf("no line of the log says how many tokens the KV cache holds: %s writes %q; is this the "+
		"worker's log, and does its log level hide the line?", e.Backend, e.Pattern)
}

// eachLine reads lines; of a longer one than [longestLine] only the beginning.
func eachLine(r io.Reader, visit func(string) error) error {
	lines := bufio.NewReaderSize(r, longestLine)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			if err := visit(string(line)); err != nil {
				return err
			}
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = lines.ReadSlice('\n')
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
