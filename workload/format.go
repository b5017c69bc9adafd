package workload

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"headway/internal/bound"
)

// Format is a kind of file that holds requests.
type Format uint8

const (
	// Unknown is to be found out by [Detect].
	Unknown Format = iota
	// SingleTurn is JSON lines, each a prompt.
	SingleTurn
	// MultiTurn is JSON lines, each a conversation.
	MultiTurn
	// ShareGPT is JSON, an array of recorded conversations.
	ShareGPT
	// Azure is CSV with a time and two lengths.
	Azure
	// Mooncake is JSON lines with times, lengths or messages.
	Mooncake
	// Inputs is aiperf's inputs.json: whole request bodies.
	Inputs
	// BurstGPT is CSV with a time, a model, two lengths and a kind of log.
	BurstGPT
	// Bailian is JSON lines with a time in seconds, two lengths and ids of blocks.
	Bailian
	// Spans is OpenTelemetry spans of calls of models, as OTLP's JSON has them.
	Spans
	// SGLangLog is the log of an SGLang server with --log-requests.
	SGLangLog
)

var formatNames = [...]string{"auto", "single_turn", "multi_turn", "sharegpt", "azure", "mooncake_trace", "inputs_json",
	"burst_gpt_trace", "bailian_trace", "otlp_spans", "sglang_log"}

// String is the name that --custom-dataset-type takes.
func (f Format) String() string { return formatNames[f] }

// ParseFormat reads a name that [Format.String] gives.
func ParseFormat(s string) (Format, error) {
	for i, name := range formatNames {
		if s == name {
			return Format(i), nil
		}
	}
	return Unknown, fmt.Errorf("dataset type %q: must be one of %s", s, formatList())
}

func formatList() string { return strings.Join(formatNames[1:], ", ") }

// reader returns the reader of a format; nil for [Unknown].
func (f Format) reader() reader {
	switch f {
	case SingleTurn:
		return readSingleTurn
	case MultiTurn:
		return readMultiTurn
	case ShareGPT:
		return readShareGPT
	case Azure:
		return readAzure
	case Mooncake:
		return readMooncake
	case Inputs:
		return readInputs
	case BurstGPT:
		return readBurstGPT
	case Bailian:
		return readBailian
	case Spans:
		return readSpans
	case SGLangLog:
		return readSGLangLog
	}
	return nil
}

// Detect finds the format of a file from how it begins, whatever its name.
func Detect(path string) (Format, error) {
	f, err := bound.Open(path)
	if err != nil {
		return Unknown, fmt.Errorf("reading requests: %w", err)
	}
	defer f.Close()
	format, err := detect(io.LimitReader(f, maxLine))
	if err != nil {
		return Unknown, fmt.Errorf("finding the format of %s: %w", path, err)
	}
	return format, nil
}

func detect(r io.Reader) (Format, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	skipBOM(b)
	first, err := skipSpace(b)
	switch {
	case errors.Is(err, io.EOF):
		return Unknown, errors.New("no requests in it: the file is empty")
	case err != nil:
		return Unknown, err
	case first == '{':
		return detectObject(json.NewDecoder(b), false)
	case first == '[' && startsLog(b):
		return SGLangLog, nil
	case first == '[':
		dec := json.NewDecoder(b)
		if _, err := dec.Token(); err != nil || !dec.More() {
			return Unknown, errors.New("no requests in it: an empty array")
		}
		return detectObject(dec, true)
	}
	start, err := b.ReadSlice('\n') // a longer line is no header
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return Unknown, err
	}
	line := string(start)
	if format, err := detectLog(line, b); format != Unknown || err != nil {
		return format, err
	}
	if _, err := columns(line, azureHeader); err == nil {
		return Azure, nil
	}
	if _, err := columns(line, burstHeader); err == nil {
		return BurstGPT, nil
	}
	return Unknown, fmt.Errorf("it begins with %.60q, which is neither JSON nor the header %s or %s; give the "+
		"type, one of %s",
		line, azureHeader, burstHeader, formatList())
}

// detectObject decides by the keys of the first object. It reads no further than
// the first key that tells.
func detectObject(dec *json.Decoder, inArray bool) (Format, error) {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return Unknown, errors.New("the first entry is not a JSON object")
	}
	var keys []string
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return Unknown, fmt.Errorf("the first object is cut off or broken: %w", err)
		}
		key, _ := t.(string)
		if f := formatByKey(key); f != Unknown && (!inArray || f == ShareGPT) {
			return f, nil
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return Unknown, fmt.Errorf("the first object is cut off or broken: %w", err)
		}
		if key == "event" && !inArray && bytes.HasPrefix(value, []byte(`"request.`)) {
			return SGLangLog, nil // --log-requests-format json, in a file of its own
		}
		keys = append(keys, key)
	}
	return Unknown, fmt.Errorf("an object with the fields %q is of no type that is known; give the type, one of %s",
		keys, formatList())
}

func formatByKey(key string) Format {
	switch key {
	case "chat_id", "parent_chat_id":
		return Bailian
	case "resourceSpans":
		return Spans
	case "data":
		return Inputs
	case "conversations":
		return ShareGPT
	case "turns":
		return MultiTurn
	case "input_length", "hash_ids", "text_input", "messages", "payload":
		return Mooncake
	case "text", "texts", "image", "images", "audio", "audios", "video", "videos":
		return SingleTurn
	}
	return Unknown
}

// skipSpace returns the first byte that is not white space, unread.
func skipSpace(b *bufio.Reader) (byte, error) {
	for {
		c, err := b.ReadByte()
		if err != nil {
			return 0, err
		}
		if !isSpace(c) {
			return c, b.UnreadByte()
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
