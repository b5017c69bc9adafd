package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// ServerDone is the event that ends a stream.
const ServerDone = "data: [DONE]\n\n"

// ServerUsage counts the tokens of a request. CachedTokens are those of the
// prompt that were found in the prefix cache. By says who worked on it.
type ServerUsage struct {
	PromptTokens, CompletionTokens, CachedTokens int
	By                                           ServerWorkers
}

// ServerWorkers are the workers that computed the prompt and the reply, by
// number. They are told in nvext.worker_id, as by Dynamo, where Tell is set.
type ServerWorkers struct {
	Tell            bool
	Prefill, Decode int
}

// appendJSON appends the member nvext and the comma before it, or nothing.
func (w ServerWorkers) appendJSON(dst []byte) []byte {
	if !w.Tell {
		return dst
	}
	dst = append(dst, `,"nvext":{"worker_id":{"prefill_worker_id":`...)
	dst = strconv.AppendInt(dst, int64(w.Prefill), 10)
	dst = append(dst, `,"decode_worker_id":`...)
	dst = strconv.AppendInt(dst, int64(w.Decode), 10)
	return append(dst, "}}"...)
}

// appendJSON appends the usage object.
func (u ServerUsage) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"prompt_tokens":`...)
	dst = strconv.AppendInt(dst, int64(u.PromptTokens), 10)
	dst = append(dst, `,"total_tokens":`...)
	dst = strconv.AppendInt(dst, int64(u.PromptTokens+u.CompletionTokens), 10)
	dst = append(dst, `,"completion_tokens":`...)
	dst = strconv.AppendInt(dst, int64(u.CompletionTokens), 10)
	dst = append(dst, `,"prompt_tokens_details":{"cached_tokens":`...)
	dst = strconv.AppendInt(dst, int64(u.CachedTokens), 10)
	return append(dst, "}}"...)
}

// ServerReply writes one reply, as events or whole. What all events of a reply
// share is encoded once, since a busy server writes tens of thousands of
// events a second.
type ServerReply struct {
	chat             bool
	head             string // everything before "choices", as an event
	whole            string // the same for a reply in one piece
	before, after    string // around a token's text
	finish, finished string // around the reason
}

// NewServerReply prepares a reply to a chat completion, or to a text
// completion when chat is false.
func NewServerReply(chat bool, id, model string, created time.Time) *ServerReply {
	r := &ServerReply{chat: chat}
	head := func(object string) string {
		return fmt.Sprintf(`{"id":%s,"object":"%s","created":%d,"model":%s,"choices":[`,
			serverQuote(id), object, created.Unix(), serverQuote(model))
	}
	if chat {
		r.head = "data: " + head("chat.completion.chunk")
		r.whole = head("chat.completion")
		r.before = r.head + `{"index":0,"delta":{"content":"`
		r.after = `"},"logprobs":null,"finish_reason":null}]}` + "\n\n"
		r.finish = r.head + `{"index":0,"delta":{},"logprobs":null,"finish_reason":"`
	} else {
		r.head = "data: " + head("text_completion")
		r.whole = head("text_completion")
		r.before = r.head + `{"index":0,"text":"`
		r.after = `","logprobs":null,"finish_reason":null}]}` + "\n\n"
		r.finish = r.head + `{"index":0,"text":"","logprobs":null,"finish_reason":"`
	}
	r.finished = `"}]}` + "\n\n"
	return r
}

// AppendRole appends the event that opens a chat: a role and no text. A text
// completion has none, and nothing is appended.
func (r *ServerReply) AppendRole(dst []byte) []byte {
	if !r.chat {
		return dst
	}
	dst = append(dst, r.head...)
	dst = append(dst, `{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}`...)
	return append(dst, "\n\n"...)
}

// AppendText appends an event with a piece of text that [ServerText] has
// encoded.
func (r *ServerReply) AppendText(dst []byte, encoded string) []byte {
	dst = append(dst, r.before...)
	dst = append(dst, encoded...)
	return append(dst, r.after...)
}

// AppendGarbage appends an event whose data breaks off in the middle of its
// JSON.
func (r *ServerReply) AppendGarbage(dst []byte) []byte {
	dst = append(dst, r.before...)
	return append(dst, "\n\n"...)
}

// AppendFinish appends the event that says why the text ended: "length" or
// "stop".
func (r *ServerReply) AppendFinish(dst []byte, reason string) []byte {
	dst = append(dst, r.finish...)
	dst = append(dst, reason...)
	return append(dst, r.finished...)
}

// AppendUsage appends the event with the usage and without choices.
func (r *ServerReply) AppendUsage(dst []byte, u ServerUsage) []byte {
	dst = append(dst, r.head...)
	dst = append(dst, `],"usage":`...)
	dst = u.appendJSON(dst)
	dst = u.By.appendJSON(dst)
	return append(dst, "}\n\n"...)
}

// AppendWhole appends the body of a reply that is not streamed; the text is
// encoded by [ServerText].
func (r *ServerReply) AppendWhole(dst []byte, encoded, reason string, u ServerUsage) []byte {
	dst = append(dst, r.whole...)
	if r.chat {
		dst = append(dst, `{"index":0,"message":{"role":"assistant","content":"`...)
		dst = append(dst, encoded...)
		dst = append(dst, `"},"logprobs":null,"finish_reason":"`...)
	} else {
		dst = append(dst, `{"index":0,"text":"`...)
		dst = append(dst, encoded...)
		dst = append(dst, `","logprobs":null,"finish_reason":"`...)
	}
	dst = append(dst, reason...)
	dst = append(dst, `"}],"usage":`...)
	dst = u.appendJSON(dst)
	dst = u.By.appendJSON(dst)
	return append(dst, '}')
}

// ServerText encodes text as the inside of a JSON string.
func ServerText(text string) string {
	q := serverQuote(text)
	return q[1 : len(q)-1]
}

// ServerModels is the body of the list of models.
func ServerModels(models []string, created time.Time, maxModelLen int) []byte {
	all := make([][]byte, len(models))
	for i, model := range models {
		all[i] = ServerModel(model, created, maxModelLen)
	}
	return fmt.Appendf(nil, `{"object":"list","data":[%s]}`, bytes.Join(all, []byte(",")))
}

// ServerModel is the body that describes one model; max_model_len is vLLM's
// extension, in tokens.
func ServerModel(model string, created time.Time, maxModelLen int) []byte {
	return fmt.Appendf(nil, `{"id":%s,"object":"model","created":%d,"owned_by":"headway","max_model_len":%d}`,
		serverQuote(model), created.Unix(), maxModelLen)
}

// serverQuote encodes a JSON string. Bytes that are not UTF-8 become U+FFFD.
func serverQuote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // a string always encodes
	}
	return string(b)
}
