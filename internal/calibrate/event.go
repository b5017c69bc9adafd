package calibrate

import (
	"bytes"
	"fmt"
	"strings"
)

// stampDigits is how long the send time in an event is: nanoseconds in decimal.
const stampDigits = 20

// eventBytes is the size of an event's data, as servers of today send them.
const eventBytes = 272

const replyHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

// replyTail ends a stream.
const replyTail = "7d\r\ndata: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"choices\":" +
	"[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n\r\n0\r\n\r\n"

// eventTemplate is an event as a chunk, and where its send time belongs.
func eventTemplate() (buf []byte, hole int) {
	data := `data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1700000000,` +
		`"model":"calibrate",` +
		`"choices":[{"index":0,"delta":{"content":"` + strings.Repeat("0", stampDigits) +
		`"},"logprobs":null,"finish_reason":null}],"pad":"`
	data += strings.Repeat("p", eventBytes-len(data)-4) + "\"}\n\n"
	buf = fmt.Appendf(nil, "%x\r\n%s\r\n", len(data), data)
	return buf, bytes.Index(buf, []byte(`"content":"`)) + len(`"content":"`)
}

// oneReply is a whole reply of one event.
func oneReply() []byte {
	event, _ := eventTemplate()
	return append(append([]byte(replyHead), event...), replyTail...)
}

// stampInto writes ns with leading zeros.
func stampInto(p []byte, ns int64) {
	for i := len(p) - 1; i >= 0; i-- {
		p[i] = byte('0' + ns%10)
		ns /= 10
	}
}
