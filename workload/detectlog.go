package workload

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// startsLog says whether a file that begins with a bracket is a log: its first line has
// a time in it.
func startsLog(b *bufio.Reader) bool {
	start, _ := b.Peek(len("[2026-01-01 00:00:00] "))
	return logPrefix.Match(start) || bytes.HasPrefix(start, []byte("[20")) && bytes.Contains(start, []byte("-")) &&
		bytes.Contains(start, []byte(":"))
}

// logLines are how many lines of a text are looked through for those of a server.
const logLines = 10000

// detectLog finds the format of a server's log by one of its lines: a log may begin with
// anything. It is no error where the text is none.
func detectLog(first string, b *bufio.Reader) (Format, error) {
	text := first
	for range logLines {
		switch {
		case !strings.HasSuffix(text, "\n"): // the last line, or one that no log has
			return Unknown, nil
		case logPrefix.MatchString(text):
			return SGLangLog, nil
		case strings.Contains(text, "Received request ") && strings.Contains(text, "params: SamplingParams("):
			return Unknown, fmt.Errorf("it is a log of vLLM, whose lines do not say how long prompts and replies "+
				"were (since vLLM 0.11.2, prompts not at all): %w; start vLLM with `--otlp-traces-endpoint` and give "+
				"the spans that a collector's file exporter writes", ErrNotBuilt)
		}
		next, err := b.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return Unknown, err
		}
		text = string(next)
	}
	return Unknown, nil
}
