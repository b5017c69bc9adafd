package openai

import (
	"strings"

	"github.com/valyala/fastjson"
)

// Texts returns the texts of a request body joined by one space: the contents
// of all messages, text parts of mixed contents included, and the prompt or
// input of APIs without messages. What the server adds (the chat template) is
// not in it, nor tools and media. A body that is not JSON has none.
func Texts(body []byte) string {
	var p fastjson.Parser
	v, err := p.ParseBytes(body)
	if err != nil {
		return ""
	}
	return textsOf(v)
}

func textsOf(v *fastjson.Value) string {
	var parts []string
	add := func(v *fastjson.Value) {
		if b, err := v.StringBytes(); err == nil && len(b) > 0 {
			parts = append(parts, string(b))
		}
	}
	for _, m := range v.GetArray("messages") {
		eachText(m.Get("content"), add)
	}
	eachText(v.Get("prompt"), add)
	eachText(v.Get("input"), add)
	return strings.Join(parts, " ")
}

// eachText adds a text, or every text of a list of texts or of parts.
func eachText(v *fastjson.Value, add func(*fastjson.Value)) {
	if v == nil {
		return
	}
	switch v.Type() {
	case fastjson.TypeString:
		add(v)
	case fastjson.TypeArray:
		for _, part := range v.GetArray() {
			if part.Type() == fastjson.TypeObject {
				part = part.Get("text")
			}
			if part != nil {
				add(part)
			}
		}
	}
}
