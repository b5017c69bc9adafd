package openai

import (
	"bytes"
	"cmp"
	"math"

	"github.com/valyala/fastjson"

	"headway/record"
)

// tellPath and tellWhat ask a Dynamo frontend to say in each reply which workers
// took the request and how long its stations took.
var (
	tellPath = []string{nvext, "extra_fields"}
	tellWhat = []string{"worker_id", "timing"}
)

// Telling is the field that has a server say what it did with a request
// ([record.Told]). A server that takes it and says nothing is asked no further, see
// [Agreed.Tells]; nothing follows for a measurement where it is left out.
func Telling() Field { return Field{Path: tellPath, Value: tellWhat} }

// Bounds on what a reply tells: in bytes and in JSON values. What is larger is not
// read; users may ask for other things in the same object.
const (
	maxTold       = 16 << 10
	maxToldValues = 1024
	maxWorkerName = 64
)

// telling is what a reply has told so far, and the text of it that was read last:
// Dynamo repeats the workers with every chunk.
type telling struct {
	raw []byte
	is  record.Told
}

// hear takes the nvext object of a chunk. What it leaves out stays.
func (x *exchange) hear(raw []byte) {
	r := &x.reply
	if len(raw) == 0 || len(raw) > maxTold || r.told != nil && bytes.Equal(r.told.raw, raw) {
		return
	}
	if r.told == nil {
		r.told = &telling{}
	}
	r.told.raw = append(r.told.raw[:0], raw...)
	var p fastjson.Parser
	v, err := parseJSON(&p, raw, maxToldValues)
	if err != nil {
		return // the chunk itself was good; what it tells is not needed
	}
	x.workers(&r.told.is, v.Get("worker_id"))
	timing(&r.told.is, v.Get("timing"))
}

// heard puts what was told onto the tape.
func (x *exchange) heard() {
	t := x.reply.told
	if t == nil || t.is == (record.Told{}) {
		return
	}
	x.tape.Told = &t.is
	x.tape.Worker = cmp.Or(t.is.DecodeWorker, t.is.PrefillWorker, x.tape.Worker)
}

// workers reads who took the request.
func (x *exchange) workers(t *record.Told, v *fastjson.Value) {
	if v == nil || v.Type() != fastjson.TypeObject {
		return
	}
	t.PrefillWorker = cmp.Or(x.workerName(v.Get("prefill_worker_id")), t.PrefillWorker)
	t.DecodeWorker = cmp.Or(x.workerName(v.Get("decode_worker_id")), t.DecodeWorker)
	t.PrefillRank = cmp.Or(wholeOf(v.Get("prefill_dp_rank")), t.PrefillRank)
	t.DecodeRank = cmp.Or(wholeOf(v.Get("decode_dp_rank")), t.DecodeRank)
}

// workerName is an id as text: the digits of a number, which may have 64 bits and
// must not become a float, or a name. Empty is none.
func (x *exchange) workerName(v *fastjson.Value) string {
	switch {
	case v == nil:
		return ""
	case v.Type() == fastjson.TypeString:
		name := v.GetStringBytes()
		return x.t.words.excerpt(name[:min(len(name), maxWorkerName)])
	case v.Type() != fastjson.TypeNumber:
		return ""
	}
	digits := v.MarshalTo(nil) // as it came
	if len(digits) > 20 || bytes.ContainsAny(digits, "-+.eE") {
		return ""
	}
	return string(digits)
}

// timing reads what the stations took, which is in milliseconds.
func timing(t *record.Told, v *fastjson.Value) {
	if v == nil || v.Type() != fastjson.TypeObject {
		return
	}
	if at := v.GetInt64("request_received_ms"); at > 0 {
		t.Received = at
	}
	t.Wait = cmp.Or(secondsOf(v.Get("prefill_wait_time_ms")), t.Wait)
	t.Prefill = cmp.Or(secondsOf(v.Get("prefill_time_ms")), t.Prefill)
	t.TTFT = cmp.Or(secondsOf(v.Get("ttft_ms")), t.TTFT)
	t.Total = cmp.Or(secondsOf(v.Get("total_time_ms")), t.Total)
	if share := numberOf(v.Get("kv_hit_rate")); share != nil && *share <= 1 {
		t.HitRate = share
	}
	t.Queued = cmp.Or(wholeOf(v.Get("router_queue_depth")), t.Queued)
}

func wholeOf(v *fastjson.Value) *int {
	if n, ok := count(v); ok {
		return &n
	}
	return nil
}

// numberOf is a number of 0 or more.
func numberOf(v *fastjson.Value) *float64 {
	if v == nil || v.Type() != fastjson.TypeNumber {
		return nil
	}
	f, err := v.Float64()
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || f < 0 {
		return nil
	}
	return &f
}

// longest is the longest duration that is believed, in milliseconds: a year.
const longest = 366 * 24 * 3600e3

func secondsOf(v *fastjson.Value) *float64 {
	ms := numberOf(v)
	if ms == nil || *ms > longest {
		return nil
	}
	s := *ms / 1000
	return &s
}

// Tell is Config.Tell for a target that is open; no request may be under way.
func (t *Target) Tell() { t.c.Tell, t.writer.Tell = true, true }
