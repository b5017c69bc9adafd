package openai

import "bytes"

// AddServerTold adds the member nvext, whose value is given as JSON, to an event of
// a stream or to the body of a whole reply.
func AddServerTold(event, value []byte) []byte {
	end := ""
	if bytes.HasSuffix(event, []byte("\n\n")) {
		end = "\n\n"
	}
	event = bytes.TrimSuffix(event, []byte("}"+end))
	event = append(append(event, `,"nvext":`...), value...)
	return append(append(event, '}'), end...)
}
